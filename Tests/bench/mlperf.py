"""Writes ds_cnn.onnx.gz, mobilenet.onnx.gz and resnet8.onnx.gz: networks of MLPerf Tiny with
ternary weights.

    python Tests/bench/mlperf.py [NAME...]

Shapes are MLPerf Tiny's, the rest is drawn: 45 % of each layer's weights are 0, the others -1 or +1
at random. Nothing is trained, so the networks recognise nothing; what they cost in time and memory
is what trained ones of these shapes cost. BatchNorm gets the statistics of noise, so that on noise,
which measure_main.c feeds, no channel is dead and few values are saturated.

The files are QONNX as Brevitas exports them, but for the padding of strided convolutions:
TensorFlow's "same" is uneven there. ONNX's Conv can say so, PyTorch's can not (Brevitas puts a Pad
with a train of shape arithmetic in front), so the exported `pads` are overwritten. Each file is
then run by qonnx and compared with PyTorch.

Needs training/requirements.txt. The draws are NumPy's and the statistics are rounded, so that the
same versions write the same network on any machine.
"""

import gzip
import sys
import tempfile
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "training"))
warnings.filterwarnings("ignore", module="brevitas")

import brevitas.nn as qnn  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import torch  # noqa: E402
from brevitas.core.scaling import ScalingImplType  # noqa: E402
from brevitas.export import export_qonnx  # noqa: E402
from brevitas.quant import (  # noqa: E402
    Int8ActPerTensorFloat,
    Int8WeightPerTensorFloat,
    Int24Bias,
    Uint8ActPerTensorFloat,
)
from export import compare, require, run_qonnx  # noqa: E402
from torch import Tensor, nn  # noqa: E402

ZEROS = 0.45
SAMPLES = 32  # of noise, for the statistics
CHECKED = 4  # of them, by qonnx
TOP = 4.0  # of an activation: BatchNorm's outputs have a deviation of about 1


@dataclass(frozen=True)
class Shape:
    """What is MLPerf's of a network; behind it always: average over the whole map, dense layer."""

    input: tuple[int, int, int]  # channels, rows, columns
    signed: bool  # MFCCs are, pixels are not
    stem: tuple[tuple[int, int], int, int]  # kernel, stride, channels
    blocks: tuple[tuple[int, int], ...]  # stride; channels of the pointwise, or of a residual block
    average: float  # about the largest mean of a map that noise gives
    classes: int
    seed: int
    residual: bool = False  # blocks add two 3x3 to what they begin with; else they are separable


SHAPES = {
    "ds_cnn": Shape((1, 49, 10), True, ((10, 4), 2, 64), 4 * ((1, 64),), 1.0, 12, 1),
    "mobilenet": Shape(
        (3, 96, 96),
        False,
        ((3, 3), 2, 8),
        (
            *((1, 16), (2, 32), (1, 32), (2, 64), (1, 64), (2, 128)),
            *5 * ((1, 128),),
            *((2, 256), (1, 256)),
        ),
        2.0,
        2,
        2,
    ),
    "resnet8": Shape(
        (3, 32, 32), False, ((3, 3), 1, 16), ((1, 16), (2, 32), (2, 64)), 2.0, 10, 3, residual=True
    ),
}


def ternary(shape: torch.Size, draw: np.random.Generator) -> Tensor:
    """Weights 0 and +-scale, the zeros spread evenly so that no output is left without inputs."""
    outputs, taps = shape[0], shape.numel() // shape[0]
    zeros = np.full(outputs, int(ZEROS * taps))
    zeros[: round(ZEROS * shape.numel()) - zeros.sum()] += 1
    rows = draw.choice([-1.0, 1.0], (outputs, taps))
    for row, count in zip(rows, zeros, strict=True):
        row[draw.permutation(taps)[:count]] = 0
    return torch.from_numpy(rows.reshape(shape) / np.sqrt(taps)).float()


def same(extent: int, kernel: int, stride: int) -> tuple[int, int, int]:
    """Of TensorFlow's "same": padding before and behind, and the extent of the output."""
    output = ceil(extent / stride)
    padding = max((output - 1) * stride + kernel - extent, 0)
    return padding // 2, padding - padding // 2, output


def quantizer(top: float, signed: bool = False) -> dict[str, object]:
    """Arguments of an 8-bit activation in [0, top], or [-top, top], with a fixed scale."""
    return {
        "act_quant": Int8ActPerTensorFloat if signed else Uint8ActPerTensorFloat,
        "scaling_impl_type": ScalingImplType.CONST,
        "scaling_init": top,
    }


TERNARY = {"weight_quant": Int8WeightPerTensorFloat, "weight_bit_width": 2}  # narrow: -1, 0, 1


class Residual(nn.Module):
    """Two branches of one shape, added."""

    def __init__(self, main: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.main, self.shortcut = main, shortcut
        self.relu = qnn.QuantReLU(**quantizer(1.5 * TOP))

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.main(x) + self.shortcut(x))


class Builder:
    """Layers one after the other, drawn; knows the extents of the map that the last one makes."""

    def __init__(self, shape: Shape) -> None:
        self.draw = np.random.default_rng(shape.seed)
        self.rows, self.columns = shape.input[1:]

    def convolution(
        self,
        name: str,
        inputs: int,
        outputs: int,
        kernel: tuple[int, int],
        stride: int,
        groups: int = 1,
        signed: bool = False,
    ) -> dict[str, nn.Module]:
        conv = qnn.QuantConv2d(
            inputs,
            outputs,
            kernel,
            stride=stride,
            padding="same",
            groups=groups,
            bias=False,
            **TERNARY,
        )
        conv.weight.data = ternary(conv.weight.shape, self.draw)
        (top, bottom, self.rows), (left, right, self.columns) = (
            same(extent, taps, stride)
            for extent, taps in zip((self.rows, self.columns), kernel, strict=True)
        )
        conv.pads = [top, left, bottom, right]
        norm = nn.BatchNorm2d(outputs, momentum=1.0)  # the statistics are those of the last batch
        norm.weight.data = torch.from_numpy(self.draw.uniform(0.5, 1.5, outputs)).half().float()
        norm.bias.data = torch.from_numpy(self.draw.uniform(-0.5, 0.5, outputs)).half().float()
        # In front of an addition there is no ReLU; one step is two of a ReLU's.
        last = (
            {f"{name}_quant": qnn.QuantIdentity(**quantizer(2 * TOP * 128 / 255, signed=True))}
            if signed
            else {f"{name}_relu": qnn.QuantReLU(**quantizer(TOP))}
        )
        return {name: conv, f"{name}_norm": norm, **last}

    def residual(self, inputs: int, outputs: int, stride: int) -> Residual:
        before = self.rows, self.columns
        main = {
            **self.convolution("first", inputs, outputs, (3, 3), stride),
            **self.convolution("second", outputs, outputs, (3, 3), 1, signed=True),
        }
        if stride == 1:
            return Residual(nn.Sequential(OrderedDict(main)), nn.Identity())
        self.rows, self.columns = before
        shortcut = self.convolution("shortcut", inputs, outputs, (1, 1), stride, signed=True)
        return Residual(*(nn.Sequential(OrderedDict(part)) for part in (main, shortcut)))


def build(shape: Shape) -> nn.Sequential:
    """The network in Brevitas' modules, drawn, its statistics not yet set."""
    builder = Builder(shape)
    layers: dict[str, nn.Module] = {"input": qnn.QuantIdentity(**quantizer(1.0, shape.signed))}
    kernel, stride, channels = shape.stem
    layers.update(builder.convolution("conv", shape.input[0], channels, kernel, stride))
    for k, (stride, outputs) in enumerate(shape.blocks, 1):
        if shape.residual:
            layers[f"block{k}"] = builder.residual(channels, outputs, stride)
        else:
            layers.update(
                builder.convolution(
                    f"depthwise{k}", channels, channels, (3, 3), stride, groups=channels
                )
            )
            layers.update(builder.convolution(f"pointwise{k}", channels, outputs, (1, 1), 1))
        channels = outputs
    layers["average"] = nn.AvgPool2d((builder.rows, builder.columns))
    layers["average_quant"] = qnn.QuantIdentity(
        **quantizer(shape.average), return_quant_tensor=True
    )
    layers["flatten"] = nn.Flatten()
    dense = qnn.QuantLinear(channels, shape.classes, bias=True, bias_quant=Int24Bias, **TERNARY)
    dense.weight.data = ternary(dense.weight.shape, builder.draw)
    dense.bias.data = torch.from_numpy(builder.draw.uniform(-0.5, 0.5, shape.classes)).float()
    layers["dense"] = dense
    return nn.Sequential(OrderedDict(layers))


def noise(shape: Shape) -> Tensor:
    """Uniform bytes as real numbers, exactly on the grid of the input's quantizer."""
    draw = np.random.default_rng(shape.seed + 100)
    # The scale of a signed quantizer is top / 128: its lowest level is -top.
    low, steps = (-128, 128) if shape.signed else (0, 255)
    return torch.from_numpy(draw.integers(low, low + 256, (SAMPLES, *shape.input)) / steps).float()


@torch.no_grad()
def set_statistics(model: nn.Sequential, x: Tensor) -> None:
    """BatchNorm's, of x; rounded, as the last bits of a sum depend on the machine."""
    model.train()(x)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean = norm.running_mean.half().float()
            norm.running_var = norm.running_var.half().float()
    model.eval()


@torch.no_grad()
def check_activations(model: nn.Sequential, x: Tensor) -> str:
    """Each layer has to use most of its 256 levels: no dead channel, few saturated values."""
    saturated, dead = 0.0, 0

    def check(name: str, y: Tensor) -> None:
        nonlocal saturated, dead
        saturated = max(saturated, float((y == y.max()).float().mean()))
        dead += int((y.amax((0, 2, 3)) == y.amin((0, 2, 3))).sum())
        levels = len(y.unique())
        if levels < 180:
            raise SystemExit(f"{name}: only {levels} levels are used")

    hooks = [
        module.register_forward_hook(lambda module, inputs, y, name=name: check(name, y))
        for name, module in model.named_modules()
        if isinstance(module, (qnn.QuantReLU, qnn.QuantIdentity))
        and name not in ("input", "average_quant")
    ]
    model(x)
    for hook in hooks:
        hook.remove()
    if dead or saturated > 0.05:
        raise SystemExit(
            f"{dead} channels are constant, up to {saturated:.1%} of a layer's values saturated"
        )
    return f"at most {saturated:.1%} of a layer's values saturated"


def save(model: nn.Sequential, x: Tensor, path: Path) -> None:
    """QONNX of one sample. Exported with PyTorch's even padding of the same extents, see above."""
    convolutions = {
        name: conv for name, conv in model.named_modules() if isinstance(conv, qnn.QuantConv2d)
    }
    for conv in convolutions.values():
        conv.is_same_padded_strided, conv.padding = False, conv.pads[2:]
    export_qonnx(
        model,
        args=x,
        export_path=str(path),
        input_names=["input"],
        output_names=["logits"],
        keep_initializers_as_inputs=False,
        dynamo=False,
    )
    file = onnx.load(str(path))
    for node in file.graph.node:
        if node.op_type == "Conv":
            pads = next(attribute for attribute in node.attribute if attribute.name == "pads")
            pads.ints[:] = convolutions[".".join(node.name.split("/")[1:-1])].pads
    onnx.save(file, str(path))


@torch.no_grad()
def write(name: str, path: Path) -> None:
    shape = SHAPES[name]
    x = noise(shape)
    model = build(shape)
    set_statistics(model, x)
    print(f"{name}: {check_activations(model, x)}")
    expected = model(x[:CHECKED]).numpy()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.onnx"
        save(model, x[:1], file)
        outputs = [run_qonnx(file, sample[None].numpy()) for sample in x[:CHECKED]]
        print(require(compare(f"{name}: QONNX", np.concatenate(outputs), expected)))
        # Ternary weights as float32 shrink to a twentieth; without a date in the file.
        path.write_bytes(gzip.compress(file.read_bytes(), mtime=0))
    print(f"{name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    for name in sys.argv[1:] or SHAPES:
        write(name, HERE / f"{name}.onnx.gz")
