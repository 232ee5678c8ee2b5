internal import Synchronization

/// What `/readyz` says: each condition with the reason why it does not hold. Told by the agent's loop, shown by the server.
public final class Readiness: Sendable {
  public enum Condition: String, CaseIterable, Sendable {
    case policies = "policies loaded"
    case ring = "records taken from the kernel"
    case journal = "journal writable"
  }

  private let missing = Mutex<[Condition: String]>(
    Dictionary(uniqueKeysWithValues: Condition.allCases.map { ($0, "the agent is starting") }))

  public init() {}

  /// - Parameter reason: why it does not hold; nil: it does.
  public func set(_ condition: Condition, missing reason: String?) { missing.withLock { $0[condition] = reason } }

  /// A line for each condition.
  public var report: (isReady: Bool, text: String) {
    let missing = missing.withLock { $0 }
    let lines = Condition.allCases.map { condition in
      missing[condition].map { "no   \(condition.rawValue): \($0)\n" } ?? "ok   \(condition.rawValue)\n"
    }
    return (missing.isEmpty, lines.joined())
  }
}
