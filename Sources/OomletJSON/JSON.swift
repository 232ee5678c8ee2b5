internal import CJansson
internal import Glibc
internal import OomletModel

/// A JSON value (RFC 8259). Objects keep the order of their members.
public indirect enum JSON: Equatable, Sendable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([(key: String, value: JSON)])

  public struct ParseError: Error, Equatable, CustomStringConvertible {
    /// From 1.
    public let line: Int
    public let column: Int
    public let message: String
    public var description: String { "line \(line), column \(column): \(message)" }
  }

  public static func == (a: JSON, b: JSON) -> Bool { a.encoded() == b.encoded() }

  /// What to make of integers.
  public enum Integers: Sendable {
    /// ``integer(_:)``; beyond 64 bits an error.
    case exact
    /// ``number(_:)``, all of them: OCI's unsigned ones, such as an rlimit of 2^64-1, are beyond ``integer(_:)``.
    case asNumbers
  }

  /// - Throws: what is wrong and where; also for duplicate keys, since two readers might take a different one.
  public init(parsing bytes: [UInt8], integers: Integers = .exact) throws(ParseError) {
    // Jansson passes over a NUL behind a number
    if let nul = bytes.firstIndex(of: 0) { throw ParseError(at: nul, of: bytes, message: "NUL byte") }
    var error = json_error_t()
    var flags = Int(JSON_REJECT_DUPLICATES) | Int(JSON_DECODE_ANY) | Int(JSON_ALLOW_NUL)
    if integers == .asNumbers { flags |= Int(JSON_DECODE_INT_AS_REAL) }
    let root = bytes.withUnsafeBytes { json_loadb($0.baseAddress, $0.count, flags, &error) }
    guard let root else {
      let text = withUnsafeBytes(of: error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      throw ParseError(line: Int(error.line), column: Int(error.column), message: text)
    }
    defer { json_decref(root) }
    self.init(root)
  }

  /// On one line, without spaces. What is not printable is escaped as `\uXXXX`, so that a stranger's text does nothing to a
  /// terminal, wherever the JSON gets to.
  public func encoded() -> [UInt8] {
    let value = made()
    defer { json_decref(value) }
    guard let text = json_dumps(value, Int(JSON_COMPACT) | Int(JSON_ENCODE_ANY)) else { return [] }
    defer { free(text) }
    let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text))
    // The rest of ASCII is escaped already
    return bytes.allSatisfy { $0 < 0x7f } ? Array(bytes) : JSON.escaped(String(decoding: bytes, as: UTF8.self))
  }

  /// As ``encoded()``.
  public var text: String { String(decoding: encoded(), as: UTF8.self) }

  private static func escaped(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    for scalar in text.unicodeScalars {
      if scalar.isPrintable {
        result += UTF8.encode(scalar)!
      } else {
        for unit in UTF16.encode(scalar)! {
          let digits = String(unit, radix: 16)
          result += "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8
        }
      }
    }
    return result
  }

  public subscript(key: String) -> JSON? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  public var members: [(key: String, value: JSON)]? { if case .object(let members) = self { members } else { nil } }
  public var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
  public var string: String? { if case .string(let s) = self { s } else { nil } }

  /// Also of a number without fraction, up to where a Double is exact.
  public var integer: Int64? {
    switch self {
    case .integer(let i): i
    case .number(let x) where x.magnitude <= 0x1p53: Int64(exactly: x)
    default: nil
    }
  }

  private init(_ value: UnsafeMutablePointer<json_t>) {
    switch value.pointee.type {
    case JSON_OBJECT:
      var members: [(key: String, value: JSON)] = []
      var iterator = json_object_iter(value)
      while let at = iterator {
        members.append((String(cString: json_object_iter_key(at)), JSON(json_object_iter_value(at))))
        iterator = json_object_iter_next(value, at)
      }
      self = .object(members)
    case JSON_ARRAY: self = .array((0..<json_array_size(value)).map { JSON(json_array_get(value, $0)) })
    case JSON_STRING:
      let bytes = UnsafeRawBufferPointer(start: json_string_value(value), count: json_string_length(value))
      self = .string(String(decoding: bytes, as: UTF8.self))
    case JSON_INTEGER: self = .integer(Int64(json_integer_value(value)))
    case JSON_REAL: self = .number(json_real_value(value))
    case JSON_TRUE: self = .bool(true)
    case JSON_FALSE: self = .bool(false)
    default: self = .null
    }
  }

  private func made() -> UnsafeMutablePointer<json_t>? {
    switch self {
    case .null: return json_null()
    case .bool(let value): return value ? json_true() : json_false()
    case .integer(let value): return json_integer(json_int_t(value))
    case .number(let value): return json_real(value)
    case .string(let value):
      var value = value
      return value.withUTF8 {
        $0.withMemoryRebound(to: CChar.self) { json_stringn($0.baseAddress, $0.count) }
      }
    case .array(let values):
      let array = json_array()
      for value in values { json_array_append_new(array, value.made()) }
      return array
    case .object(let members):
      let object = json_object()
      for member in members { json_object_set_new(object, member.key, member.value.made()) }
      return object
    }
  }
}
