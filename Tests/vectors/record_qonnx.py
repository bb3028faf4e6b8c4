"""Records what qonnx's executor computes for some of the fixture models.

    python Tests/vectors/record_qonnx.py X.npy

X.npy: float32 samples [sample][1][64][64]; values are multiples of 1/255. Tests/Fixtures/models/har/x.npy is meant.
Writes Tests/Fixtures/vectors/inputs.npy (uint8, x * 255, the first eight) and Tests/Fixtures/vectors/MODEL.npy (float32
logits of all samples). Tests/SternaTests/OutsideVectorTests.swift holds the interpreter against them, and
Tests/acceptance/models.sh the networks with threshold weights, which PyTorch's logits do not belong to.
"""

import sys
from pathlib import Path

import numpy as np

from executors import logits

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
THRESHOLD_WEIGHTS = ["act4_qonnx_ts", "floatpool_outq_qonnx_ts", "twn_pc_qonnx_ts", "twn_pt_biasint8_qonnx_ts"]
MODELS = ["max2_pc_qonnx_ts", *THRESHOLD_WEIGHTS]
SAMPLES = 8


def main() -> None:
    samples = np.load(sys.argv[1])
    levels = np.rint(samples * 255).astype(np.uint8)
    # What the Swift test computes from the bytes must be the very floats that the executor saw.
    assert np.array_equal(levels.astype(np.float32) / np.float32(255), samples), "expected multiples of 1/255"
    (FIXTURES / "vectors").mkdir(exist_ok=True)
    np.save(FIXTURES / "vectors" / "inputs.npy", levels[:SAMPLES])
    for model in MODELS:
        recorded = logits(FIXTURES / "models" / "har" / f"{model}.onnx", samples)
        np.save(FIXTURES / "vectors" / f"{model}.npy", recorded)
        print(f"{model}: {recorded.shape}, {recorded.min():.3f} to {recorded.max():.3f}")


if __name__ == "__main__":
    main()
