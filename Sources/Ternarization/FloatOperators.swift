internal import Diagnostics
internal import ONNXFormat

/// How each operator of a float model is read.
let floatOperators: [String: @Sendable (FloatNode, inout FloatReader) throws(Diagnostic) -> FloatReader.Meaning] = [
  "Conv": readConv, "Gemm": readGemm, "MatMul": readMatMul, "BatchNormalization": readBatchNormalization,
  "Relu": readRelu, "Clip": readClip, "Add": readArithmetic, "Sub": readArithmetic, "Mul": readArithmetic,
  "Div": readArithmetic, "MaxPool": readPool, "AveragePool": readPool, "GlobalAveragePool": readGlobalPool,
  "GlobalMaxPool": readGlobalPool, "ReduceMean": readReduceMean, "Flatten": readFlatten, "Reshape": readReshape,
  "Squeeze": readSqueeze, "Unsqueeze": readListOperator, "Identity": readIdentity, "Dropout": readIdentity,
  "Cast": readCast, "Constant": readConstant, "Transpose": readTranspose, "Shape": readShape, "Gather": readGather,
  "Concat": readConcat, "Softmax": readTrailing, "LogSoftmax": readTrailing, "ArgMax": readTrailing,
]

// MARK: - Diagnostics

extension FloatNode {
  func weightShape(_ tensor: Tensor, _ expected: String) -> Diagnostic {
    problem("shape", "the weights have shape \(tensor.shape): expected \(expected)", tensor: tensor.name)
  }

  func expectedMap(_ shape: [Int]) -> Diagnostic {
    problem(
      "shape", "\(type)'s input has shape \(shape) behind the batch: expected [channels, height, width]",
      tensor: inputName(0))
  }

  func reshape(_ from: [Int], _ to: [Int64]) -> Diagnostic {
    problem(
      "reshape", "\(type) from \(from) to \(to): expected [1, features] or the same shape", tensor: inputName(0),
      fix: "use torch.flatten(x, 1)")
  }
}
