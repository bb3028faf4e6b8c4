"""A trained network as a Brevitas model, and from there as QONNX and QCDQ files that are checked.

Brevitas' QONNX exporter writes the raw float weights and a rounding quantizer, which is not the
threshold rule of training: it would silently change one weight in fifty. So the weights are
overwritten with alpha * ternary first: then every ternary quantizer gives back what it is given.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from network import Block, Network
from quantize import integer_bias, ternarize

BIAS_BITS = 23


def _unsigned(top: float) -> dict[str, object]:
    """Arguments of an 8-bit unsigned Brevitas quantizer with the fixed scale top / 255."""
    from brevitas.core.scaling import ScalingImplType
    from brevitas.quant import Uint8ActPerTensorFloat

    return {
        "act_quant": Uint8ActPerTensorFloat,
        "scaling_impl_type": ScalingImplType.CONST,
        "scaling_init": top,
    }


def _ternary() -> dict[str, object]:
    """Two bits, narrow range: levels -1, 0, 1; scale max|w|, which is alpha for alpha * ternary."""
    from brevitas.quant import Int8WeightPerTensorFloat

    return {"weight_quant": Int8WeightPerTensorFloat, "weight_bit_width": 2}


def _block(name: str, block: Block) -> dict[str, nn.Module]:
    import brevitas.nn as qnn

    conv = block.conv
    copy = qnn.QuantConv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, padding=conv.padding,
        groups=conv.groups, bias=False, **_ternary(),
    )  # fmt: skip
    ternary, alpha = ternarize(conv.weight.detach())
    copy.weight.data = (alpha * ternary).contiguous()
    norm = nn.BatchNorm2d(conv.out_channels)
    norm.load_state_dict(block.norm.state_dict())
    relu = qnn.QuantReLU(**_unsigned(float(block.act.top)))
    layers = {name: copy, f"{name}_norm": norm, f"{name}_relu": relu}
    return layers | ({f"{name}_pool": nn.MaxPool2d(2)} if block.pool else {})


@torch.no_grad()
def to_brevitas(network: Network) -> nn.Module:
    """The same function in Brevitas' modules, in evaluation mode, on the CPU.

    Input quantizer with scale 1/255: a uint8 spectrogram divided by 255 becomes itself again.
    """
    import brevitas.nn as qnn
    from brevitas.quant import Int24Bias

    network = network.cpu().eval()
    names = list(network.ternary_layers())  # they become the names of the graph's nodes
    layers: dict[str, nn.Module] = {"input": qnn.QuantIdentity(**_unsigned(1.0))}
    for name, block in zip(names, network.blocks, strict=False):
        layers |= _block(name, block)
    layers["average"] = nn.AvgPool2d(2)
    layers["average_quant"] = qnn.QuantIdentity(
        **_unsigned(float(network.average.top)), return_quant_tensor=True
    )
    layers["flatten"] = nn.Flatten()
    source = network.dense
    dense = qnn.QuantLinear(
        source.in_features, source.out_features, bias=True, bias_quant=Int24Bias, **_ternary()
    )
    ternary, alpha = ternarize(source.weight.detach())
    dense.weight.data = alpha * ternary
    dense.bias.data = integer_bias(source.bias.detach(), network.average.scale * alpha)
    layers["dense"] = dense
    return nn.Sequential(OrderedDict(layers)).eval()


def bias_bits(network: Network) -> int:
    """Bits, with the sign, of the largest integer bias of the last layer."""
    _, alpha = ternarize(network.dense.weight.detach())
    integers = (network.dense.bias.detach() / (network.average.scale * alpha)).round()
    return int(integers.abs().max()).bit_length() + 1


@dataclass(frozen=True)
class Agreement:
    """How far two evaluations of one network are apart over a set of inputs."""

    name: str
    samples: int
    same_class: int
    largest: float  # |difference| of a logit
    range: float  # largest |logit|

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.same_class}/{self.samples} same class, logits differ by at most "
            f"{self.largest:.2g} (range +-{self.range:.1f})"
        )


def compare(name: str, a: np.ndarray, b: np.ndarray) -> Agreement:
    same = int((a.argmax(1) == b.argmax(1)).sum())
    return Agreement(name, len(a), same, float(np.abs(a - b).max()), float(np.abs(b).max()))


class ExportError(Exception):
    """An exported file does not compute what the trained network computes."""


def require(agreement: Agreement) -> Agreement:
    """Raise unless the two agree up to float32 noise.

    That noise can tip a value that lies on a rounding boundary (about one activation in 10^5), and
    such a step moves a logit by at most some hundredths; a wrong weight moves them by 0.1 to 3.
    """
    if agreement.largest > 0.01 * agreement.range:
        raise ExportError(str(agreement))
    return agreement


def run_onnx(path: Path, x: np.ndarray) -> np.ndarray:
    """Logits of a QCDQ file by ONNX Runtime; x float32 (N, 1, 64, 64)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options)
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def run_qonnx(path: Path, x: np.ndarray) -> np.ndarray:
    """Logits of a QONNX file by the qonnx reference executor."""
    import qonnx.core.onnx_exec
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.transformation.infer_shapes import InferShapes

    model = ModelWrapper(str(path))
    name, out = model.graph.input[0].name, model.graph.output[0].name
    model.set_tensor_shape(name, list(x.shape))
    model = model.transform(InferShapes())
    return qonnx.core.onnx_exec.execute_onnx(model, {name: x})[out]


@torch.no_grad()
def export(network: Network, x: np.ndarray, qonnx_path: Path, qcdq_path: Path) -> list[Agreement]:
    """Write both files and compare them, on the inputs x (N, 1, 64, 64) uint8, with PyTorch.

    Raises ExportError if a file disagrees with the network or a bias needs more than 23 bits.
    """
    from brevitas.export import export_onnx_qcdq, export_qonnx

    if (bits := bias_bits(network)) > BIAS_BITS:
        raise ExportError(f"a bias needs {bits} bits, more than {BIAS_BITS}")
    real = torch.from_numpy(x).float() / 255
    expected = network.cpu().eval()(real).numpy()
    model = to_brevitas(network)
    found = [require(compare("Brevitas", _value(model(real)).numpy(), expected))]
    options = {
        "args": real[:1],
        "input_names": ["spectrogram"],
        "output_names": ["logits"],
        "dynamic_axes": {"spectrogram": {0: "N"}, "logits": {0: "N"}},
        "keep_initializers_as_inputs": False,
        "dynamo": False,
    }
    for path in (qonnx_path, qcdq_path):
        path.parent.mkdir(parents=True, exist_ok=True)
    export_qonnx(model, export_path=str(qonnx_path), **options)
    export_onnx_qcdq(model, export_path=str(qcdq_path), **options)
    found.append(require(compare("QONNX", run_qonnx(qonnx_path, real.numpy()), expected)))
    found.append(require(compare("QCDQ", run_onnx(qcdq_path, real.numpy()), expected)))
    return found


def _value(out: object) -> Tensor:
    return out.value if hasattr(out, "value") else out
