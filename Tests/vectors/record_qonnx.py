"""Records what qonnx's executor computes for two of the fixture models.

    python Tests/vectors/record_qonnx.py X.npy

X.npy: float32 samples [sample][1][64][64], of which the first eight are taken; values are multiples of 1/255.
Writes Tests/Fixtures/vectors/inputs.npy (uint8, x * 255) and Tests/Fixtures/vectors/MODEL.npy (float32 logits), which
Tests/SternaTests/OutsideVectorTests.swift holds the interpreter against.
"""

import sys
from pathlib import Path

import numpy as np

from executors import logits

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
MODELS = ["max2_pc_qonnx_ts", "act4_qonnx_ts"]
SAMPLES = 8


def main() -> None:
    samples = np.load(sys.argv[1])[:SAMPLES]
    levels = np.rint(samples * 255).astype(np.uint8)
    # What the Swift test computes from the bytes must be the very floats that the executor saw.
    assert np.array_equal(levels.astype(np.float32) / np.float32(255), samples), "expected multiples of 1/255"
    (FIXTURES / "vectors").mkdir(exist_ok=True)
    np.save(FIXTURES / "vectors" / "inputs.npy", levels)
    for model in MODELS:
        recorded = logits(FIXTURES / "models" / "har" / f"{model}.onnx", samples)
        np.save(FIXTURES / "vectors" / f"{model}.npy", recorded)
        print(f"{model}: {recorded.shape}, {recorded.min():.3f} to {recorded.max():.3f}")


if __name__ == "__main__":
    main()
