/// Exit statuses, the same in all of oomlet's programs.
public enum ExitStatus: Int32, CaseIterable, Sendable {
  case done = 0
  case failed = 1
  case usage = 2
  /// An annotation, a policy or a configuration is invalid.
  case invalid = 3
  /// The kernel or the node can't, and it was required.
  case unsupported = 4
  /// Another policy is there already.
  case occupied = 5
  case notPermitted = 6
  case notFound = 7
  case deadline = 124
}

/// What went wrong, to what, and what to do, in one line that is complete in itself, and printable whatever it quotes.
public struct Failure: Error, Equatable, CustomStringConvertible {
  public let status: ExitStatus
  public let description: String

  public init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = printable(description, limit: .max)
  }
}
