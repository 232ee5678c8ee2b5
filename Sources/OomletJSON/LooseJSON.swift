/// A JSON value (RFC 8259) of a text that others have read before, and more tolerantly: its strings may hold anything, U+FFFD
/// stands for what is no text; keys may be there several times; lists and objects may be nested as deep as they like. Only what
/// is asked for is read.
public struct LooseJSON: Sendable {
  /// One value, whole, without space around.
  private let bytes: ArraySlice<UInt8>

  private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

  /// - Throws: what is wrong and where, if it can't be told where values begin and end.
  public init(parsing text: [UInt8]) throws(JSON.ParseError) {
    var scanner = JSONScanner(text[...])
    guard let value = scanner.value(), scanner.isAtEnd else { throw scanner.problem(in: text) }
    self.init(value)
  }

  /// Of an object, in its order; nil: it is none.
  public var members: [(key: String, value: LooseJSON)]? {
    guard var scanner = JSONScanner(inside: bytes, of: "{") else { return nil }
    var members: [(key: String, value: LooseJSON)] = []
    while let key = scanner.value(), scanner.take(":"), let value = scanner.value() {
      members.append((LooseJSON(key).string ?? "", LooseJSON(value)))
      _ = scanner.take(",")
    }
    return members
  }

  /// Of a list; nil: it is none.
  public var array: [LooseJSON]? {
    guard var scanner = JSONScanner(inside: bytes, of: "[") else { return nil }
    var values: [LooseJSON] = []
    while let value = scanner.value() {
      values.append(LooseJSON(value))
      _ = scanner.take(",")
    }
    return values
  }

  /// The last member of that name, as most readers have it.
  public subscript(key: String) -> LooseJSON? { members?.last { $0.key == key }?.value }

  public var isNull: Bool { bytes.elementsEqual("null".utf8) }

  /// Of a number without fraction, up to where a Double is exact.
  public var integer: Int64? {
    guard let first = bytes.first, first == UInt8(ascii: "-") || (48...57).contains(first) else { return nil }
    return Double(String(decoding: bytes, as: UTF8.self)).flatMap { $0.magnitude <= 0x1p53 ? Int64(exactly: $0) : nil }
  }

  public var string: String? {
    guard bytes.first == UInt8(ascii: "\"") else { return nil }
    let text = bytes.dropFirst().dropLast()
    guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
    return unescaped(text)
  }
}

private func unescaped(_ text: ArraySlice<UInt8>) -> String {
  var result: [UInt8] = []
  var rest = text
  // The first half of a surrogate pair, until the second comes
  var half: UInt32?
  func end(_ half: inout UInt32?) {
    if half != nil { result += "\u{FFFD}".utf8 }
    half = nil
  }
  while let byte = rest.popFirst() {
    guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
      end(&half)
      result.append(byte)
      continue
    }
    guard escape == UInt8(ascii: "u") else {
      end(&half)
      result.append(escapes[escape] ?? escape)
      continue
    }
    let digits = rest.prefix(4)
    let unit = digits.count == 4 ? UInt32(String(decoding: digits, as: UTF8.self), radix: 16) : nil
    if unit != nil { rest = rest.dropFirst(4) }
    if let high = half, let low = unit, (0xDC00...0xDFFF).contains(low) {
      half = nil
      result += String(Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + low - 0xDC00)!).utf8
      continue
    }
    end(&half)
    if let unit, (0xD800...0xDBFF).contains(unit) {
      half = unit
    } else {
      result += String(unit.flatMap(Unicode.Scalar.init) ?? "\u{FFFD}").utf8
    }
  }
  end(&half)
  return String(decoding: result, as: UTF8.self)
}

private let escapes: [UInt8: UInt8] = [
  UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13, UInt8(ascii: "t"): 9,
]
