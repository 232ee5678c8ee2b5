internal import CYaml
public import OomletModel

/// Reads YAML by libyaml, strictly: no duplicate or complex keys, no more than `limits` allow.
public struct YAMLReader {
  public struct Limits: Sendable {
    /// In bytes.
    public var size: Int
    public var depth: Int
    /// Those an alias stands for count each time: a few lines of aliases unfold to gigabytes.
    public var nodes: Int

    public init(size: Int, depth: Int = 32, nodes: Int = 100_000) { (self.size, self.depth, self.nodes) = (size, depth, nodes) }
  }

  /// What to make of anchors, aliases, merge keys and tags.
  public enum References: Sendable {
    /// They are errors.
    case refused
    /// Aliases and merge keys stand for what is at their anchors, tags are ignored: what others wrote for other programs.
    case followed
  }

  /// The documents in a text; an empty text has none.
  ///
  /// - Throws: the first thing that is wrong, and where.
  public static func documents(
    _ text: [UInt8], limits: Limits, references: References = .refused
  ) throws(Problem) -> [YAMLNode] {
    guard text.count <= limits.size else {
      throw Problem(line: 0, column: 0, message: "\(text.count) bytes are too long: expected at most \(limits.size)")
    }
    let reader = Reader(text, limits: limits, references: references)
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
  private let references: YAMLReader.References
  private var nodes = 0
  /// Of this document: what stands there, and how many nodes that is.
  private var anchors: [String: (node: YAMLNode, count: Int)] = [:]

  init(_ bytes: [UInt8], limits: YAMLReader.Limits, references: YAMLReader.References) {
    (self.limits, self.references) = (limits, references)
    text = .allocate(capacity: max(1, bytes.count))
    _ = text.update(from: bytes)
    yaml_parser_initialize(parser)
    // Else a byte order mark would make it UTF-16
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
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
    var isLiteral = false
    var anchor: String?

    func problem(_ message: String) -> Problem { Problem(line: line, column: column, message: message) }
  }

  private func next() throws(Problem) -> Event {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) != 0 else { throw parserProblem() }
    defer { yaml_event_delete(&event) }
    var result = Event(type: event.type, line: Int(event.start_mark.line) + 1, column: Int(event.start_mark.column) + 1)
    var tag: String?
    switch event.type {
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      result.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      result.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      result.isLiteral = scalar.style == YAML_LITERAL_SCALAR_STYLE
      (result.anchor, tag) = (string(scalar.anchor), string(scalar.tag))
    case YAML_ALIAS_EVENT: result.anchor = string(event.data.alias.anchor)
    case YAML_SEQUENCE_START_EVENT:
      (result.anchor, tag) = (string(event.data.sequence_start.anchor), string(event.data.sequence_start.tag))
    case YAML_MAPPING_START_EVENT:
      (result.anchor, tag) = (string(event.data.mapping_start.anchor), string(event.data.mapping_start.tag))
    default: break
    }
    if references == .refused { try refuseReferences(result, tag) }
    return result
  }

  private func refuseReferences(_ event: Event, _ tag: String?) throws(Problem) {
    guard event.type != YAML_ALIAS_EVENT else {
      let alias = quoted("*" + (event.anchor ?? ""))
      throw event.problem("\(alias): aliases are not allowed: expected the value itself; a text that begins with * needs quotes")
    }
    guard let extra = event.anchor.map({ "&" + $0 }) ?? tag else { return }
    throw event.problem("\(quoted(extra)): anchors, aliases and tags are not allowed: expected the value itself")
  }

  private func parserProblem() -> Problem {
    let what = parser.pointee.problem.map { String(cString: $0) } ?? "cannot be read"
    if parser.pointee.error == YAML_READER_ERROR {
      let (line, column) = place(ofByte: parser.pointee.problem_offset)
      return Problem(line: line, column: column, message: "not YAML: \(what)")
    }
    let context = parser.pointee.context.map { String(cString: $0) + ": " } ?? ""
    let mark = parser.pointee.problem_mark
    return Problem(line: Int(mark.line) + 1, column: Int(mark.column) + 1, message: "not YAML: \(context)\(what)")
  }

  /// libyaml tells the place of a byte that is no text by its offset only.
  private func place(ofByte offset: Int) -> (line: Int, column: Int) {
    let before = String(decoding: text.prefix(offset), as: UTF8.self).unicodeScalars
    let line = before.split(omittingEmptySubsequences: false) { $0 == "\n" }
    return (line.count, (line.last?.count ?? 0) + 1)
  }

  private func string(_ text: UnsafeMutablePointer<yaml_char_t>?) -> String? { text.map { String(cString: UnsafePointer($0)) } }

  func nextDocument() throws(Problem) -> YAMLNode? {
    while true {
      let event = try next()
      switch event.type {
      case YAML_STREAM_END_EVENT: return nil
      case YAML_DOCUMENT_START_EVENT:
        anchors = [:]
        let root = try node(try next(), depth: 1)
        _ = try next()
        return root
      default: continue
      }
    }
  }

  private func node(_ event: Event, depth: Int) throws(Problem) -> YAMLNode {
    try count(1, event)
    guard depth <= limits.depth else { throw event.problem("nested too deep: expected at most \(limits.depth) levels") }
    let before = nodes
    let value: YAMLNode.Value
    switch event.type {
    case YAML_SCALAR_EVENT: value = .scalar(event.text, isPlain: event.isPlain)
    case YAML_SEQUENCE_START_EVENT:
      var items: [YAMLNode] = []
      while case let item = try next(), item.type != YAML_SEQUENCE_END_EVENT { items.append(try node(item, depth: depth + 1)) }
      value = .sequence(items)
    case YAML_MAPPING_START_EVENT: value = .mapping(try members(depth: depth))
    case YAML_ALIAS_EVENT: return try target(of: event)
    default: throw event.problem("not YAML: a value is missing")
    }
    let node = YAMLNode(value, line: event.line, column: event.column, isLiteral: event.isLiteral)
    if let anchor = event.anchor { anchors[anchor] = (node, nodes - before) }
    return node
  }

  private func count(_ more: Int, _ event: Event) throws(Problem) {
    nodes += more
    guard nodes <= limits.nodes else { throw event.problem("too many values: expected at most \(limits.nodes)") }
  }

  private func target(of alias: Event) throws(Problem) -> YAMLNode {
    let name = alias.anchor ?? ""
    guard let anchor = anchors[name] else {
      throw alias.problem(
        "\(quoted("*" + name)): there is no anchor \(quoted("&" + name)); a text that begins with * needs quotes")
    }
    try count(anchor.count, alias)
    return anchor.node
  }

  private func members(depth: Int) throws(Problem) -> [YAMLNode.Member] {
    var members: [YAMLNode.Member] = []
    var merged: [YAMLNode.Member] = []
    var lines: [String: Int] = [:]
    while case let key = try next(), key.type != YAML_MAPPING_END_EVENT {
      guard key.type == YAML_SCALAR_EVENT else {
        throw key.problem("a key is a list, a mapping or an alias: expected a name")
      }
      if let before = lines[key.text] { throw key.problem("key \(quoted(key.text)) is there twice: first in line \(before)") }
      lines[key.text] = key.line
      guard key.isPlain, key.text == "<<" else {
        let value = try node(try next(), depth: depth + 1)
        members.append(.init(key: key.text, line: key.line, column: key.column, value: value))
        continue
      }
      guard references == .followed else {
        throw key.problem("\"<<\": merge keys are not allowed: expected the keys themselves")
      }
      let value = try node(try next(), depth: depth + 1)
      for mapping in value.items ?? [value] { merged += mapping.members ?? [] }
    }
    // What stands there goes before what is merged, and the first mapping merged before the others
    for member in merged where lines[member.key] == nil {
      lines[member.key] = member.line
      members.append(member)
    }
    return members
  }
}
