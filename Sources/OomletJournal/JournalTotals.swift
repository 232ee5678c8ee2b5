internal import Glibc
internal import OomletJSON
public import OomletModel
internal import OomletSystem

/// How many records there have ever been on this node, of each kind, and how long the decisions took.
public struct JournalTotals: Equatable, Sendable {
  public struct Kind: Hashable, Sendable {
    public var policy: String
    public var trigger: KillRecord.Trigger
    public var level: KillRecord.Level
    public var outcome: KillRecord.Outcome

    public init(policy: String, trigger: KillRecord.Trigger, level: KillRecord.Level, outcome: KillRecord.Outcome) {
      (self.policy, self.trigger, self.level, self.outcome) = (policy, trigger, level, outcome)
    }
  }

  /// Upper bounds, in ns.
  public static let decisionBounds: [UInt64] = [
    5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 50_000_000,
    250_000_000,
  ]
  /// More names than a node has policies; those after it are counted as ``other``.
  static let mostPolicies = 256
  public static let other = "other"

  public private(set) var kinds: [Kind: UInt64] = [:]
  /// Decisions up to each of ``decisionBounds`` and above the one before it; the last: above all.
  public private(set) var decisions = [UInt64](repeating: 0, count: decisionBounds.count + 1)
  public private(set) var decisionNanoseconds: UInt64 = 0

  public init() {}

  public mutating func add(_ record: KillRecord) {
    add(1, Kind(policy: record.policy, trigger: record.trigger, level: record.level, outcome: record.outcome))
    decisions[JournalTotals.decisionBounds.firstIndex { record.decisionNanoseconds <= $0 } ?? decisions.count - 1] &+= 1
    decisionNanoseconds &+= record.decisionNanoseconds
  }

  private mutating func add(_ count: UInt64, _ kind: Kind) {
    var kind = kind
    if kinds[kind] == nil, PolicyName(kind.policy) == nil || Set(kinds.keys.map(\.policy)).count >= JournalTotals.mostPolicies {
      kind.policy = JournalTotals.other
    }
    kinds[kind, default: 0] &+= count
  }
}

/// The totals of all files put aside, up to the one with a number. Records of files that are removed stay counted.
struct StoredTotals: Equatable {
  var through: UInt64 = 0
  var totals = JournalTotals()

  /// Nothing if there is no such file.
  ///
  /// - Parameter complain: called if it can't be read, which is as if there were none.
  init(_ path: String, complain: (Failure) -> Void = { _ in }) {
    guard let bytes = contents(of: path) else {
      if errno != ENOENT { complain(Failure(.failed, systemError("cannot read \(path)"))) }
      return
    }
    guard let json = try? JSON(parsing: bytes), let through = json["through"]?.unsigned, let totals = JournalTotals(json: json)
    else {
      complain(Failure(.failed, "\(path) is damaged: records of files that are removed are no longer counted in metrics"))
      return
    }
    (self.through, self.totals) = (through, totals)
  }

  func write(_ path: String) throws(Failure) {
    let json = JSON.object([("through", .integer(Int64(clamping: through)))] + totals.members)
    try replaceFile(path, with: json.encoded() + [UInt8(ascii: "\n")], mode: 0o640, durably: true)
  }
}

extension JournalTotals {
  fileprivate var members: [(key: String, value: JSON)] {
    let sorted = kinds.sorted { "\($0.key)" < "\($1.key)" }
    return [
      (
        "records",
        .array(
          sorted.map { kind, count in
            .object([
              ("policy", .string(kind.policy)), ("trigger", .string(kind.trigger.rawValue)),
              ("level", .string(kind.level.rawValue)),
              ("outcome", .string(kind.outcome.rawValue)), ("count", .integer(Int64(clamping: count))),
            ])
          })
      ),
      ("decision_bounds_ns", .array(JournalTotals.decisionBounds.map { .integer(Int64($0)) })),
      ("decisions", .array(decisions.map { .integer(Int64(clamping: $0)) })),
      ("decision_ns", .integer(Int64(clamping: decisionNanoseconds))),
    ]
  }

  fileprivate init?(json: JSON) {
    guard let records = json["records"]?.array else { return nil }
    for entry in records {
      guard let policy = entry["policy"]?.string, let trigger = entry["trigger"]?.string.flatMap(KillRecord.Trigger.init),
        let level = entry["level"]?.string.flatMap(KillRecord.Level.init),
        let outcome = entry["outcome"]?.string.flatMap(KillRecord.Outcome.init), let count = entry["count"]?.unsigned
      else { continue }
      add(count, Kind(policy: policy, trigger: trigger, level: level, outcome: outcome))
    }
    // Of another version's bounds nothing can be made
    let bounds = json["decision_bounds_ns"]?.array?.compactMap(\.unsigned)
    let decisions = json["decisions"]?.array?.compactMap(\.unsigned)
    guard bounds == JournalTotals.decisionBounds, let decisions, decisions.count == self.decisions.count else { return }
    self.decisions = decisions
    decisionNanoseconds = json["decision_ns"]?.unsigned ?? 0
  }
}
