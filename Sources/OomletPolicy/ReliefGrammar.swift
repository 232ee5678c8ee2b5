public import OomletModel
internal import OomletYAML

/// The grammar of `relief`, of an annotation and of the node's configuration.
public enum ReliefGrammar {
  /// Those that each kind of stage takes besides `stage` and `at` are named in the summary.
  public static let keys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "stage", expected: oneOf(ReliefStage.Kind.allCases.map(\.rawValue)), fallback: "none", summary: "what is done"),
    PolicyGrammar.Key(
      name: "at", expected: Quantity.percentageForm, fallback: "none",
      summary: "share of the time in which tasks stall from which on it is done: at most that of pressure, "
        + "at least that of the stage before"),
    PolicyGrammar.Key(
      name: "amount", expected: amountForm, fallback: "64Mi", summary: "reclaim, delete: how much to free"),
    PolicyGrammar.Key(
      name: "files", expected: filesForm, fallback: "none",
      summary: "delete: which files, as the container sees them; those in tmpfs mounts of its own"),
    PolicyGrammar.Key(
      name: "signal", expected: oneOf(ReliefSignal.allCases.map(\.rawValue)), fallback: "SIGTERM", summary: "signal: which"),
    PolicyGrammar.Key(
      name: "to", expected: oneOf(ReliefTarget.allCases.map(\.rawValue)), fallback: "victim",
      summary: "signal: the process that would die now, or the container's first"),
    PolicyGrammar.Key(
      name: "deadline", expected: deadlineForm, fallback: "5s", summary: "reclaim, delete: when to give up"),
    PolicyGrammar.Key(
      name: "grace", expected: deadlineForm, fallback: "10s", summary: "signal: how long the process has before the next stage"),
  ]

  static let common = ["stage", "at"]
  static func keys(of kind: ReliefStage.Kind) -> [String] {
    switch kind {
    case .reclaim: common + ["amount", "deadline"]
    case .delete: common + ["files", "amount", "deadline"]
    case .signal: common + ["signal", "to", "grace"]
    }
  }

  static let listForm = "a list of at most \(ReliefStage.limit) mappings, see below"
  static let amountForm = "\(Quantity.sizeForm), from 64Ki to 1Ti"
  static let amounts: ClosedRange<UInt64> = 1 << 16...1 << 40
  static let deadlineForm = "a duration from 100ms to 5m"
  static let deadlines: ClosedRange<UInt64> = 100_000_000...300_000_000_000
  static let filesForm = "a list of at most 16 absolute paths with * such as /tmp/cache/**"
  static let mostFiles = 16

  /// What ``text(of:)`` has written; nil: something else.
  public static func parse(_ text: String) -> [ReliefStage]? {
    guard let root = try? YAMLReader.documents(Array(text.utf8), limits: PolicyGrammar.limits).first else { return nil }
    var reader = MappingReader()
    let stages = reader.relief(root, "relief", below: nil)
    return reader.problems.isEmpty ? stages : nil
  }

  /// In the grammar's own words.
  public static func text(of stages: [ReliefStage]) -> String {
    "["
      + stages.map { stage in
        let rest =
          switch stage.action {
          case .reclaim(let bytes): "amount: \(bytes)B, deadline: \(stage.deadline / 1_000_000)ms"
          case .delete(let files, let bytes):
            "files: [\(files.map { quotedForYAML($0.description) }.joined(separator: ", "))], amount: \(bytes)B, "
              + "deadline: \(stage.deadline / 1_000_000)ms"
          case .signal(let signal, let target):
            "signal: \(signal.rawValue), to: \(target.rawValue), grace: \(stage.deadline / 1_000_000)ms"
          }
        return "{stage: \(stage.action.kind.rawValue), at: \(percentage(stage.permille)), \(rest)}"
      }.joined(separator: ", ") + "]"
  }

  /// Single-quoted: only that quote is special (YAML 1.1, 5.3).
  private static func quotedForYAML(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
  }
}

extension MappingReader {
  /// Beside a `pressure`: what there is before it.
  mutating func relief(_ node: YAMLNode, _ key: String, of pressure: YAMLNode?, _ limit: PressureRequest?) -> [ReliefStage]? {
    let stages = relief(node, key, below: limit?.permille)
    if pressure == nil { add(node.problem("\(key): nothing to be before: expected pressure beside it")) }
    return stages
  }

  /// - Parameter limit: the pressure from which on it is an OOM, in thousandths; nil: not known.
  fileprivate mutating func relief(_ node: YAMLNode, _ key: String, below limit: UInt32?) -> [ReliefStage]? {
    guard let items = list(node, key, expected: ReliefGrammar.listForm) else { return nil }
    guard items.count <= ReliefStage.limit else {
      add(node.problem("\(key): \(items.count) entries: expected at most \(ReliefStage.limit)"))
      return nil
    }
    var stages: [ReliefStage] = []
    for (i, item) in items.enumerated() {
      guard let stage = stage(item, "\(key)[\(i + 1)]", from: stages.last?.permille, below: limit) else { continue }
      stages.append(stage)
    }
    return stages.count == items.count ? stages : nil
  }

  private mutating func stage(_ node: YAMLNode, _ key: String, from least: UInt32?, below limit: UInt32?) -> ReliefStage? {
    guard case .mapping(let all) = node.value else {
      add(node.problem("\(key): \(node.shown): expected a mapping with stage and at"))
      return nil
    }
    let kind = all.first { $0.key == "stage" }.map { choice($0.value, "\(key).stage", ReliefStage.Kind.self) }
    let before = problems.count
    let keys = kind.flatMap { $0 }.map(ReliefGrammar.keys(of:)) ?? ReliefGrammar.keys.map(\.name)
    let members = members(node, keys: keys, of: kind.flatMap { $0 }.map { "stage \($0.rawValue)" } ?? "a stage")
    guard let kind else {
      add(node.problem("\(key): no stage: expected stage, one of \(oneOf(ReliefStage.Kind.allCases.map(\.rawValue)))"))
      return nil
    }
    let at = at(members["at"], key, of: node, from: least, below: limit)
    guard let kind else { return nil }
    let action: ReliefStage.Action
    let fallback: UInt64
    switch kind {
    case .reclaim: (action, fallback) = (.reclaim(amount(members["amount"], key)), 5)
    case .delete: (action, fallback) = (.delete(files(members["files"], key, of: node), amount(members["amount"], key)), 5)
    case .signal:
      let signal = members["signal"].map { choice($0, "\(key).signal", ReliefSignal.self) } ?? .term
      let target = members["to"].map { choice($0, "\(key).to", ReliefTarget.self) } ?? .victim
      (action, fallback) = (.signal(signal ?? .term, target ?? .victim), 10)
    }
    let deadline = deadline(members, key) ?? fallback * 1_000_000_000
    guard problems.count == before, let at else { return nil }
    return ReliefStage(action, from: at, deadline: deadline)
  }

  private mutating func at(
    _ node: YAMLNode?, _ key: String, of stage: YAMLNode, from least: UInt32?, below limit: UInt32?
  ) -> UInt32? {
    guard let node else {
      add(stage.problem("\(key): no threshold: expected at with \(Quantity.percentageForm)"))
      return nil
    }
    guard let value = quantity(node, "\(key).at", Quantity.percentageForm, Quantity.permille) else { return nil }
    let form = { (bound: String) in "\(key).at: \(node.shown) \(bound)" }
    if value == 0 {
      add(node.problem(form("is always exceeded: expected more than 0%")))
    } else if let least, value < least {
      add(node.problem(form("is below the stage before: expected at least \(percentage(least))")))
    } else if let limit, value > limit {
      add(node.problem(form("is above the pressure that is an OOM: expected at most \(percentage(limit))")))
    }
    return value
  }

  private mutating func amount(_ node: YAMLNode?, _ key: String) -> UInt64 {
    guard let node else { return 64 << 20 }
    return quantity(node, "\(key).amount", ReliefGrammar.amountForm) {
      Quantity.size($0).flatMap { ReliefGrammar.amounts.contains($0) ? $0 : nil }
    } ?? 0
  }

  private mutating func deadline(_ members: [String: YAMLNode], _ key: String) -> UInt64? {
    for name in ["deadline", "grace"] {
      guard let node = members[name] else { continue }
      return quantity(node, "\(key).\(name)", ReliefGrammar.deadlineForm) {
        Quantity.duration($0).flatMap { ReliefGrammar.deadlines.contains($0) ? $0 : nil }
      }
    }
    return nil
  }

  private mutating func files(_ node: YAMLNode?, _ key: String, of stage: YAMLNode) -> [PathGlob] {
    let expected = ReliefGrammar.filesForm
    guard let node else {
      add(stage.problem("\(key): no files: expected files with \(expected)"))
      return []
    }
    guard let items = list(node, "\(key).files", expected: expected) else { return [] }
    guard (1...ReliefGrammar.mostFiles).contains(items.count) else {
      add(node.problem("\(key).files: \(items.count) entries: expected \(expected)"))
      return []
    }
    return items.compactMap { item in
      guard let text = text(item, "\(key).files", expected: expected) else { return nil }
      guard text.utf8.first == UInt8(ascii: "/") else {
        add(item.problem("\(key).files: \(item.shown): expected an absolute path; did you mean \(quoted("/" + text))?"))
        return nil
      }
      return glob(item, "\(key).files", of: "file", expected: "a path with * such as /tmp/cache/**")
    }
  }
}
