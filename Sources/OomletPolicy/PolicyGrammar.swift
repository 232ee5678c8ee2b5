public import OomletModel
public import OomletYAML

/// The grammar of the annotation `oom.policy`: a policy's name, or a mapping. docs/policy.md is made from what stands here.
public struct PolicyGrammar: Sendable {
  /// The names of the node's own policies.
  public let customPolicies: [String]

  public init(customPolicies: [String] = []) { self.customPolicies = customPolicies }

  public static let limits = YAMLReader.Limits(size: 16 << 10, depth: 8, nodes: 1000)

  public struct Key: Sendable {
    public let name: String
    public let expected: String
    public let fallback: String
    public let summary: String
  }

  public static let keys: [Key] = [
    Key(
      name: "victim", expected: "a victim rule, or the name of a custom policy", fallback: "largest-memory",
      summary: "which process dies"),
    Key(name: "kill", expected: oneOf(KillScope.allCases.map(\.rawValue)), fallback: "process", summary: "what dies with it"),
    Key(
      name: "protect", expected: patternsForm, fallback: "[]",
      summary: "processes that are spared while any other of the container is left"),
    Key(name: "prefer", expected: patternsForm, fallback: "[]", summary: "processes that are chosen before all others"),
    Key(
      name: "min-size", expected: Quantity.sizeForm, fallback: "0B",
      summary: "processes with less resident memory are spared while a larger one is left"),
    Key(
      name: "order", expected: "a list of " + oneOf(OrderKey.allCases.map(\.rawValue)), fallback: "[usage]",
      summary: "which container gives way when the pod's limit is hit: the first key in which two differ decides"),
    Key(
      name: "priority", expected: "a whole number from -1000000000 to 1000000000", fallback: "0",
      summary: "the lower gives way first, where an order asks for priority; the node may cap it"),
    Key(
      name: "pressure", expected: "a mapping, see below", fallback: "none",
      summary: "call it an OOM when the container's tasks stall for want of memory"),
    Key(
      name: "relief", expected: ReliefGrammar.listForm, fallback: "[]",
      summary: "what the agent does about such stalls before they are an OOM"),
    Key(
      name: "dry-run", expected: "true or false", fallback: "false",
      summary: "decide and record, but leave the kill to the kernel"),
    Key(
      name: "require", expected: "true or false", fallback: "false",
      summary: "refuse to start the container where the policy can't be attached"),
    Key(
      name: "oomKillMode", expected: "Single or Group", fallback: "none",
      summary: "KEP-5507's words for `kill: process` and `kill: container`"),
  ]

  private static let patternsForm = "a list of at most \(ProcessPattern.limit) of init and comm patterns with *"

  public func parse(_ text: String) -> Result<PolicyRequest, Problems> { parse(Array(text.utf8)) }

  /// - Returns: the request, or what is wrong with it: all of it, in the order of the text. As soon as it is no YAML, nothing
  ///   more is looked for.
  public func parse(_ text: [UInt8]) -> Result<PolicyRequest, Problems> {
    let documents: [YAMLNode]
    do throws(Problem) { documents = try YAMLReader.documents(text, limits: PolicyGrammar.limits) } catch {
      return .failure(Problems([error]))
    }
    guard let root = documents.first, documents.count == 1 else {
      let what = documents.isEmpty ? "it is empty" : "it has \(documents.count) documents"
      return .failure(Problems([Problem(line: 0, column: 0, message: "\(what): expected \(expectedVictims), or a mapping")]))
    }
    // A name alone needs no position
    if case .scalar = root.value { return parse(YAMLNode(root.value, line: 0, column: 0)) }
    return parse(root)
  }

  /// As above, of what has been read already.
  public func parse(_ root: YAMLNode) -> Result<PolicyRequest, Problems> {
    var reader = MappingReader()
    var request = PolicyRequest()
    switch root.value {
    case .scalar: request.victim = victim(root, key: nil, &reader) ?? request.victim
    case .mapping: read(root, into: &request, &reader)
    case .sequence: reader.add(root.problem("a list: expected \(expectedVictims), or a mapping"))
    }
    return reader.problems.isEmpty ? .success(request) : .failure(Problems(reader.problems))
  }

  private func read(_ root: YAMLNode, into request: inout PolicyRequest, _ reader: inout MappingReader) {
    let members = reader.members(root, keys: PolicyGrammar.keys.map(\.name), of: "a policy")
    if let node = members["victim"], let value = victim(node, key: "victim", &reader) { request.victim = value }
    let kill = members["kill"].flatMap { reader.choice($0, "kill", KillScope.self) }
    let mode = members["oomKillMode"].flatMap { reader.choice($0, "oomKillMode", OOMKillMode.self) }
    if let kill, let mode, kill != mode.scope, let node = members["oomKillMode"] {
      let says = "\(node.shown) is kill: \(mode.scope.rawValue), but kill is \(quoted(kill.rawValue))"
      reader.add(node.problem("oomKillMode: \(says): expected one of the two keys"))
    }
    request.kill = kill ?? mode?.scope ?? request.kill
    if let node = members["protect"] { request.protect = patterns(node, "protect", &reader) }
    if let node = members["prefer"] { request.prefer = patterns(node, "prefer", not: request.protect, &reader) }
    if let node = members["min-size"], let value = reader.quantity(node, "min-size", Quantity.sizeForm, Quantity.size) {
      request.minSize = value
    }
    if let node = members["order"] { request.order = reader.order(node, "order") ?? request.order }
    if let node = members["priority"], let value = reader.integer(node, "priority", -1_000_000_000...1_000_000_000) {
      request.priority = Int32(value)
    }
    if let node = members["pressure"] { request.pressure = reader.pressure(node, "pressure") }
    if let node = members["relief"] {
      request.relief = reader.relief(node, "relief", of: members["pressure"], request.pressure) ?? []
    }
    if let node = members["dry-run"], let value = reader.bool(node, "dry-run") { request.dryRun = value }
    if let node = members["require"], let value = reader.bool(node, "require") { request.require = value }
  }

  private enum OOMKillMode: String, CaseIterable {
    case single = "Single"
    case group = "Group"
    var scope: KillScope { self == .single ? .process : .container }
  }

  private var victimNames: [String] { VictimRule.allCases.map(\.rawValue) + customPolicies }
  private var expectedVictims: String { "the name of a policy: " + oneOf(victimNames) }

  private func victim(_ node: YAMLNode, key: String?, _ reader: inout MappingReader) -> Victim? {
    let name = key.map { "\($0): " } ?? ""
    guard let text = node.text, node.scalarKind != .null else {
      reader.add(node.problem("\(name)\(node.shown): expected \(expectedVictims)"))
      return nil
    }
    if let rule = VictimRule(rawValue: text) { return .rule(rule) }
    if let custom = PolicyName(text), customPolicies.contains(text) { return .custom(custom) }
    let meant =
      key == nil && text.contains(":") ? "; in a mapping a space follows the colon" : hint(for: text, among: victimNames)
    reader.add(node.problem("\(name)\(node.shown) is no policy: expected \(expectedVictims)\(meant)"))
    return nil
  }

  private func patterns(
    _ node: YAMLNode, _ key: String, not others: [ProcessPattern] = [], _ reader: inout MappingReader
  ) -> [ProcessPattern] {
    guard let items = reader.list(node, key, expected: PolicyGrammar.patternsForm) else { return [] }
    guard items.count <= ProcessPattern.limit else {
      reader.add(node.problem("\(key): \(items.count) entries: expected at most \(ProcessPattern.limit)"))
      return []
    }
    return items.compactMap { item -> ProcessPattern? in
      guard let pattern = pattern(item, key, &reader) else { return nil }
      if others.contains(pattern) {
        reader.add(item.problem("\(key): \(item.shown) is protected, too: expected it in one of the two lists"))
      }
      return pattern
    }
  }

  private func pattern(_ node: YAMLNode, _ key: String, _ reader: inout MappingReader) -> ProcessPattern? {
    let expected = "init or a comm pattern such as postgres*"
    guard let text = reader.text(node, key, expected: expected) else { return nil }
    if text == "init" { return .initProcess }
    do throws(CommPattern.Invalid) { return .comm(try CommPattern(text)) } catch {
      let why =
        switch error {
        case .empty: "is empty"
        case .tooLong: "is longer than the 15 bytes that the kernel keeps of a process's name"
        case .controlCharacter: "has a control character"
        }
      let meant = ForeignPattern(text, of: .name)?.meant.first { (try? CommPattern($0)) != nil }
      reader.add(
        node.problem("\(key): \(node.shown) \(why): expected \(expected)\(meant.map { "; did you mean \(quoted($0))?" } ?? "")"))
      return nil
    }
  }
}
