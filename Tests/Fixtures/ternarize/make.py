"""Makes the float models and vectors of this folder.

    python make.py        # needs numpy, onnx and onnxruntime

`cnn.onnx` uses what torch.onnx.export writes for a small CNN: strides, groups, dilation, asymmetric padding,
BatchNormalization before and behind a Relu, ReLU6 as Clip, pools of all kinds, MatMul + Add and Gemm. The weights are
random; ONNX Runtime computes the expected outputs, so the float executor is compared with arithmetic that it shares
nothing with. `blobs.onnx` is a network that solves its task, trained here by plain gradient descent.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(7)


class Model:
    def __init__(self, shape):
        self.nodes, self.init, self.shape, self.last = [], [], shape, "x"

    def const(self, name, value):
        self.init.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, op, name, *inputs, **attributes):
        self.nodes.append(helper.make_node(op, [self.last, *inputs], [name], name=name, **attributes))
        self.last = name

    def bn(self, name, channels):
        p = [
            rng.uniform(0.5, 1.5, channels) * np.where(rng.uniform(size=channels) < 0.2, -1, 1),
            rng.normal(size=channels), rng.normal(size=channels), rng.uniform(0.5, 2, channels),
        ]
        names = [self.const(f"{name}.{i}", v.astype(np.float32)) for i, v in enumerate(p)]
        self.add("BatchNormalization", name, *names, epsilon=1e-5)

    def weights(self, name, *shape):
        fan_in = np.prod(shape[1:])
        return self.const(name, (rng.normal(size=shape) / np.sqrt(fan_in)).astype(np.float32))

    def save(self, path, x, outputs):
        graph = helper.make_graph(
            self.nodes, path.split(".")[0],
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *self.shape])],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, ["N", outputs])], self.init)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": x})[0]


def cnn():
    m = Model((2, 13, 12))
    m.add("Sub", "centred", m.const("half", np.float32(0.5)))
    m.add("Conv", "conv1", m.weights("conv1.weight", 6, 2, 3, 3), kernel_shape=[3, 3], pads=[1, 0, 2, 1],
          strides=[1, 1])
    m.bn("bn1", 6)
    m.add("Relu", "relu1")
    m.add("MaxPool", "max1", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], ceil_mode=1)
    m.add("Conv", "conv2", m.weights("conv2.weight", 12, 2, 3, 2), m.const("conv2.bias",
          rng.normal(size=12).astype(np.float32)), kernel_shape=[3, 2], group=3, dilations=[2, 1], pads=[2, 1, 2, 0],
          strides=[1, 2])
    m.add("Clip", "relu6", m.const("zero", np.float32(0)), m.const("six", np.float32(6)))
    m.bn("bn2", 12)
    m.add("AveragePool", "mean1", kernel_shape=[2, 2], strides=[2, 1], pads=[0, 1, 1, 0], count_include_pad=1)
    m.add("Conv", "conv3", m.weights("conv3.weight", 8, 12, 1, 1), kernel_shape=[1, 1])
    m.bn("bn3", 8)
    m.add("Relu", "relu3")
    m.add("AveragePool", "mean2", kernel_shape=[2, 2], strides=[1, 1])
    m.add("Flatten", "flat", axis=1)
    features = 8 * 3 * 2
    m.add("MatMul", "fc1", m.weights("fc1.weight", features, 10))
    m.add("Add", "fc1_bias", m.const("fc1.bias", rng.normal(size=10).astype(np.float32)))
    m.add("Relu", "relu4")
    m.add("Gemm", "fc2", m.weights("fc2.weight", 4, 10), m.const("fc2.bias", rng.normal(size=4).astype(np.float32)),
          transB=1)
    x = rng.uniform(size=(9, 2, 13, 12)).astype(np.float32)
    y = m.save("cnn.onnx", x, 4)
    np.save("cnn_x.npy", x)
    np.save("cnn_y.npy", y.astype(np.float32))


def blobs():
    """Three bumps of different place on noise, 1x8x8: conv + BatchNormalization + ReLU + mean pool + linear."""
    def draw(n):
        labels = rng.integers(0, 3, n)
        x = rng.uniform(0, 0.4, (n, 1, 8, 8))
        for i, label in enumerate(labels):
            r, c = [(1, 1), (1, 5), (5, 3)][label] + rng.integers(0, 2, 2)
            x[i, 0, r:r + 2, c:c + 2] += 0.8
        return x.astype(np.float32), labels

    x, labels = draw(600)
    hidden = 24
    a = rng.normal(size=(64, hidden)) / 8
    b = rng.normal(size=(hidden, 3)) / np.sqrt(hidden)
    ca, cb = np.zeros(hidden), np.zeros(3)
    flat, onehot = x.reshape(600, 64) - 0.25, np.eye(3)[labels]
    for _ in range(400):
        z = flat @ a + ca
        h = np.maximum(z, 0)
        logits = h @ b + cb
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        g = (p - onehot) / 600
        gh = (g @ b.T) * (z > 0)
        b -= 2 * h.T @ g
        cb -= 2 * g.sum(0)
        a -= 2 * flat.T @ gh
        ca -= 2 * gh.sum(0)
    m = Model((1, 8, 8))
    m.add("Sub", "centred", m.const("mean", np.float32(0.25)))
    m.add("Flatten", "flat", axis=1)
    m.add("Gemm", "fc1", m.const("fc1.weight", a.T.astype(np.float32)), m.const("fc1.bias", ca.astype(np.float32)),
          transB=1)
    m.add("Relu", "relu")
    m.add("Gemm", "fc2", m.const("fc2.weight", b.T.astype(np.float32)), m.const("fc2.bias", cb.astype(np.float32)),
          transB=1)
    test, truth = draw(120)
    y = m.save("blobs.onnx", test, 3)
    print("blobs accuracy", (y.argmax(1) == truth).mean())
    np.save("blobs_x.npy", test)
    np.save("blobs_labels.npy", truth.astype(np.int64))


cnn()
blobs()
