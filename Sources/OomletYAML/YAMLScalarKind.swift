extension YAMLNode {
  /// What YAML's core schema (1.2.2, chapter 10.3) takes a scalar for.
  public enum ScalarKind: Sendable { case null, bool, number, text }

  /// nil: no scalar.
  public var scalarKind: ScalarKind? {
    guard case .scalar(let text, let isPlain) = value else { return nil }
    guard isPlain else { return .text }
    if ["", "~", "null", "Null", "NULL"].contains(text) { return .null }
    if ["true", "True", "TRUE", "false", "False", "FALSE"].contains(text) { return .bool }
    return isNumber(text) ? .number : .text
  }
}

private func isNumber(_ text: String) -> Bool {
  var rest = Array(text.utf8)[...]
  if rest.starts(with: "0x".utf8) || rest.starts(with: "0o".utf8) {
    return rest.count > 2 && UInt64(String(text.dropFirst(2)), radix: rest[1] == UInt8(ascii: "x") ? 16 : 8) != nil
  }
  if let sign = rest.first, "+-".utf8.contains(sign) { rest.removeFirst() }
  if [".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"].contains(String(decoding: rest, as: UTF8.self)) { return true }
  guard let first = rest.first, "0123456789.".utf8.contains(first) else { return false }
  return Double(String(decoding: rest, as: UTF8.self)) != nil && rest.allSatisfy { "0123456789.eE+-".utf8.contains($0) }
}
