public import OomletModel
internal import OomletYAML

/// All that is wrong with a text.
public struct Problems: Error, Equatable, Sendable {
  public let all: [Problem]
  public init(_ all: [Problem]) { self.all = all.sorted { ($0.line, $0.column) < ($1.line, $1.column) } }

  /// In one line: the first, and how many there are.
  public var summary: String {
    let rest = all.count > 1 ? " (and \(all.count - 1) more)" : ""
    return (all.first?.description ?? "") + rest
  }
}

/// Takes values out of YAML mappings and collects what is wrong with them.
struct MappingReader {
  private(set) var problems: [Problem] = []

  mutating func add(_ problem: Problem) { problems.append(problem) }

  /// The members by name; those that are not among `keys` are problems.
  mutating func members(_ node: YAMLNode, keys: [String], of what: String) -> [String: YAMLNode] {
    guard case .mapping(let members) = node.value else {
      add(node.problem("\(node.shown): expected a mapping with keys of \(what): \(oneOf(keys))"))
      return [:]
    }
    var known: [String: YAMLNode] = [:]
    for member in members {
      guard keys.contains(member.key) else {
        add(
          Problem(
            line: member.line, column: member.column,
            message: "\(quoted(member.key)) is no key of \(what): expected \(oneOf(keys))\(hint(for: member.key, among: keys))"))
        continue
      }
      known[member.key] = member.value
    }
    return known
  }

  mutating func choice<Choice: RawRepresentable & CaseIterable>(_ node: YAMLNode, _ key: String, _: Choice.Type) -> Choice?
  where Choice.RawValue == String {
    let names = Choice.allCases.map(\.rawValue)
    if let text = node.text, let value = Choice(rawValue: text) { return value }
    add(node.problem("\(key): \(node.shown): expected \(oneOf(names))\(node.text.map { hint(for: $0, among: names) } ?? "")"))
    return nil
  }

  mutating func bool(_ node: YAMLNode, _ key: String) -> Bool? {
    if case .scalar(let text, isPlain: true) = node.value, text == "true" || text == "false" { return text == "true" }
    add(node.problem("\(key): \(node.shown): expected true or false"))
    return nil
  }

  mutating func integer(_ node: YAMLNode, _ key: String, _ range: ClosedRange<Int64>) -> Int64? {
    let digits = node.text.map { $0.hasPrefix("-") ? $0.dropFirst() : $0[...] } ?? ""
    guard case .scalar(let text, isPlain: true) = node.value, !digits.isEmpty,
      digits.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(text), range.contains(value)
    else {
      add(node.problem("\(key): \(node.shown): expected a whole number from \(range.lowerBound) to \(range.upperBound)"))
      return nil
    }
    return value
  }

  mutating func quantity<Value>(_ node: YAMLNode, _ key: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
    if let text = node.text, let value = parse(text) { return value }
    add(node.problem("\(key): \(node.shown): expected \(expected)"))
    return nil
  }

  mutating func order(_ node: YAMLNode, _ key: String) -> [OrderKey]? {
    let names = OrderKey.allCases.map(\.rawValue)
    guard case .sequence(let items) = node.value, !items.isEmpty else {
      add(node.problem("\(key): \(node.shown): expected a list of \(oneOf(names))"))
      return nil
    }
    var order: [OrderKey] = []
    for item in items {
      guard let value = choice(item, key, OrderKey.self) else { return nil }
      guard !order.contains(value) else {
        add(item.problem("\(key): \(item.shown) is there twice"))
        return nil
      }
      order.append(value)
    }
    return order
  }
}
