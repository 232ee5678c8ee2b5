/// Finds where the values of a JSON text begin and end, without recursion and without a look into strings.
struct JSONScanner {
  private var rest: ArraySlice<UInt8>
  private var expected = ""

  init(_ text: ArraySlice<UInt8>) { rest = text }

  /// What is between the brackets of a value that has been found; nil: it does not begin with that one.
  init?(inside value: ArraySlice<UInt8>, of bracket: Unicode.Scalar) {
    guard value.first == UInt8(ascii: bracket) else { return nil }
    rest = value.dropFirst().dropLast()
  }

  var isAtEnd: Bool {
    mutating get {
      skipSpace()
      expected = "end of file"
      return rest.isEmpty
    }
  }

  /// Whether that comes next; it is then behind us.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  /// The next value; nil: there is none, or its end can't be told.
  mutating func value() -> ArraySlice<UInt8>? {
    skipSpace()
    let start = rest
    // Of the lists and objects that we are in, what ends them
    var ends: [UInt8] = []
    repeat {
      guard let opened = begin() else { return nil }
      if let opened {
        ends.append(opened)
        if take(Unicode.Scalar(opened)) { ends.removeLast() } else if key(in: opened) { continue } else { return nil }
      }
      while let end = ends.last, !take(",") {
        guard take(Unicode.Scalar(end)) else { return fail("\",\" or \"\(Unicode.Scalar(end))\"") }
        ends.removeLast()
      }
      if let end = ends.last, !key(in: end) { return nil }
    } while !ends.isEmpty
    return start[..<rest.startIndex]
  }

  /// The beginning of a list or object, or all of another value.
  ///
  /// - Returns: what ends it, or .some(nil); nil: there is no value.
  private mutating func begin() -> UInt8?? {
    if take("{") { return UInt8(ascii: "}") }
    if take("[") { return UInt8(ascii: "]") }
    guard rest.first == UInt8(ascii: "\"") ? skipString() : skipWord() else { return fail("a value") }
    return .some(nil)
  }

  /// In an object, its next key with the colon; in a list nothing.
  private mutating func key(in end: UInt8) -> Bool {
    guard end == UInt8(ascii: "}") else { return true }
    skipSpace()
    guard skipString() else { return fail("a key in quotes") ?? false }
    return take(":") ? true : fail("\":\"") ?? false
  }

  private mutating func skipSpace() { rest = rest.drop { " \t\r\n".utf8.contains($0) } }

  private mutating func skipString() -> Bool {
    guard rest.first == UInt8(ascii: "\"") else { return false }
    var at = rest.index(after: rest.startIndex)
    while at < rest.endIndex, rest[at] != UInt8(ascii: "\"") { at += rest[at] == UInt8(ascii: "\\") ? 2 : 1 }
    guard at < rest.endIndex else { return false }
    rest = rest[(at + 1)...]
    return true
  }

  /// A number, true, false or null.
  private mutating func skipWord() -> Bool {
    let word = rest.prefix { (97...122).contains($0) || (48...57).contains($0) || "+-.E".utf8.contains($0) }
    guard let first = word.first else { return false }
    let isNumber = first == UInt8(ascii: "-") || (48...57).contains(first)
    guard isNumber || ["true", "false", "null"].contains(String(decoding: word, as: UTF8.self)) else { return false }
    rest = rest[word.endIndex...]
    return true
  }

  private mutating func fail<Value>(_ expected: String) -> Value? {
    self.expected = expected
    return nil
  }

  /// What kept it from going on.
  func problem(in text: [UInt8]) -> JSON.ParseError {
    JSON.ParseError(at: rest.startIndex, of: text, message: "\(expected) expected")
  }
}

extension JSON.ParseError {
  init(at position: Int, of text: [UInt8], message: String) {
    let before = text[..<position]
    line = before.count { $0 == UInt8(ascii: "\n") } + 1
    column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
    self.message = message
  }
}
