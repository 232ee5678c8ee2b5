public import OomletModel

/// A value of a YAML document, and where it stands. Scalars are text: what they mean is the reader's affair.
public struct YAMLNode: Equatable, Sendable {
  public enum Value: Equatable, Sendable {
    /// `isPlain`: without quotes.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([Member])
  }

  public struct Member: Equatable, Sendable {
    public let key: String
    public let line: Int
    public let column: Int
    public let value: YAMLNode

    public func problem(_ message: String) -> Problem { Problem(line: line, column: column, message: message) }
  }

  public let value: Value
  /// From 1.
  public let line: Int
  /// From 1, in characters.
  public let column: Int
  /// A block after `|`: its lines are the file's next ones, but for the indentation.
  public let isLiteral: Bool

  public init(_ value: Value, line: Int, column: Int, isLiteral: Bool = false) {
    (self.value, self.line, self.column, self.isLiteral) = (value, line, column, isLiteral)
  }

  public func problem(_ message: String) -> Problem { Problem(line: line, column: column, message: message) }

  /// The member's value, or nil: no such member, or no mapping.
  public subscript(key: String) -> YAMLNode? {
    guard case .mapping(let members) = value else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// The members of a mapping, or nil.
  public var members: [Member]? { if case .mapping(let members) = value { members } else { nil } }

  /// The items of a sequence, or nil.
  public var items: [YAMLNode]? { if case .sequence(let items) = value { items } else { nil } }

  /// The scalar's text, or nil.
  public var text: String? {
    if case .scalar(let text, _) = value { text } else { nil }
  }

  /// For messages: the value itself if it is short, else what kind it is.
  public var shown: String {
    switch value {
    case .scalar(let text, let isPlain): isPlain && text.isEmpty ? "nothing" : quoted(text)
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}
