import FoundationEssentials

@testable import SternaCommand

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// The folder of `RuntimeObjects` of these tests, removed at their end: compilation is what they wait for.
let sharedObjects: String = {
  if let folder = RuntimeObjects.folder { return folder }
  let folder = FileManager.default.temporaryDirectory.path + "/sterna-objects-\(UUID().uuidString)"
  atexit { try? FileManager.default.removeItem(atPath: sharedObjects) }
  return folder
}()
