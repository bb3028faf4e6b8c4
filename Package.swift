// swift-tools-version: 6.1
import PackageDescription

// The dependency lists below are the architecture: a module that must not see another does not name it here.
// Above all, ReferenceInterpreter and CEmission stay apart, or the bit-exact tests would compare a thing with itself.
let package = Package(
  name: "sterna",
  products: [
    .executable(name: "sterna", targets: ["SternaCommand"]),
    .library(name: "Sterna", targets: ["Sterna"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", exact: "1.39.0"),
    .package(url: "https://github.com/attaswift/BigInt", exact: "6.0.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", exact: "1.0.2"),
  ],
  targets: [
    // Values that describe what is wrong with a user's file, and their renderers.
    .target(name: "Diagnostics"),

    // Reading: file -> ModelProto -> Graph.
    .target(
      name: "ONNXFormat",
      dependencies: ["Diagnostics", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["Schema"]),
    .target(name: "GraphIR", dependencies: ["Diagnostics"]),
    .target(name: "ONNXImport", dependencies: ["Diagnostics", "ONNXFormat", "GraphIR"]),

    // Meaning: Graph -> integer-only network, and what it computes.
    .target(name: "TernaryIR", dependencies: ["Diagnostics"]),
    .target(
      name: "Lowering",
      dependencies: ["Diagnostics", "GraphIR", "TernaryIR", .product(name: "BigInt", package: "BigInt")]),
    .target(name: "ReferenceInterpreter", dependencies: ["TernaryIR"]),

    // A float model made ternary without training: ONNX in, QONNX out. It shares nothing with the way to C, so that what
    // it writes is compiled like any other file.
    .target(name: "Ternarization", dependencies: ["Diagnostics", "ONNXFormat"]),

    // Writing: network -> plan -> C.
    .target(name: "Scheduling", dependencies: ["Diagnostics", "TernaryIR"]),
    .target(
      name: "Templates",
      path: "Templates",
      resources: [.embedInCode("kernels"), .embedInCode("targets")]),
    .target(name: "CEmission", dependencies: ["Scheduling", "Templates"], exclude: ["README.md"]),

    // The tool.
    .target(
      name: "Sterna",
      dependencies: [
        "Diagnostics", "ONNXFormat", "GraphIR", "ONNXImport", "TernaryIR", "Lowering", "ReferenceInterpreter",
        "Scheduling", "CEmission", "Templates", "Ternarization",
      ],
      exclude: ["BuiltIn/embed.py"]),
    .executableTarget(
      name: "SternaCommand",
      dependencies: [
        "Sterna", "Diagnostics", "Scheduling", "ReferenceInterpreter", "Templates", "TernaryIR", "Ternarization",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),

    // What several test targets need: seeded random networks and their inputs.
    .target(
      name: "TestSupport", dependencies: ["Sterna", "Scheduling", "TernaryIR", "ReferenceInterpreter"],
      path: "Tests/TestSupport"),
    .testTarget(
      name: "SternaTests",
      dependencies: [
        "Sterna", "GraphIR", "ONNXImport", "Lowering", "Scheduling", "ReferenceInterpreter", "TernaryIR", "Diagnostics",
        "TestSupport",
        "ModelBuilding",
      ]),
    .testTarget(
      name: "SchedulingTests",
      dependencies: [
        "Sterna", "Scheduling", "Diagnostics", "ReferenceInterpreter", "TernaryIR", "TestSupport",
      ]),
    .testTarget(
      name: "CEmissionTests",
      dependencies: [
        "CEmission", "Scheduling", "ReferenceInterpreter", "Sterna", "Templates", "TernaryIR", "TestSupport",
        "ModelBuilding",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      exclude: ["Golden"]),
    .testTarget(name: "TernaryIRTests", dependencies: ["TernaryIR", "TestSupport", "Scheduling"]),
    .testTarget(name: "ReferenceInterpreterTests", dependencies: ["ReferenceInterpreter", "TernaryIR"]),
    .testTarget(
      name: "LoweringTests",
      dependencies: [
        "Lowering", "GraphIR", "TernaryIR", "ReferenceInterpreter", "TestSupport",
        .product(name: "BigInt", package: "BigInt"),
      ]),
    .testTarget(
      name: "SternaCommandTests",
      dependencies: [
        "SternaCommand", "Sterna", "Scheduling", "Templates", "TernaryIR", "TestSupport",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ],
      exclude: ["Fixtures"]),
    // Tests. ModelBuilding writes small ONNX models and finds the fixtures.
    .target(
      name: "ModelBuilding",
      dependencies: ["ONNXFormat", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
      path: "Tests/ModelBuilding"),
    .testTarget(name: "GraphIRTests", dependencies: ["Diagnostics", "GraphIR"]),
    .testTarget(name: "ONNXFormatTests", dependencies: ["Diagnostics", "ONNXFormat", "ModelBuilding"]),
    .testTarget(
      name: "ONNXImportTests",
      dependencies: [
        "Diagnostics", "ONNXFormat", "GraphIR", "ONNXImport", "Lowering", "TernaryIR", "ReferenceInterpreter",
        "ModelBuilding",
      ]),
    .testTarget(
      name: "TernarizationTests",
      dependencies: [
        "Ternarization", "Sterna", "Diagnostics", "ONNXFormat", "Scheduling", "ReferenceInterpreter", "TernaryIR",
        "ModelBuilding",
      ]),
  ],
  swiftLanguageModes: [.v6]
)

// Tests/run.sh sets this: what plans, emits and interprets is optimized, so that hundreds of networks a test take seconds, and
// still traps where numbers overflow. A setting of its own, since packages with such flags can not be depended on.
if Context.environment["STERNA_OPTIMIZED_TESTS"] != nil {
  let optimized = [
    "Diagnostics", "ONNXFormat", "GraphIR", "ONNXImport", "TernaryIR", "Lowering", "ReferenceInterpreter",
    "Ternarization", "Scheduling", "CEmission", "Sterna", "TestSupport",
    "CEmissionTests",
  ]
  for target in package.targets where optimized.contains(target.name) {
    target.swiftSettings = [.unsafeFlags(["-O"])]
  }
}
