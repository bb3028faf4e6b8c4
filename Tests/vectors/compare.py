"""Compares sterna's logits with those of the file's own executor and with PyTorch's.

    python Tests/vectors/compare.py STERNA FOLDER

FOLDER: VARIANT_DIALECT.onnx files, VARIANT_torch_out.npy and x.npy. Prints a table in Markdown: how often the argmax
agrees, and the largest difference of a logit, as a number and as a share of the logits' range.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from executors import is_qonnx, logits


def ours(sterna: str, model: Path, inputs: Path) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "y.npy"
        subprocess.run(
            [sterna, "run", str(model), "--input", str(inputs), "--output", str(output), "--real"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        values = np.load(output)
        return values.reshape(len(values), -1)


def columns(found: np.ndarray, expected: np.ndarray) -> str:
    same = int((found.argmax(1) == expected.argmax(1)).sum())
    difference = float(np.abs(found - expected).max())
    share = difference / float(expected.max() - expected.min())
    return f"{same} of {len(found)} | {difference:.2g} ({share * 100:.2g} %)"


def main() -> None:
    sterna, folder = sys.argv[1], Path(sys.argv[2])
    inputs = np.load(folder / "x.npy")
    print("| file | executor | same argmax | largest difference | PyTorch: same argmax | largest difference |")
    print("|---|---|---|---|---|---|")
    for model in sorted(folder.glob("*.onnx")):
        found = ours(sterna, model, folder / "x.npy")
        stem = model.stem.split("_q")[0]
        torch = np.load(folder / f"{stem}_torch_out.npy")
        name = "qonnx" if is_qonnx(model) else "ONNX Runtime"
        print(
            f"| {model.stem} | {name} | {columns(found, logits(model, inputs))} | {columns(found, torch)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
