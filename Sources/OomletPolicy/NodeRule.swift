public import OomletModel
public import OomletOCI
internal import OomletYAML

/// A default policy for containers without annotation.
public struct NodeRule: Equatable, Sendable {
  /// What a container must be like; what is nil or empty asks for nothing.
  public struct Match: Equatable, Sendable {
    public var cgroup: PathGlob?
    public var qos: QoSClass?
    public var namespace: Wildcard?
    public var labels: [String: Wildcard] = [:]

    public init() {}
  }

  public var match = Match()
  public var request: PolicyRequest

  public init(match: Match = Match(), request: PolicyRequest) { (self.match, self.request) = (match, request) }

  public func matches(_ annotations: ContainerAnnotations, at place: Placement) -> Bool {
    if let cgroup = match.cgroup, !cgroup.matches(place.container) { return false }
    if let qos = match.qos, qos != place.qos { return false }
    if let namespace = match.namespace, !namespace.matches(annotations.podNamespace) { return false }
    return match.labels.allSatisfy { key, pattern in annotations.label(key).map(pattern.matches) ?? false }
  }
}

extension NodeRule {
  static let keys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "match", expected: "a mapping, see below", fallback: "{}",
      summary: "which containers; what it does not name may be any"),
    PolicyGrammar.Key(
      name: "policy", expected: "a policy as in the annotation: a name or a mapping", fallback: "none",
      summary: "the policy they get; it must be there"),
    PolicyGrammar.Key(
      name: "dry-run", expected: "true or false", fallback: "false",
      summary: "decide and record, but leave the kill to the kernel"),
  ]

  static let matchKeys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "cgroup", expected: PathGlob.form, fallback: "any", summary: "the container's cgroup, from the root of the hierarchy"),
    PolicyGrammar.Key(
      name: "qos", expected: oneOf(QoSClass.allCases.map(\.rawValue)), fallback: "any",
      summary: "the QoS class of its pod, as the kubelet's cgroups tell it"),
    PolicyGrammar.Key(
      name: "namespace", expected: "a name, with * for any number of characters", fallback: "any",
      summary: "the namespace of its pod"),
    PolicyGrammar.Key(
      name: "label", expected: "a mapping of labels to values, with * for any number of characters", fallback: "{}",
      summary: "labels that it must have, all of them"),
  ]

  /// nil: that is among the reader's problems.
  init?(_ node: YAMLNode, _ name: String, _ grammar: PolicyGrammar, _ reader: inout MappingReader) {
    let before = reader.problems.count
    let members = reader.members(node, keys: NodeRule.keys.map(\.name), of: name)
    var match = Match()
    if let node = members["match"] { match.read(node, "\(name).match", &reader) }
    let dryRun = members["dry-run"].flatMap { reader.bool($0, "\(name).dry-run") } ?? false
    guard let policy = members["policy"] else {
      // As soon as a key is misspelt, that is the problem
      if reader.problems.count == before {
        reader.add(node.problem("\(name): no policy: expected policy with a policy's name or a mapping"))
      }
      return nil
    }
    switch grammar.parse(policy) {
    case .success(var request):
      request.dryRun = request.dryRun || dryRun
      self.init(match: match, request: request)
    case .failure(let problems):
      for problem in problems.all {
        reader.add(Problem(line: problem.line, column: problem.column, message: "\(name).policy: \(problem.message)"))
      }
      return nil
    }
  }
}

extension NodeRule.Match {
  fileprivate mutating func read(_ node: YAMLNode, _ name: String, _ reader: inout MappingReader) {
    let members = reader.members(node, keys: NodeRule.matchKeys.map(\.name), of: name)
    if let node = members["cgroup"] { cgroup = reader.glob(node, "\(name).cgroup") }
    if let node = members["qos"] { qos = reader.choice(node, "\(name).qos", QoSClass.self) }
    if let node = members["namespace"] {
      namespace = reader.pattern(node, "\(name).namespace", expected: "a name such as shop-*", limit: 63)
    }
    guard let node = members["label"] else { return }
    let expected = "a mapping of labels to values such as {tier: web}"
    guard let labels = node.members, !labels.isEmpty else {
      return reader.add(node.problem("\(name).label: \(node.members == nil ? node.shown : "nothing"): expected \(expected)"))
    }
    for label in labels {
      self.labels[label.key] = reader.pattern(
        label.value, "\(name).label.\(printable(label.key))", expected: "a value such as web-*", limit: 63)
    }
  }
}

extension NodeRule.Match {
  /// For people; "" for any container.
  var summary: String {
    var parts: [String] = []
    if let cgroup { parts.append("cgroup \(printable(cgroup.description))") }
    if let qos { parts.append("qos \(qos.rawValue)") }
    if let namespace { parts.append("namespace \(printable(namespace.description))") }
    parts += labels.sorted { $0.key < $1.key }.map { "label \(printable($0.key)) \(printable($0.value.description))" }
    return parts.joined(separator: ", ")
  }
}

extension PathGlob {
  static let form = "a cgroup's path such as system.slice/*, where * stands for characters of a name and ** for any names"
}

extension MappingReader {
  mutating func glob(_ node: YAMLNode, _ key: String, of what: String = "cgroup", expected: String = PathGlob.form) -> PathGlob? {
    guard let text = text(node, key, expected: expected) else { return nil }
    do throws(PathGlob.Invalid) { return try PathGlob(text) } catch {
      let why =
        switch error {
        case .empty: "names no \(what)"
        case .emptyComponent: "has an empty name between slashes"
        case .dots: "has . or .. as a name"
        case .starsInComponent: "has ** beside other characters"
        case .controlCharacter: "has a control character"
        case .tooDeep: "has more than \(PathGlob.depth) names"
        }
      add(node.problem("\(key): \(node.shown) \(why): expected \(expected)"))
      return nil
    }
  }

  /// - Parameter limit: how many bytes what it stands for can have.
  mutating func pattern(_ node: YAMLNode, _ key: String, expected: String, limit: Int) -> Wildcard? {
    guard let text = text(node, key, expected: expected) else { return nil }
    let literals = text.utf8.count { $0 != UInt8(ascii: "*") }
    guard !text.isEmpty, literals <= limit, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      let why =
        text.isEmpty ? "is empty" : literals > limit ? "is longer than \(limit) characters" : "has a space or control character"
      add(node.problem("\(key): \(node.shown) \(why): expected \(expected)"))
      return nil
    }
    return Wildcard(text)
  }
}
