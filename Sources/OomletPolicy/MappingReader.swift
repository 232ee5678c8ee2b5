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

  /// A text, and no null, bool or number without quotes.
  mutating func text(_ node: YAMLNode, _ key: String, expected: String) -> String? {
    switch node.scalarKind {
    case .text?: return node.text
    case nil, .null?: add(node.problem("\(key): \(node.shown): expected \(expected)"))
    case .bool?, .number?:
      add(node.problem("\(key): \(node.shown) is no text: expected \(expected); a text like this needs quotes"))
    }
    return nil
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
    let quotes = node.text == "true" || node.text == "false" ? " without quotes" : ""
    add(node.problem("\(key): \(node.shown): expected true or false\(quotes)"))
    return nil
  }

  /// Digits, as people count: a leading 0 would be octal to some readers.
  mutating func integer(_ node: YAMLNode, _ key: String, _ range: ClosedRange<Int64>) -> Int64? {
    let digits = (node.text.map { $0.hasPrefix("-") ? $0.dropFirst() : $0[...] } ?? "").utf8
    guard case .scalar(let text, isPlain: true) = node.value, let first = digits.first,
      digits.allSatisfy({ (48...57).contains($0) }), first != UInt8(ascii: "0") || digits.count == 1,
      let value = Int64(text), range.contains(value)
    else {
      let isQuoted = if case .scalar(let text, isPlain: false) = node.value { Int64(text) != nil } else { false }
      let form = "expected a whole number from \(range.lowerBound) to \(range.upperBound)\(isQuoted ? ", without quotes" : "")"
      add(node.problem("\(key): \(node.shown): \(form)"))
      return nil
    }
    return value
  }

  mutating func quantity<Value>(_ node: YAMLNode, _ key: String, _ expected: String, _ parse: (String) -> Value?) -> Value? {
    if let text = node.text, let value = parse(text) { return value }
    add(node.problem("\(key): \(node.shown): expected \(expected)"))
    return nil
  }

  /// The items of a list; a scalar or mapping in its place is a problem.
  mutating func list(_ node: YAMLNode, _ key: String, expected: String) -> [YAMLNode]? {
    if let items = node.items { return items }
    let written = node.scalarKind == .text ? node.text.map { "; did you mean [\(printable($0))]?" } ?? "" : ""
    add(node.problem("\(key): \(node.shown): expected \(expected)\(written)"))
    return nil
  }

  mutating func order(_ node: YAMLNode, _ key: String) -> [OrderKey]? {
    let expected = "a list of " + oneOf(OrderKey.allCases.map(\.rawValue))
    guard let items = list(node, key, expected: expected) else { return nil }
    if items.isEmpty { add(node.problem("\(key): an empty list: expected \(expected)")) }
    var order: [OrderKey] = []
    for item in items {
      guard let value = choice(item, key, OrderKey.self) else { continue }
      if order.contains(value) { add(item.problem("\(key): \(item.shown) is there twice: expected each key once")) }
      order.append(value)
    }
    return order
  }
}
