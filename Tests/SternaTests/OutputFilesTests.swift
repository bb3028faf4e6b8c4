import FoundationEssentials
import Sterna
import Testing

@Suite struct OutputFilesTests {
  @Test func writesAllAndMakesDirectories() throws {
    try withDirectory { directory in
      var files = OutputFiles()
      files.add("\(directory)/a/b/one.c", "one")
      files.add("\(directory)/a/two.h", "two")
      try files.write()
      #expect(try listing(directory) == ["a", "a/b", "a/b/one.c", "a/two.h"])
      #expect(text("\(directory)/a/b/one.c") == "one")
    }
  }

  @Test func replacesOldFiles() throws {
    try withDirectory { directory in
      for content in ["first", "second"] {
        var files = OutputFiles()
        files.add("\(directory)/x", content)
        try files.write()
        #expect(text("\(directory)/x") == content)
      }
      #expect(try listing(directory) == ["x"])
    }
  }

  @Test func failureLeavesEverythingAsItWas() throws {
    try withDirectory { directory in
      var old = OutputFiles()
      old.add("\(directory)/x", "old")
      try old.write()
      try FileManager.default.createDirectory(atPath: "\(directory)/taken", withIntermediateDirectories: false)

      var files = OutputFiles()
      files.add("\(directory)/x", "new")
      files.add("\(directory)/fresh/y", "new")
      files.add("\(directory)/taken", "new")
      #expect(failure(of: files) == "\(directory)/taken: is a directory: expected a place for a file")
      #expect(try listing(directory) == ["taken", "x"])
      #expect(text("\(directory)/x") == "old")
    }
  }

  /// The last step fails after the others have been renamed already: a device that is always full.
  @Test func lateFailureIsUndone() throws {
    try withDirectory { directory in
      var old = OutputFiles()
      old.add("\(directory)/x", "old")
      try old.write()

      var files = OutputFiles()
      files.add("\(directory)/x", "new")
      files.add("\(directory)/fresh/y", "new")
      files.add("/dev/full", "new")
      #expect(failure(of: files) == "/dev/full: can not be written: No space left on device")
      #expect(try listing(directory) == ["x"])
      #expect(text("\(directory)/x") == "old")
    }
  }

  @Test func fileInTheWayOfADirectory() throws {
    try withDirectory { directory in
      var files = OutputFiles()
      files.add("\(directory)/x", "a")
      try files.write()
      var below = OutputFiles()
      below.add("\(directory)/x/y", "b")
      #expect(failure(of: below) == "\(directory)/x/y: can not be written: Not a directory")
    }
  }

  @Test func onePathTwice() throws {
    try withDirectory { directory in
      var files = OutputFiles()
      files.add("\(directory)/x", "a")
      files.add("\(directory)/./x", "b")
      #expect(failure(of: files) == "\(directory)/./x: two outputs have this path")
      let left = try listing(directory)
      #expect(left.isEmpty)
    }
  }

  @Test func symbolicLinksStayLinks() throws {
    try withDirectory { directory in
      var files = OutputFiles()
      files.add("\(directory)/real", "old")
      try files.write()
      try FileManager.default.createSymbolicLink(
        atPath: "\(directory)/link", withDestinationPath: "\(directory)/real")
      var through = OutputFiles()
      through.add("\(directory)/link", "new")
      try through.write()
      #expect(text("\(directory)/real") == "new")
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(directory)/link") == "\(directory)/real")
    }
  }

  @Test func devicesAreNotReplaced() throws {
    var files = OutputFiles()
    files.add("/dev/null", "x")
    try files.write()
    #expect(try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type] as? FileAttributeType != .typeRegular)
  }

  private func failure(of files: OutputFiles) -> String? {
    do {
      try files.write()
      return nil
    } catch {
      return error.description
    }
  }
}

@Suite struct InputFileTests {
  @Test func readsWhole() throws {
    try withDirectory { directory in
      let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
      var files = OutputFiles()
      files.add("\(directory)/x", bytes)
      try files.write()
      #expect(try InputFile.read("\(directory)/x") == bytes)
      #expect(try InputFile.read("\(directory)/x", limit: 200_000) == bytes)
      #expect(
        failure("\(directory)/x", limit: 199_999)
          == "\(directory)/x: is larger than 199999 bytes, the most that is read")
    }
  }

  @Test func whatIsNoFile() throws {
    try withDirectory { directory in
      #expect(failure("\(directory)/none") == "\(directory)/none: there is no such file")
      #expect(failure(directory) == "\(directory): is a directory: expected a file")
    }
  }

  /// Endless sources end at the limit.
  @Test func endlessFiles() {
    #expect(failure("/dev/zero", limit: 1000) == "/dev/zero: is larger than 1000 bytes, the most that is read")
  }

  @Test func messages() {
    #expect(InputFileError(path: "a", reason: .permission).description == "a: may not be read: permission denied")
    #expect(InputFileError(path: "-", reason: .tooLarge(limit: 5)).description.hasPrefix("standard input: "))
  }

  private func failure(_ path: String, limit: Int = InputFile.defaultLimit) -> String? {
    do {
      _ = try InputFile.read(path, limit: limit)
      return nil
    } catch {
      return error.description
    }
  }
}

/// Runs `body` with a new directory that is removed afterwards.
private func withDirectory(_ body: (String) throws -> Void) throws {
  let directory = FileManager.default.temporaryDirectory.path + "/sterna-files-\(UUID().uuidString)"
  try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: directory) }
  try body(directory)
}

private func listing(_ directory: String) throws -> [String] {
  try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
}

private func text(_ path: String) -> String? {
  FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
}
