import GraphIR
import ModelBuilding
import ONNXFormat
import Testing

/// Pools, shapes, arithmetic and operators that vanish.
@Suite struct OperatorTests {
  private func last(_ model: ModelBuilder) throws -> GraphIR.Operation? { try operations(model).last }

  // MARK: Pools

  @Test func ceilModeOfAMaximumBecomesPadding() throws {
    let pool = model(input: [1, 1, 7, 8]) {
      $0.node(
        "MaxPool", [$1], ["kernel_shape": .ints([2, 2]), "strides": .ints([2, 2]), "ceil_mode": .int(1)])
    }
    #expect(
      try last(pool) == .maxPool(Window(kernel: (2, 2), stride: (2, 2), padding: Padding(bottom: 1))))
    // A window that would begin behind the map does not count: 1 row, stride 2.
    let single = model(input: [1, 1, 2, 2]) {
      $0.node(
        "MaxPool", [$1], ["kernel_shape": .ints([1, 1]), "strides": .ints([2, 2]), "ceil_mode": .int(1)])
    }
    #expect(try last(single) == .maxPool(Window(kernel: (1, 1), stride: (2, 2))))
  }

  @Test func averagePools() throws {
    let counted = model {
      $0.node(
        "AveragePool", [$1],
        ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1]), "count_include_pad": .int(1)])
    }
    #expect(try kinds(counted) == "quantize averagePool")
    expectRefusal(
      model { $0.node("AveragePool", [$1], ["kernel_shape": .ints([3, 3]), "pads": .ints([1, 1, 1, 1])]) }.bytes,
      "average-pool-padding")
    expectRefusal(
      model {
        $0.node(
          "AveragePool", [$1], ["kernel_shape": .ints([3, 3]), "strides": .ints([2, 2]), "ceil_mode": .int(1)])
      }.bytes, "average-pool-partial")
    expectRefusal(
      model { $0.node("MaxPool", [$1], ["kernel_shape": .ints([2, 2]), "pads": .ints([2, 0, 0, 0])]) }.bytes,
      "attribute")
    expectRefusal(model { $0.node("MaxPool", [$1], ["kernel_shape": .ints([0, 2])]) }.bytes, "attribute")
    expectRefusal(model { $0.node("MaxPool", [$1]) }.bytes, "attribute")
  }

  @Test func globalMeansInAllSpellings() throws {
    let whole = GraphIR.Operation.averagePool(Window(kernel: (8, 8)))
    #expect(try last(model { $0.node("GlobalAveragePool", [$1]) }) == whole)
    #expect(try last(model { $0.node("ReduceMean", [$1], ["axes": .ints([2, 3])]) }) == whole)
    #expect(try last(model { $0.node("ReduceMean", [$1], ["axes": .ints([-1, -2])]) }) == whole)
    #expect(
      try last(model(opset: 18) { $0.node("ReduceMean", [$1, $0.integers([2, 3], [2], type: .int64)]) }) == whole)
    #expect(
      try kinds(model { $0.node("ReduceMean", [$1], ["axes": .ints([2, 3]), "keepdims": .int(0)]) })
        == "quantize averagePool")
    let channels = { (axes: [Int64]) in
      model(input: [1, 2, 8, 8]) { $0.node("ReduceMean", [$1], axes.isEmpty ? [:] : ["axes": .ints(axes)]) }
    }
    expectRefusal(channels([1]).bytes, "reduce-axes")
    expectRefusal(channels([]).bytes, "reduce-axes")
    #expect(try kinds(channels([0, 2, 3])) == "quantize averagePool")
  }

  // MARK: Shapes

  @Test(arguments: [[1, 64], [-1, 64], [1, -1], [0, -1]] as [[Int64]])
  func reshapeIsAFlatten(target: [Int64]) throws {
    let reshape = model {
      let flat = $0.node("Reshape", [$1, $0.integers(target, [2], type: .int64)])
      return $0.node("MatMul", [flat, $0.ternary([64, 2])])
    }
    #expect(try kinds(reshape) == "quantize flatten dense")
  }

  @Test(
    arguments: [[1, 65], [-1, -1], [1, 0], [.min, 1], [.max, .max], [1 << 32, 1 << 32]]
      as [[Int64]])
  func refusesOtherReshapes(target: [Int64]) {
    let reshape = model {
      $0.node(
        "Reshape", [$1, $0.integers(target, [Int64(target.count)], type: .int64)], ["allowzero": .int(1)])
    }
    expectRefusal(reshape.bytes, "reshape")
  }

  /// As many elements, but not what a layer can read.
  @Test func refusesReshapesWhereTheyAreRead() {
    func reading(_ target: [Int64], _ read: (inout ModelBuilder, String) -> String) -> [UInt8] {
      model(input: [1, 2, 8, 8]) {
        let layer = $0.quant($0.node("Conv", [$1, $0.ternary([2, 2, 1, 1])]))
        return read(&$0, $0.node("Reshape", [layer, $0.integers(target, [Int64(target.count)], type: .int64)]))
      }.bytes
    }
    expectRefusal(reading([2, 64]) { $0.node("MatMul", [$1, $0.ternary([64, 2])]) }, "shape")
    expectRefusal(reading([1, 2, 64]) { $0.node("MatMul", [$1, $0.ternary([64, 2])]) }, "one-dimensional")
    expectRefusal(reading([1, 4, 4, 8]) { $0.node("Conv", [$1, $0.ternary([2, 4, 1, 1])]) }, "layout")
    expectRefusal(reading([1, 2, 64]) { $0.node("Conv", [$1, $0.ternary([2, 2, 1])]) }, "one-dimensional")
    expectRefusal(reading([1, 2, 64]) { $0.node("MaxPool", [$1], ["kernel_shape": .ints([2])]) }, "one-dimensional")
  }

  /// `x.view(x.size(0), -1)` as older exporters write it.
  @Test func resolvesTheShapeCluster() throws {
    let cluster = model(input: [nil, 1, 8, 8]) {
      let shape = $0.node("Shape", [$1])
      let batch = $0.node("Gather", [shape, $0.integers([0], [], type: .int64)], ["axis": .int(0)])
      let list = $0.node("Unsqueeze", [batch], ["axes": .ints([0])])
      let rest = $0.node("Constant", [], ["value_ints": .ints([-1])])
      let flat = $0.node("Reshape", [$1, $0.node("Concat", [list, rest], ["axis": .int(0)])])
      return $0.node("MatMul", [flat, $0.ternary([64, 2])])
    }
    #expect(try kinds(cluster) == "quantize flatten dense")
    let sliced = model {
      let shape = $0.node("Shape", [$1])
      let bounds = [$0.integers([0], [1], type: .int64), $0.integers([1], [1], type: .int64)]
      let rest = $0.integers([64], [1], type: .int64)
      let flat = $0.node(
        "Reshape", [$1, $0.node("Concat", [$0.node("Slice", [shape] + bounds), rest], ["axis": .int(0)])])
      return $0.node("MatMul", [flat, $0.ternary([64, 2])])
    }
    #expect(try kinds(sliced) == "quantize flatten dense")
  }

  @Test func nodesWithoutEffectVanish() throws {
    let chain = model {
      var value = $0.node("Identity", [$1])
      value = $0.node("Dropout", [value])
      value = $0.node("Cast", [value], ["to": .int(1)])
      value = $0.node("Transpose", [value], ["perm": .ints([0, 1, 2, 3])])
      value = $0.node("Reshape", [value, $0.integers([1, 1, 8, 8], [4], type: .int64)])
      return $0.node("Relu", [$0.node("Flatten", [value])])
    }
    #expect(try kinds(chain) == "quantize relu")
    let squeezed = model {
      $0.node("Squeeze", [$0.node("GlobalAveragePool", [$1])], ["axes": .ints([2, 3])])
    }
    #expect(try kinds(squeezed) == "quantize averagePool")
    expectRefusal(
      model(input: [1, 2, 8, 8]) { $0.node("Transpose", [$1], ["perm": .ints([0, 2, 3, 1])]) }.bytes, "outputs")
    expectRefusal(model { $0.node("Cast", [$1], ["to": .int(10)]) }.bytes, "cast")
  }

  @Test func aTrailingSoftmaxIsDropped() throws {
    let trailing = model { $0.node("Softmax", [$0.node("Flatten", [$1])]) }
    #expect(try kinds(trailing) == "quantize")
    expectRefusal(model { $0.node("Relu", [$0.node("Softmax", [$1])]) }.bytes, "unsupported-operator")
  }

  // MARK: Arithmetic

  @Test func arithmeticWithConstants() throws {
    let chain = model(input: [1, 2, 8, 8]) {
      var value = $0.node("Sub", [$1, $0.scalar(0.5)])
      value = $0.node("Div", [value, $0.node("Pow", [$0.floats([4, 16], [1, 2, 1, 1]), $0.scalar(0.5)])])
      value = $0.node("Mul", [$0.floats([3], [1]), value])
      value = $0.node("Add", [value, $0.floats([1, 2], [2, 1, 1])])
      return $0.node("Sub", [$0.scalar(1), value])
    }
    #expect(
      try operations(chain).dropFirst() == [
        .arithmetic(Arithmetic(kind: .subtract, constants: [ExactConstant(scale: 0.5)])),
        .arithmetic(Arithmetic(kind: .divide, constants: [ExactConstant(scale: 2), ExactConstant(scale: 4)])),
        .arithmetic(Arithmetic(kind: .multiply, constants: [ExactConstant(scale: 3)])),
        .arithmetic(Arithmetic(kind: .add, constants: [ExactConstant(scale: 1), ExactConstant(scale: 2)])),
        .arithmetic(Arithmetic(kind: .subtractFrom, constants: [ExactConstant(scale: 1)])),
      ])
  }

  @Test func constantsAreFoldedInFloat32() throws {
    let folded = model {
      $0.node(
        "Mul", [$1, $0.node("Div", [$0.scalar(1), $0.node("Sqrt", [$0.node("Add", [$0.scalar(3), $0.scalar(1)])])])])
    }
    #expect(
      try last(folded) == .arithmetic(Arithmetic(kind: .multiply, constants: [ExactConstant(scale: 0.5)])))
  }

  @Test func refusesOtherArithmetic() {
    expectRefusal(
      model {
        $0.node(
          "Add",
          [$0.node("MaxPool", [$1], ["kernel_shape": .ints([1, 1])]), $0.floats([1, 2, 3, 4, 5, 6, 7, 8], [8])])
      }.bytes, "constant-shape")
    expectRefusal(model { $0.node("Div", [$1, $0.scalar(0)]) }.bytes, "not-finite")
    expectRefusal(model { $0.node("Div", [$0.scalar(1), $1]) }.bytes, "divided-constant")
    expectRefusal(model { $0.node("Mul", [$1, $0.scalar(.nan)]) }.bytes, "not-finite")
    expectRefusal(model { $0.node("Mul", [$0.node("Relu", [$1]), $1]) }.bytes, "product-of-activations")
  }

  @Test func clipsBetweenConstants() throws {
    let inputs = model { $0.node("Clip", [$1, $0.scalar(0), $0.scalar(6)]) }
    #expect(try last(inputs) == .clip(minimum: 0, maximum: 6))
    let attributes = model(opset: 10) { $0.node("Clip", [$1], ["min": .float(0), "max": .float(6)]) }
    #expect(try last(attributes) == .clip(minimum: 0, maximum: 6))
    let open = model { $0.node("Clip", [$1, "", $0.scalar(6)]) }
    #expect(try last(open) == .clip(minimum: nil, maximum: 6))
    expectRefusal(model { $0.node("Clip", [$1, $0.scalar(2), $0.scalar(1)]) }.bytes, "clip-bounds")
    expectRefusal(model { $0.node("Clip", [$1, $0.scalar(.nan)]) }.bytes, "clip-bounds")
  }

  @Test func batchNormalizationOfMapsAndFeatures() throws {
    for input in [[1, 2, 8, 8], [1, 2]] as [[Int64?]] {
      let normalized = model(input: input) { model, value in
        let parameters = (1...4).map { model.floats([Float($0), 1], [2]) }
        return model.node("BatchNormalization", [value] + parameters)
      }
      #expect(
        try last(normalized)
          == .batchNormalization(
            BatchNormalization(gamma: [1, 1], beta: [2, 1], mean: [3, 1], variance: [4, 1], epsilon: 1e-5)))
    }
    for (variance, code) in [([1, -1], "variance"), ([1, .nan], "not-finite"), ([1], "shape")] as [([Float], String)] {
      let broken = model(input: [1, 2]) { model, value in
        var parameters = (1...3).map { model.floats([Float($0), 1], [2]) }
        parameters.append(model.floats(variance, [Int64(variance.count)]))
        return model.node("BatchNormalization", [value] + parameters)
      }
      expectRefusal(broken.bytes, code)
    }
  }
}
