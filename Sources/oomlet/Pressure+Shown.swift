import Glibc
import OomletBPF
import OomletJSON
import OomletModel
import OomletSystem

/// Each is told why it is not measured; nil: it is.
extension Pressure {
  /// How it is, and what it may be: `full 3.5% of 40%`.
  func shares(_ problem: Failure?) -> String {
    // Nobody looks while all tasks are idle
    let current = problem != nil ? "unavailable" : isCurrent ? percentage(permille ?? 0) : "0%"
    return "\(limit.kind.rawValue) \(current) of \(percentage(limit.permille))"
  }

  func summary(_ problem: Failure?) -> String {
    var text = shares(problem) + ", over \(seconds(limit.window)) for \(seconds(limit.holdFor))"
    if limit.availablePermille > 0 { text += " while less than \(percentage(limit.availablePermille)) of RAM is available" }
    if let since { text += "; above for \(age(elapsed(since: since, now: now)))" }
    if let declaredAt { text += "; last OOM \(age(elapsed(since: declaredAt, now: now))) ago" }
    return problem.map { "\(text); \($0)" } ?? text
  }

  func json(_ problem: Failure?) -> JSON {
    .object([
      ("kind", .string(limit.kind.rawValue)),
      ("permille", problem == nil ? .integer(Int64(isCurrent ? permille ?? 0 : 0)) : .null),
      ("unavailable", problem.map { .string($0.description) } ?? .null),
      ("limit_permille", .integer(Int64(limit.permille))), ("over_ns", time(limit.window)), ("for_ns", time(limit.holdFor)),
      ("cooldown_ns", time(limit.cooldown)), ("available_permille", .integer(Int64(limit.availablePermille))),
      ("dry_run", .bool(dryRun)), ("above_for_ns", since.map { time(elapsed(since: $0, now: now)) } ?? .null),
      ("last_oom_ns_ago", declaredAt.map { time(elapsed(since: $0, now: now)) } ?? .null),
    ])
  }

  private var now: UInt64 { clockNanoseconds(CLOCK_BOOTTIME) }
  private var isCurrent: Bool { lookedAt.map { elapsed(since: $0, now: now) < limit.window } ?? false }
  private func time(_ nanoseconds: UInt64) -> JSON { .integer(Int64(clamping: nanoseconds)) }
}
