"""Pictures of data, training and weights (PNG)."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402 - the backend must be chosen first
import numpy as np  # noqa: E402

from data import Data  # noqa: E402
from network import Network  # noqa: E402
from quantize import ternarize, threshold  # noqa: E402


def _save(figure: plt.Figure, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=70, metadata={"Software": None})
    plt.close(figure)


def contact_sheets(data: Data, folder: Path, count: int = 24) -> None:
    """The first samples of each class; time runs downwards, as the network sees it.

    JPEG: noise makes a PNG of these ten times as large.
    """
    for label, name in enumerate(data.classes):
        figure, axes = plt.subplots(3, count // 3, figsize=(14, 5.9))
        for axis, image in zip(axes.flat, data.x[data.y == label], strict=False):
            axis.imshow(image[0], cmap="viridis", vmin=0, vmax=255, aspect="auto")
        for axis in axes.flat:
            axis.set_axis_off()
        figure.suptitle(f"{name}: time downwards (3.2 s), Doppler from -1 to +1 kHz")
        figure.tight_layout()
        figure.savefig(folder / f"samples-{name}.jpg", dpi=60, pil_kwargs={"quality": 80})
        plt.close(figure)


def learning_curves(records: list[dict], path: Path) -> None:
    figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), sharey=True)
    for axis, kind in zip(axes, ("float", "ternary"), strict=True):
        for record in records:
            k, history = record["fold"], record["history"][kind]
            train = 100 * np.array(history["train"])
            axis.plot(np.arange(1, len(train) + 1), train, color=f"C{k}", lw=0.8, alpha=0.6)
            if history["held_out"]:
                epoch, score = np.array(history["held_out"]).T
                axis.plot(epoch, 100 * score, "o-", color=f"C{k}", ms=3, label=f"fold {k}")
        axis.set(title=kind, xlabel="epoch", ylim=(70, 100.5))
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("accuracy, %: line training, dots test")
    axes[1].legend(fontsize=8)
    _save(figure, path)


def confusion(records: list[dict], classes: tuple[str, ...], path: Path) -> None:
    """All folds together, float beside ternary."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.4))
    for axis, kind in zip(axes, ("float", "ternary"), strict=True):
        matrix = np.zeros((len(classes), len(classes)), dtype=int)
        for record in records:
            np.add.at(matrix, (record["labels"], record["answers"][kind]), 1)
        axis.imshow(np.sqrt(matrix), cmap="Blues")
        for (row, column), value in np.ndenumerate(matrix):
            dark = value > matrix.max() / 3
            axis.text(column, row, value, ha="center", va="center", color="w" if dark else "k")
        axis.set_xticks(range(len(classes)), classes, rotation=30)
        axis.set_yticks(range(len(classes)), classes)
        axis.set(title=f"{kind}, all folds", xlabel="answer", ylabel="truth")
    _save(figure, path)


def _tiles(w: np.ndarray) -> np.ndarray:
    """Weights of a layer as one picture: kernels side by side, matrices as they are."""
    if w.ndim == 2:  # dense: one row of 4x4 maps per class
        return np.concatenate([row.reshape(-1, 16).T for row in w[:, :256]], axis=1)
    if w.shape[2] == 1:
        return w[:, :, 0, 0]
    k = w.shape[2]
    padded = np.full((len(w), k + 1, k + 1), np.nan)
    padded[:, :k, :k] = w[:, 0]
    rows = 2 if len(w) % 2 == 0 else 1
    return padded.reshape(rows, -1, k + 1, k + 1).transpose(0, 2, 1, 3).reshape(rows * (k + 1), -1)


def weights(network: Network, path: Path) -> None:
    """Float (latent) weights beside their ternary values, layer by layer."""
    layers = network.ternary_layers()
    figure, axes = plt.subplots(len(layers), 2, figsize=(12, 2.1 * len(layers)))
    for (name, layer), (left, right) in zip(layers.items(), axes, strict=True):
        w = layer.weight.detach().cpu()
        ternary, _ = ternarize(w)
        limit = float(w.abs().max())
        left.imshow(_tiles(w.numpy()), cmap="RdBu", vmin=-limit, vmax=limit)
        right.imshow(_tiles(ternary.numpy()), cmap="RdBu", vmin=-1.3, vmax=1.3)
        left.set_title(f"{name}: float", fontsize=9)
        right.set_title(f"ternary, {100 * float((ternary == 0).float().mean()):.0f} % zeros",
                        fontsize=9)  # fmt: skip
        left.set_axis_off()
        right.set_axis_off()
    _save(figure, path)


def histograms(network: Network, path: Path) -> None:
    """Latent weights of each layer with the threshold (dashed) and alpha (solid)."""
    layers = network.ternary_layers()
    figure, axes = plt.subplots(2, (len(layers) + 1) // 2, figsize=(12, 5))
    for axis, (name, layer) in zip(axes.flat, layers.items(), strict=False):
        w = layer.weight.detach().cpu()
        _, scale = ternarize(w)
        axis.hist(w.flatten().numpy(), bins=60, color="0.6")
        for sign in (-1, 1):
            axis.axvline(sign * float(threshold(w)), color="C3", ls="--", lw=1)
            axis.axvline(sign * float(scale), color="C0", lw=1)
        axis.set_title(name, fontsize=9)
    _save(figure, path)
