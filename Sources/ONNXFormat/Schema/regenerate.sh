#!/bin/sh
# Regenerates Sources/ONNXFormat/onnx_subset.pb.swift from onnx_subset.proto. For maintainers; a build does not need it.
#
# Needs protoc (apt install protobuf-compiler). The Swift generator is built from the very swift-protobuf that
# Package.resolved names, so generated code and runtime library agree; that takes some minutes the first time.
set -eu
cd "$(dirname "$0")/../../.."

swift package --scratch-path .build-protoc resolve
# As a separate package, because a root package builds only its own products.
nice swift build --package-path .build-protoc/checkouts/swift-protobuf --scratch-path .build-protoc/generator \
  --configuration debug --product protoc-gen-swift

protoc \
  --plugin=protoc-gen-swift=.build-protoc/generator/debug/protoc-gen-swift \
  --proto_path=Sources/ONNXFormat/Schema \
  --swift_out=Sources/ONNXFormat \
  --swift_opt=Visibility=Package \
  --swift_opt=UseAccessLevelOnImports=true \
  onnx_subset.proto
