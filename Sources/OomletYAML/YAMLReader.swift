internal import CYaml
public import OomletModel

/// Reads YAML by libyaml, strictly: no anchors and aliases (a few lines of them unfold to gigabytes), no tags, no
/// duplicate or complex keys, no more than `limits` allow.
public struct YAMLReader {
  public struct Limits: Sendable {
    /// In bytes.
    public var size: Int
    public var depth: Int
    public var nodes: Int

    public init(size: Int, depth: Int = 32, nodes: Int = 100_000) { (self.size, self.depth, self.nodes) = (size, depth, nodes) }
  }

  /// The documents in a text; an empty text has none.
  ///
  /// - Throws: the first thing that is wrong, and where.
  public static func documents(_ text: [UInt8], limits: Limits) throws(Problem) -> [YAMLNode] {
    guard text.count <= limits.size else {
      throw Problem(line: 0, column: 0, message: "\(text.count) bytes are too long: expected at most \(limits.size)")
    }
    let reader = Reader(text, limits: limits)
    defer { reader.close() }
    var documents: [YAMLNode] = []
    while let document = try reader.nextDocument() { documents.append(document) }
    return documents
  }
}

/// Around libyaml's parser, which must stay where it is.
private final class Reader {
  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  private let text: UnsafeMutableBufferPointer<UInt8>
  private let limits: YAMLReader.Limits
  private var nodes = 0

  init(_ bytes: [UInt8], limits: YAMLReader.Limits) {
    self.limits = limits
    text = .allocate(capacity: max(1, bytes.count))
    _ = text.update(from: bytes)
    yaml_parser_initialize(parser)
    yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  func close() {
    yaml_parser_delete(parser)
    parser.deallocate()
    text.deallocate()
  }

  private struct Event {
    var type: yaml_event_type_e
    var line: Int
    var column: Int
    var text = ""
    var isPlain = false
    /// An anchor, alias or tag, as it stands there.
    var extra: String?
  }

  private func next() throws(Problem) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) != 0 else {
      let mark = parser.pointee.problem_mark
      let what = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
      throw Problem(line: Int(mark.line) + 1, column: Int(mark.column) + 1, message: "not YAML: \(what)")
    }
    defer { yaml_event_delete(&event) }
    var result = Event(type: event.type, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      result.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      result.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      result.extra = extra("&", scalar.anchor) ?? extra("", scalar.tag)
    case YAML_ALIAS_EVENT: result.extra = extra("*", event.data.alias.anchor)
    case YAML_SEQUENCE_START_EVENT:
      result.extra = extra("&", event.data.sequence_start.anchor) ?? extra("", event.data.sequence_start.tag)
    case YAML_MAPPING_START_EVENT:
      result.extra = extra("&", event.data.mapping_start.anchor) ?? extra("", event.data.mapping_start.tag)
    default: break
    }
    if let extra = result.extra {
      throw Problem(
        line: result.line, column: result.column,
        message: "\(quoted(extra)): anchors, aliases and tags are not allowed; write the value itself")
    }
    return result
  }

  private func extra(_ sign: String, _ name: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    name.map { sign + String(cString: UnsafePointer($0)) }
  }

  func nextDocument() throws(Problem) -> YAMLNode? {
    while true {
      let event = try next()
      switch event.type {
      case YAML_STREAM_END_EVENT: return nil
      case YAML_DOCUMENT_START_EVENT:
        let root = try node(try next(), depth: 1)
        _ = try next()
        return root
      default: continue
      }
    }
  }

  private func node(_ event: Event, depth: Int) throws(Problem) -> YAMLNode {
    nodes += 1
    guard nodes <= limits.nodes else {
      throw Problem(line: event.line, column: event.column, message: "too many values: expected at most \(limits.nodes)")
    }
    guard depth <= limits.depth else {
      throw Problem(line: event.line, column: event.column, message: "nested too deep: expected at most \(limits.depth) levels")
    }
    let value: YAMLNode.Value
    switch event.type {
    case YAML_SCALAR_EVENT: value = .scalar(event.text, isPlain: event.isPlain)
    case YAML_SEQUENCE_START_EVENT:
      var items: [YAMLNode] = []
      while case let item = try next(), item.type != YAML_SEQUENCE_END_EVENT { items.append(try node(item, depth: depth + 1)) }
      value = .sequence(items)
    case YAML_MAPPING_START_EVENT: value = .mapping(try members(depth: depth))
    default: throw Problem(line: event.line, column: event.column, message: "not YAML: a value is missing")
    }
    return YAMLNode(value, line: event.line, column: event.column)
  }

  private func members(depth: Int) throws(Problem) -> [YAMLNode.Member] {
    var members: [YAMLNode.Member] = []
    var lines: [String: Int] = [:]
    while case let key = try next(), key.type != YAML_MAPPING_END_EVENT {
      guard key.type == YAML_SCALAR_EVENT else {
        throw Problem(line: key.line, column: key.column, message: "a key is a list or a mapping: expected a name")
      }
      if let before = lines[key.text] {
        throw Problem(
          line: key.line, column: key.column, message: "key \(quoted(key.text)) is there twice: first in line \(before)")
      }
      lines[key.text] = key.line
      members.append(.init(key: key.text, line: key.line, column: key.column, value: try node(try next(), depth: depth + 1)))
    }
    return members
  }
}
