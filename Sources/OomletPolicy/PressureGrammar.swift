public import OomletModel
internal import OomletYAML

/// The grammar of `pressure`, of an annotation and of the node's configuration.
public enum PressureGrammar {
  public static let keys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "some", expected: Quantity.percentageForm, fallback: "none", summary: "share of the time in which some tasks stall"),
    PolicyGrammar.Key(
      name: "full", expected: Quantity.percentageForm, fallback: "none",
      summary: "share of the time in which all tasks stall; one of some and full"),
    PolicyGrammar.Key(
      name: "over", expected: "a duration from 2s to 5m", fallback: "10s", summary: "the time the share is taken over"),
    PolicyGrammar.Key(name: "for", expected: "a duration from 0s to 30m", fallback: "20s", summary: "how long it must hold"),
    PolicyGrammar.Key(
      name: "cooldown", expected: "a duration from 1s to 24h", fallback: "60s", summary: "how long to wait after a kill"),
  ]

  /// Of the whole system only.
  public static let available = PolicyGrammar.Key(
    name: "available", expected: shareForm, fallback: "15%",
    summary: "only while less than this share of RAM is available: what is neither in use by processes or the kernel, "
      + "nor files that are read again and again")

  /// As the mapping would say it, key by key; what is left out is as it was before.
  ///
  /// - Throws: ``ExitStatus/invalid``.
  public static func limit(
    _ given: [(key: String, value: String)], before: PressureRequest?, of place: Place = .container
  ) throws(Failure) -> PressureRequest {
    let keys = given.map(\.key)
    guard place != .container || !keys.contains(available.name) else {
      throw Failure(.invalid, "pressure.available: expected for the system or a cgroup's path only")
    }
    var members = given
    if let before {
      let isGiven = PressureRequest.Kind.allCases.contains { keys.contains($0.rawValue) }
      let old = [
        isGiven ? nil : (before.kind.rawValue, percentage(before.permille)), ("over", "\(before.window / 1_000_000)ms"),
        ("for", "\(before.holdFor / 1_000_000)ms"), ("cooldown", "\(before.cooldown / 1_000_000)ms"),
        before.availablePermille > 0 ? ("available", percentage(before.availablePermille)) : nil,
      ]
      members += old.compactMap { $0 }.filter { !keys.contains($0.0) }
    }
    var reader = MappingReader()
    let nodes = members.map { ($0.key, YAMLNode(.scalar($0.value, isPlain: true), line: 0, column: 0)) }
    let limit = reader.pressure(
      Dictionary(uniqueKeysWithValues: nodes), "pressure", of: YAMLNode(.mapping([]), line: 0, column: 0),
      place: place)
    guard let limit, reader.problems.isEmpty else { throw Failure(.invalid, Problems(reader.problems).summary) }
    return limit
  }

  /// Whose pressure a mapping is about.
  public enum Place {
    case container
    case system
    case cgroup

    var keys: [PolicyGrammar.Key] {
      switch self {
      case .container: PressureGrammar.keys
      case .system, .cgroup: PressureGrammar.keys + [PressureGrammar.available]
      }
    }
  }

  fileprivate static let shareForm = "\(Quantity.percentageForm), more than 0% and at most 100%"
}

extension MappingReader {
  /// - Parameter key: what the mapping is the value of.
  mutating func pressure(_ node: YAMLNode, _ key: String, of place: PressureGrammar.Place = .container) -> PressureRequest? {
    let before = problems.count
    let members = members(node, keys: place.keys.map(\.name), of: key)
    // As soon as a key is misspelt, that is the problem
    return pressure(members, key, of: node, place: place, misspelt: problems.count > before)
  }

  fileprivate mutating func pressure(
    _ members: [String: YAMLNode], _ key: String, of node: YAMLNode, place: PressureGrammar.Place, misspelt: Bool = false
  ) -> PressureRequest? {
    let before = problems.count
    let threshold = threshold(members, key)
    let window = time(members["over"], "over", in: key, 2...300, 10)
    let hold = time(members["for"], "for", in: key, 0...1800, 20)
    let cooldown = time(members["cooldown"], "cooldown", in: key, 1...86400, 60)
    var available: UInt32 = place == .system ? 150 : 0
    if let node = members["available"] { available = share(node, "\(key).available") ?? available }
    guard let threshold else {
      if problems.count == before, !misspelt {
        add(node.problem("\(key): no threshold: expected some or full with \(PressureGrammar.shareForm)"))
      }
      return nil
    }
    return PressureRequest(
      kind: threshold.0, permille: threshold.1, window: window, holdFor: hold, cooldown: cooldown, availablePermille: available)
  }

  private mutating func threshold(_ members: [String: YAMLNode], _ key: String) -> (PressureRequest.Kind, UInt32)? {
    var found: (PressureRequest.Kind, UInt32)?
    for kind in PressureRequest.Kind.allCases {
      guard let node = members[kind.rawValue] else { continue }
      guard found == nil else {
        add(node.problem("\(key): some and full are both there: expected one of them"))
        continue
      }
      found = (kind, share(node, "\(key).\(kind.rawValue)") ?? 1000)
    }
    return found
  }

  private mutating func share(_ node: YAMLNode, _ key: String) -> UInt32? {
    guard let value = quantity(node, key, PressureGrammar.shareForm, Quantity.permille) else { return nil }
    guard value > 0 else {
      add(node.problem("\(key): \(node.shown) is always exceeded: expected \(PressureGrammar.shareForm)"))
      return nil
    }
    return value
  }

  /// In ns; range and fallback are in s.
  private mutating func time(
    _ node: YAMLNode?, _ name: String, in key: String, _ range: ClosedRange<UInt64>, _ fallback: UInt64
  ) -> UInt64 {
    let second: UInt64 = 1_000_000_000
    guard let node else { return fallback * second }
    let expected = PressureGrammar.keys.first { $0.name == name }!.expected
    guard let value = quantity(node, "\(key).\(name)", expected, Quantity.duration) else { return fallback * second }
    guard (range.lowerBound * second...range.upperBound * second).contains(value) else {
      add(node.problem("\(key).\(name): \(node.shown) is out of range: expected \(expected)"))
      return fallback * second
    }
    return value
  }
}
