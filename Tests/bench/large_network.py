#!/usr/bin/env python3
"""Writes a QONNX network of large ternary convolutions, for measuring how the compiler scales.

    large_network.py OUT.onnx --weights 10000000

The weights are float32 behind 2-bit Quant nodes, as Brevitas exports them; 45 % become zero. The same call writes the same
bytes. Nothing is trained: the statistics of each BatchNorm are those of random inputs, so that activations spread over
their range and no requantizer is trivial.
"""

import argparse
import math

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

QUANT_DOMAIN = "qonnx.custom_op.general"
MAP = 16  # rows and columns of the input; the first convolution halves them
CLASSES = 10
ACTIVATION_SCALE = 3 / 255  # of values with a deviation of about 1
# A normal number of this deviation rounds to 0 with a probability of 45 %: erf(0.5 / (SPREAD * sqrt(2))) = 0.45.
SPREAD = 0.8364


class Network:
    def __init__(self, seed):
        self.random = numpy.random.default_rng(seed)
        self.nodes = []
        self.initializers = []
        self.value = "x"
        self.weights = 0

    def constant(self, name, values):
        self.initializers.append(numpy_helper.from_array(numpy.asarray(values, numpy.float32), name))
        return name

    def node(self, kind, name, inputs, **attributes):
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def quant(self, name, value, scale, bits, signed, narrow):
        inputs = [value, self.constant(name + "_scale", scale), self.constant(name + "_zero", 0.0),
                  self.constant(name + "_bits", float(bits))]
        return self.node("Quant", name, inputs, domain=QUANT_DOMAIN, signed=signed, narrow=narrow,
                         rounding_mode="ROUND")

    def activation(self, name):
        self.value = self.quant(name, self.value, ACTIVATION_SCALE, 8, signed=0, narrow=0)

    def ternary(self, name, shape):
        """Weights of a layer, one scale for each output, and that scale."""
        self.weights += math.prod(shape)
        scales = self.random.uniform(0.01, 0.03, [shape[0]] + [1] * (len(shape) - 1)).astype(numpy.float32)
        values = SPREAD * scales * self.random.standard_normal(shape, numpy.float32)
        return self.quant(name, self.constant(name + "_float", values), scales, 2, signed=1, narrow=1), scales

    def convolution(self, name, inputs, outputs, stride=1):
        weights, scales = self.ternary(name + "_weights", [outputs, inputs, 3, 3])
        value = self.node("Conv", name, [self.value, weights], kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                          strides=[stride, stride])
        # 55 % of the terms are not zero, and activations have a root mean square of about 0.7.
        variance = 0.55 * 9 * inputs * (0.7 * scales.reshape(outputs)) ** 2
        deviation = numpy.sqrt(variance)
        draw = lambda low, high: self.random.uniform(low, high, outputs).astype(numpy.float32)
        parameters = [("gamma", draw(0.5, 1.5)), ("beta", draw(-0.2, 0.2)), ("mean", deviation * draw(-0.2, 0.2)),
                      ("variance", variance * draw(0.8, 1.2))]
        value = self.node("BatchNormalization", name + "_norm",
                          [value] + [self.constant(f"{name}_{key}", values) for key, values in parameters])
        self.value = self.node("Relu", name + "_relu", [value])
        self.activation(name + "_quant")

    def dense(self, inputs, outputs):
        value = self.node("AveragePool", "pool", [self.value], kernel_shape=[MAP // 2, MAP // 2])
        self.value = self.node("Flatten", "flatten", [value], axis=1)
        self.activation("features")
        weights, _ = self.ternary("dense_weights", [outputs, inputs])
        self.value = self.node("Gemm", "dense", [self.value, weights], transB=1)

    def model(self):
        graph = helper.make_graph(
            self.nodes, "large", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, MAP, MAP])],
            [helper.make_tensor_value_info(self.value, TensorProto.FLOAT, [1, CLASSES])], self.initializers)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(QUANT_DOMAIN, 2)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="large_network")


def network(weights, seed):
    """Convolutions of 256 or 512 channels until about `weights` are there; the last one takes what is left."""
    result = Network(seed)
    channels = 256 if weights <= 2_500_000 else 512
    result.activation("input")
    result.convolution("conv0", 3, channels, stride=2)
    inputs = channels
    number = 1
    while (outputs := min(channels, (weights - result.weights) // (9 * inputs + CLASSES))) >= 16:
        result.convolution(f"conv{number}", inputs, outputs)
        inputs = outputs
        number += 1
    result.dense(inputs, CLASSES)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output")
    parser.add_argument("--weights", type=int, default=10_000_000, help="about so many; at least 100000")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.weights < 100_000:
        parser.error("--weights must be at least 100000")
    result = network(arguments.weights, arguments.seed)
    onnx.save(result.model(), arguments.output)
    print(result.weights)


if __name__ == "__main__":
    main()
