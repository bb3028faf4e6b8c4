"""Runs a model file with the executors of others: qonnx for QONNX, ONNX Runtime for QCDQ."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import qonnx.core.onnx_exec
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.util.basic import qonnx_make_model

# The newest IR version that ONNX Runtime 1.31 accepts is 13; onnx 1.23 writes 14 into the one-node models of qonnx.
IR_VERSION = 10


def _make_model(graph, **options):
    model = qonnx_make_model(graph, **options)
    model.ir_version = IR_VERSION
    return model


qonnx.core.onnx_exec.qonnx_make_model = _make_model


def is_qonnx(path: Path) -> bool:
    return any(node.op_type in ("Quant", "BipolarQuant", "Trunc") for node in onnx.load(path).graph.node)


def logits(path: Path, inputs: np.ndarray) -> np.ndarray:
    """float32 outputs of a model for float32 inputs [sample][channel][row][column], one sample at a time."""
    (found,) = outputs(path, inputs)
    return found.reshape(len(inputs), -1)


def outputs(path: Path, inputs: np.ndarray) -> list[np.ndarray]:
    """The same of a model with several outputs, each [sample, ...], in the file's order."""
    run = _qonnx(path) if is_qonnx(path) else _onnxruntime(path)
    samples = [run(inputs[i : i + 1]) for i in range(len(inputs))]
    return [np.concatenate(values).astype(np.float32) for values in zip(*samples)]


def _qonnx(path: Path):
    model = ModelWrapper(str(path))
    for node in model.graph.node:
        if node.domain == "onnx.brevitas":
            node.domain = "qonnx.custom_op.general"
    initializers = {tensor.name for tensor in model.graph.initializer}
    # Brevitas lists the initializers among the inputs; the executor would want values for them.
    for value in [value for value in model.graph.input if value.name in initializers]:
        model.graph.input.remove(value)
        model.graph.value_info.append(value)
    model = model.transform(InferShapes())
    (name,) = [value.name for value in model.graph.input]
    names = [value.name for value in model.graph.output]

    def run(x: np.ndarray) -> list[np.ndarray]:
        found = qonnx.core.onnx_exec.execute_onnx(model, {name: x})
        return [found[output] for output in names]

    return run


def _onnxruntime(path: Path):
    options = onnxruntime.SessionOptions()
    # As the file says, operator by operator: fused integer kernels round pool ties their own way.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    initializers = {tensor.name for tensor in onnx.load(path).graph.initializer}
    (name,) = [value.name for value in session.get_inputs() if value.name not in initializers]
    return lambda x: session.run(None, {name: x})
