"""Loading a user's file, and folds."""

from pathlib import Path

import numpy as np
import pytest

import data


def write(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def test_loads_bytes_and_floats_with_and_without_a_channel_axis(tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (4, 64, 64), dtype=np.uint8)
    y = np.array([0, 1, 0, 1])
    plain = data.load(write(tmp_path / "a.npz", x=x, y=y))
    real = data.load(write(tmp_path / "b.npz", x=x[:, None].astype(np.float32) / 255, y=y))
    assert plain.x.shape == (4, 1, 64, 64)
    assert np.array_equal(plain.x, real.x)
    assert plain.classes == ("0", "1")


@pytest.mark.parametrize(
    ("shape", "labels", "words"),
    [((2, 32, 32), [0, 1], "want"), ((2, 64, 64), [0, 2], "labels must be")],
)
def test_says_what_is_wrong_with_a_file(
    tmp_path: Path, shape: tuple[int, ...], labels: list[int], words: str
) -> None:
    path = write(tmp_path / "bad.npz", x=np.zeros(shape, np.uint8), y=np.array(labels))
    with pytest.raises(ValueError, match=words):
        data.load(path)


def test_folds_are_balanced() -> None:
    y = np.repeat(np.arange(5), 276)
    fold = data.folds(data.Data("t", np.zeros((1380, 1)), y, ("",) * 5))
    assert np.bincount(fold).tolist() == [276] * 5
    counts = [np.bincount(y[fold == k]) for k in range(5)]
    assert np.ptp(counts) <= 1


def test_folds_keep_groups_whole() -> None:
    rng = np.random.default_rng(0)
    group = np.repeat(np.arange(60), rng.integers(3, 20, 60))
    y = group % 4
    fold = data.folds(data.Data("t", np.zeros((len(y), 1)), y, ("",) * 4, group))
    assert all(len(set(fold[group == g])) == 1 for g in range(60))
    assert np.bincount(fold).min() > 0.8 * len(y) / 5
