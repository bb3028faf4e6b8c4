"""Writes small branching networks, and records what other executors compute for them.

    python Tests/vectors/record_graphs.py

Writes Tests/Fixtures/models/graphs/NAME.onnx, NAME.in.npy (float32 inputs) and NAME.out0.npy, NAME.out1.npy, … (float32
outputs in the file's order): qonnx executes `residual` and `heads`, ONNX Runtime without optimizations `ushape`. Beside the
residual networks of Tests/Fixtures/models/cases, which Brevitas wrote, it puts inputs and outputs too.
Tests/SternaTests/GraphVectorTests.swift holds the interpreter against them.

Weights are random. Each activation's scale is calibrated on what its own network computes up to there, so that no two are
in a simple ratio and hardly any value saturates.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from executors import IR_VERSION, outputs

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures" / "models"
SAMPLES = 6


class Network:
    """An ONNX graph under construction: QONNX quantizers, or QuantizeLinear and DequantizeLinear."""

    def __init__(self, name: str, shape: list[int], is_qonnx: bool, seed: int):
        self.name, self.shape, self.is_qonnx = name, shape, is_qonnx
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.samples = self.random.uniform(-1, 1, [SAMPLES, *shape[1:]]).astype(np.float32)
        self.path = FIXTURES / "graphs" / f"{name}.onnx"

    def constant(self, value, dtype=np.float32) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, kind: str, inputs: list[str], domain: str = "", outputs: int = 1, **attributes):
        names = [f"{kind.lower()}{len(self.nodes)}" + (f"_{i}" if i else "") for i in range(outputs)]
        node = helper.make_node(kind, inputs, names, name=f"{kind}_{len(self.nodes)}", domain=domain, **attributes)
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def save(self, results: list[str], shapes: list[list[int] | None]) -> None:
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(results, shapes)],
            self.initializers,
        )
        opsets = [helper.make_opsetid("", 13)]
        if self.is_qonnx:
            opsets.append(helper.make_opsetid("qonnx.custom_op.general", 1))
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="pytorch")
        self.path.write_bytes(model.SerializeToString())

    def values(self, name: str) -> np.ndarray:
        if name == "x":
            return self.samples
        self.save([name], [None])
        return outputs(self.path, self.samples)[0]

    def quantize(self, x: str, bits: int = 8, signed: bool = False, zero: int = 0, scale: float | None = None) -> str:
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        if scale is None:
            values = self.values(x)
            scale = max(values.max() / (high - zero), values.min() / (low - zero) if low < zero else 0) * 0.95
        scale = np.float32(scale)
        if self.is_qonnx:
            parameters = [self.constant(scale), self.constant(zero), self.constant(bits)]
            return self.node("Quant", [x, *parameters], "qonnx.custom_op.general", signed=int(signed), narrow=0, rounding_mode="ROUND")
        parameters = [self.constant(scale), self.constant(zero, np.int8 if signed else np.uint8)]
        return self.node("DequantizeLinear", [self.node("QuantizeLinear", [x, *parameters]), *parameters])

    def weights(self, shape: list[int]) -> str:
        ternary = self.random.choice([-1, 0, 1], shape, p=[0.3, 0.4, 0.3])
        scale = np.float32(self.random.uniform(0.05, 0.4))
        if self.is_qonnx:
            parameters = [self.constant(scale), self.constant(0), self.constant(2)]
            weights = self.constant(ternary * scale)
            return self.node("Quant", [weights, *parameters], "qonnx.custom_op.general", signed=1, narrow=1, rounding_mode="ROUND")
        return self.node("DequantizeLinear", [self.constant(ternary, np.int8), self.constant(scale), self.constant(0, np.int8)])

    def conv(self, x: str, inputs: int, channels: int, kernel: int = 3, stride: int = 1, relu: bool = True) -> str:
        """Convolution, BatchNormalization with the statistics of its own results, ReLU."""
        pad = kernel // 2
        y = self.node(
            "Conv", [x, self.weights([channels, inputs, kernel, kernel])], kernel_shape=[kernel] * 2, pads=[pad] * 4,
            strides=[stride] * 2,
        )
        values = self.values(y)
        axes = (0, 2, 3)
        parameters = [
            self.random.uniform(0.5, 1.5, channels), self.random.uniform(-0.3, 0.6, channels), values.mean(axes),
            values.var(axes) + 1e-3,
        ]
        y = self.node("BatchNormalization", [y, *(self.constant(p) for p in parameters)], epsilon=1e-5)
        return self.node("Relu", [y]) if relu else y

    def dense(self, x: str, inputs: int, classes: int) -> str:
        bias = self.constant(self.random.uniform(-1, 1, classes))
        return self.node("Gemm", [x, self.weights([classes, inputs]), bias], transB=1)

    def upsampled(self, x: str) -> str:
        """As torch.onnx writes nn.Upsample(scale_factor=2, mode='nearest')."""
        return self.node(
            "Resize", [x, "", self.constant([1, 1, 2, 2])], mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        )

    def record(self, results: list[str]) -> None:
        self.save(results, [[1, *self.values(name).shape[1:]] for name in results])
        onnx.checker.check_model(str(self.path))
        record(self.path, self.samples, "out{}")


def record(path: Path, samples: np.ndarray, name: str) -> None:
    np.save(path.with_suffix(".in.npy"), samples)
    for index, values in enumerate(outputs(path, samples)):
        np.save(path.with_suffix("." + name.format(index) + ".npy"), values)
        print(f"{path.stem} {index}: {values.shape}, {values.min():.3f} to {values.max():.3f}")


def residual() -> None:
    """Two residual blocks whose branches have scales of their own: 8 bits, then 4 and 8."""
    net = Network("residual", [1, 3, 10, 10], True, 1)
    x = net.quantize(net.conv(net.quantize("x", signed=True), 3, 8))
    y = net.quantize(net.conv(net.quantize(net.conv(x, 8, 8)), 8, 8, relu=False), signed=True)
    x = net.quantize(net.node("Relu", [net.node("Add", [y, x])]))
    y = net.quantize(net.conv(net.quantize(net.conv(x, 8, 12, stride=2)), 12, 12, relu=False), bits=4, signed=True, zero=-1)
    skip = net.quantize(net.conv(x, 8, 12, kernel=1, stride=2, relu=False), signed=True)
    x = net.quantize(net.node("Sub", [skip, y]), bits=6, signed=True)
    pooled = net.quantize(net.node("GlobalAveragePool", [x]), signed=True)
    net.record([net.dense(net.node("Flatten", [pooled]), 12, 5)])


def ushape() -> None:
    """Down twice, up twice, with the maps of the way down joined on the way up."""
    net = Network("ushape", [1, 1, 16, 16], False, 2)
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    first = net.quantize(net.conv(net.quantize("x", zero=117), 1, 6))
    second = net.quantize(net.conv(net.node("MaxPool", [first], **pool), 6, 8))
    bottom = net.quantize(net.conv(net.node("MaxPool", [second], **pool), 8, 8))
    joined = net.quantize(net.node("Concat", [net.upsampled(bottom), second], axis=1))
    up = net.quantize(net.conv(joined, 16, 6))
    joined = net.quantize(net.node("Concat", [net.upsampled(up), first], axis=1))
    net.record([net.conv(joined, 12, 2, kernel=1, relu=False)])


def heads() -> None:
    """A trunk that is split in two, and read by two heads: quantized boxes, and logits."""
    net = Network("heads", [1, 3, 12, 12], True, 3)
    trunk = net.quantize(net.conv(net.quantize("x", signed=True), 3, 8, stride=2))
    left, right = net.node("Split", [trunk, net.constant([4, 4], np.int64)], outputs=2, axis=1)
    right = net.quantize(net.conv(right, 4, 4))
    joined = net.quantize(net.node("Concat", [right, left, trunk], axis=1))
    boxes = net.quantize(net.conv(joined, 16, 4, kernel=1, relu=False), signed=True)
    pooled = net.quantize(net.node("GlobalAveragePool", [joined]))
    classes = net.dense(net.node("Flatten", [pooled]), 16, 3)
    net.record([classes, boxes])


def main() -> None:
    (FIXTURES / "graphs").mkdir(exist_ok=True)
    residual()
    ushape()
    heads()
    for name in ["residual_qonnx_ts", "residual_qcdq"]:
        path = FIXTURES / "cases" / f"{name}.onnx"
        model = onnx.load(path)
        initializers = {tensor.name for tensor in model.graph.initializer}
        (value,) = [value for value in model.graph.input if value.name not in initializers]
        shape = [max(1, dim.dim_value) for dim in value.type.tensor_type.shape.dim]
        samples = np.random.default_rng(4).uniform(-1, 1, [SAMPLES, *shape[1:]]).astype(np.float32)
        record(path, samples, "out")


if __name__ == "__main__":
    main()
