/// Something wrong in a text: where, and what to do about it.
public struct Problem: Error, Equatable, Sendable, CustomStringConvertible {
  /// From 1; 0: the text as a whole.
  public let line: Int
  /// From 1, in characters.
  public let column: Int
  /// Names key and value, what was expected, the nearest valid spelling; on one line, and printable.
  public let message: String

  public init(line: Int, column: Int, message: String) {
    (self.line, self.column, self.message) = (line, column, printable(message, limit: .max))
  }

  public var description: String { line == 0 ? message : "line \(line), column \(column): \(message)" }
}

/// `; did you mean "…"?` or nothing.
public func hint(for text: String, among candidates: [String]) -> String {
  nearestSpelling(to: text, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
}

/// `a, b or c`.
public func oneOf(_ names: [String]) -> String {
  names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
}
