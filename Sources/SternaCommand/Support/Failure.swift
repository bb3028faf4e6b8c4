import ArgumentParser
import Diagnostics
import Sterna

/// Exit codes beyond 0 and ArgumentParser's 64.
enum Exit {
  static let cannotCompile = ExitCode(1)
  static let mismatch = ExitCode(2)
  static let unreadableInput = ExitCode(66)
  static let missingTool = ExitCode(69)
  static let internalError = ExitCode(70)
  static let cannotWrite = ExitCode(73)
}

extension AsyncParsableCommand {
  /// Runs a verb's body; whatever it throws becomes a message on stderr and the right exit code.
  ///
  /// - Parameter file: The model's name as diagnostics show it.
  func reporting(_ file: String, _ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as ModelError {
      for diagnostic in error.diagnostics { Console.say(diagnostic.rendered(file: file, color: Console.usesColor)) }
      let isInternal = error.diagnostics.contains { $0.code.hasPrefix("internal-") }
      let isInputOnly = error.diagnostics.allSatisfy { $0.code.hasPrefix("calibration-") }
      throw isInternal ? Exit.internalError : isInputOnly ? Exit.unreadableInput : Exit.cannotCompile
    } catch let error as InputFileError {
      Console.say("sterna: error: \(error)")
      throw Exit.unreadableInput
    } catch let error as NPYFailure {
      Console.say("sterna: error: \(error)")
      throw Exit.unreadableInput
    } catch let error as SamplesError {
      Console.say("sterna: error: \(error)")
      throw Exit.unreadableInput
    } catch let error as OutputFilesError {
      Console.say("sterna: error: \(error)")
      throw Exit.cannotWrite
    } catch let error as ToolchainError {
      Console.say("sterna: error: \(error)")
      switch error {
      case .missing: throw Exit.missingTool
      case .doesNotFit: throw Exit.cannotCompile
      case .unwritable: throw Exit.cannotWrite
      case .compilationFailed, .measurementFailed, .timedOut: throw Exit.internalError
      }
    } catch let code as ExitCode {
      throw code
    } catch let error as ValidationError {
      throw error
    } catch {
      Console.say("sterna: internal error: \(error)")
      throw Exit.internalError
    }
  }
}

/// A `.npy` file's name beside what is wrong with it.
struct NPYFailure: Error, CustomStringConvertible {
  var path: String
  var error: NPYError
  var description: String { "\(path): \(error.description)" }
}
