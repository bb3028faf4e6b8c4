/// One thing that is wrong with a model, or that its owner should know.
///
/// A diagnostic is a value: passes collect them, so that a user sees every problem of a file at once. The wording of
/// each one stands at the foot of the pass that raises it.
public struct Diagnostic: Error, Sendable, Equatable, Codable {
  public enum Severity: String, Sendable, Codable {
    case error, warning, note
  }

  /// Where in the model the problem lies. Names come from the user's file and are escaped when rendered.
  public struct Location: Sendable, Equatable, Codable {
    /// The node's own name, or `<type> #<index>` where the file gives it none.
    public var node: String?
    /// The value (activation or initializer) that is concerned.
    public var tensor: String?

    public init(node: String? = nil, tensor: String? = nil) {
      self.node = node
      self.tensor = tensor
    }
  }

  public var severity: Severity
  /// Stable identifier in kebab case, for scripts and for searching.
  public var code: String
  public var location: Location
  /// What is wrong, and what was expected instead.
  public var message: String
  public var notes: [String]
  /// What to change, in PyTorch where that is where the change belongs.
  public var fix: String?

  public init(
    _ severity: Severity = .error, code: String, location: Location = Location(), message: String,
    notes: [String] = [], fix: String? = nil
  ) {
    self.severity = severity
    self.code = code
    self.location = location
    self.message = message
    self.notes = notes
    self.fix = fix
  }
}

/// All that is wrong with a model. Thrown once, with everything in it.
public struct ModelError: Error, Sendable, Equatable {
  public var diagnostics: [Diagnostic]

  public init(_ diagnostics: [Diagnostic]) {
    self.diagnostics = diagnostics
  }

  public init(_ diagnostic: Diagnostic) {
    self.diagnostics = [diagnostic]
  }
}
