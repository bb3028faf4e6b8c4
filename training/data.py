"""Data sets: the simulated one, cached, or any .npz with x, y and, where there is one, group."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from radar import dataset

CACHE = Path(__file__).parent / "data"
SIMULATION_SEED = 24  # of the 1380 samples that everything in README.md is measured on


@dataclass(frozen=True)
class Data:
    name: str
    x: np.ndarray  # (N, 1, 64, 64) uint8
    y: np.ndarray  # (N,) int64, 0 ... classes - 1
    classes: tuple[str, ...]
    group: np.ndarray | None = None  # (N,) recording of each sample; folds never split one

    def __len__(self) -> int:
        return len(self.y)


def simulated(per_class: int = dataset.PER_CLASS, seed: int = SIMULATION_SEED) -> Data:
    """The simulated set; written to training/data/ the first time (about two minutes)."""
    path = CACHE / f"radar-{seed}-{per_class}.npz"
    if not path.exists():
        print(f"simulating {5 * per_class} samples ...", flush=True)
        x, y, redrawn = dataset.simulate(seed, per_class, workers=2)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, x=x, y=y, redrawn=redrawn)
        print(f"wrote {path}; {redrawn} samples had to be redrawn", flush=True)
    stored = np.load(path)
    return Data("simulated", stored["x"][:, None], stored["y"], dataset.CLASSES)


def load(path: str | Path) -> Data:
    """x (N, 64, 64) or (N, 1, 64, 64): uint8, or float in 0..1; y (N,) integers.

    Optional: group (N,), classes (names). Rows are sent to the firmware one after the other, so
    let them be time.
    """
    stored = np.load(path, allow_pickle=False)
    x, y = stored["x"], stored["y"].astype(np.int64)
    if x.ndim == 3:
        x = x[:, None]
    if x.ndim != 4 or x.shape[1:] != (1, 64, 64) or len(x) != len(y):
        raise ValueError(f"{path}: x is {x.shape} and y {y.shape}; want (N, 1, 64, 64) and (N,)")
    if x.dtype != np.uint8:
        if x.min() < 0 or x.max() > 1:
            raise ValueError(f"{path}: x is {x.dtype} in {x.min()}..{x.max()}; want uint8 or 0..1")
        x = np.round(x * 255).astype(np.uint8)
    labels = range(int(y.max()) + 1)
    if y.min() < 0 or set(y) != set(labels):
        raise ValueError(f"{path}: labels must be 0, 1, ..., each at least once; found {set(y)}")
    names = stored["classes"] if "classes" in stored else labels
    group = stored["group"] if "group" in stored else None
    return Data(Path(path).stem, x, y, tuple(str(name) for name in names), group)


def folds(data: Data, count: int = 5, seed: int = 0) -> np.ndarray:
    """Fold (N,) of each sample: classes spread evenly; groups, where given, kept whole."""
    rng = np.random.default_rng(seed)
    fold = np.empty(len(data), dtype=np.int64)
    if data.group is None:
        order = np.concatenate(
            [rng.permutation(np.flatnonzero(data.y == c)) for c in np.unique(data.y)]
        )
        fold[order] = np.arange(len(order)) % count
        return fold
    # Greedy: the largest group goes to the fold that has the fewest samples of its classes.
    groups = rng.permutation(np.unique(data.group))
    classes = int(data.y.max()) + 1
    counts = {g: np.bincount(data.y[data.group == g], minlength=classes) for g in groups}
    filled = np.zeros((count, classes))
    for g in sorted(groups, key=lambda g: -counts[g].sum()):
        target = int(np.argmin(filled @ counts[g] + 1e-3 * filled.sum(1)))
        filled[target] += counts[g]
        fold[data.group == g] = target
    return fold
