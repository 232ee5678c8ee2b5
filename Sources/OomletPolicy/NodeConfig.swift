public import OomletModel
public import OomletYAML

/// The node's configuration, `/etc/oomlet/config.yaml`. What it does not say is as in ``init()``.
public struct NodeConfig: Equatable, Sendable {
  public static let path = "/etc/oomlet/config.yaml"
  public static let limits = YAMLReader.Limits(size: 1 << 20, depth: 16, nodes: 10_000)

  /// By what containers are compared at the OOM of a slice or of the node.
  public var order: [OrderKey] = [.priority, .qos, .overRequest, .usage]
  /// When stalls of the whole system are called an OOM; nil: never.
  public var systemPressure: PressureRequest?
  /// What to do before that, to the container that is held to be the cause.
  public var systemRelief: [ReliefStage] = []
  /// Cgroups that give way last there, and all below them.
  public var protect: [PathGlob] = []
  /// The first that matches counts.
  public var cgroups: [CgroupRule] = []
  public var annotations = AnnotationLimits()
  /// The first that matches counts.
  public var rules: [NodeRule] = []
  /// nil: metrics are not offered.
  public var metricsAddress: ListenAddress? = .tcp(host: "127.0.0.1", port: 9644)
  public var journal = JournalSettings()
  /// Of the ring buffer that records wait in, in bytes; when the maps are made.
  public var ringSize: UInt32 = 1 << 20

  public init() {}

  static let keys = ["system", "cgroups", "annotations", "rules", "metrics", "journal", "kernel"]

  /// Of the mapping or mappings that a key has; nil: it is none.
  static func keysBelow(_ key: String) -> [String]? {
    switch key {
    case "system": systemKeys.map(\.name)
    case "cgroups": CgroupRule.keys.map(\.name)
    case "annotations": AnnotationLimits.keys.map(\.name)
    case "rules": NodeRule.keys.map(\.name)
    case "metrics": metricsKeys
    case "journal": journalKeys
    case "kernel": kernelKeys
    default: nil
    }
  }

  static let systemKeys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "order", expected: "a list of " + oneOf(OrderKey.allCases.map(\.rawValue)),
      fallback: "[" + NodeConfig().order.map(\.rawValue).joined(separator: ", ") + "]",
      summary: "by what containers are compared at the OOM of a slice or of the node; the first key in which two differ decides"),
    PolicyGrammar.Key(
      name: "protect", expected: "a list of cgroups such as system.slice/*", fallback: "[]",
      summary: "cgroups that give way last there, with all below them"),
    PolicyGrammar.Key(
      name: "pressure", expected: "a mapping, see below", fallback: "none",
      summary: "call it an OOM when the tasks of the node stall for want of memory"),
    PolicyGrammar.Key(
      name: "relief", expected: ReliefGrammar.listForm, fallback: "[]",
      summary: "what the agent does before that, to the container that is held to be the cause"),
  ]

  /// - Parameter grammar: of the rules' policies.
  /// - Returns: the configuration, or all that is wrong with it. An empty text is the default.
  public static func parse(_ text: [UInt8], grammar: PolicyGrammar = PolicyGrammar()) -> Result<NodeConfig, Problems> {
    let documents: [YAMLNode]
    do throws(Problem) { documents = try YAMLReader.documents(text, limits: limits) } catch { return .failure(Problems([error])) }
    guard documents.count < 2 else { return .failure(Problems([documents[1].problem("a second document: expected one")])) }
    guard let root = documents.first else { return .success(NodeConfig()) }
    return parse(root, grammar: grammar)
  }

  static func parse(_ root: YAMLNode, grammar: PolicyGrammar) -> Result<NodeConfig, Problems> {
    var reader = MappingReader()
    var config = NodeConfig()
    let members = reader.members(root, keys: keys, of: "a node configuration")
    if let node = members["system"] {
      let system = reader.members(node, keys: systemKeys.map(\.name), of: "system")
      if let order = system["order"] { config.order = reader.order(order, "system.order") ?? config.order }
      if let node = system["pressure"] { config.systemPressure = reader.pressure(node, "system.pressure", of: .system) }
      if let node = system["relief"] {
        config.systemRelief = reader.relief(node, "system.relief", of: system["pressure"], config.systemPressure) ?? []
      }
      if let protect = system["protect"] {
        let items = reader.list(protect, "system.protect", expected: "a list of cgroups such as system.slice/*") ?? []
        config.protect = items.compactMap { reader.glob($0, "system.protect") }
      }
    }
    if let node = members["cgroups"] {
      let items = reader.list(node, "cgroups", expected: "a list of rules with \(oneOf(CgroupRule.keys.map(\.name)))") ?? []
      config.cgroups = items.enumerated().compactMap { i, item in CgroupRule(item, "cgroups[\(i + 1)]", &reader) }
    }
    if let node = members["annotations"] { config.annotations.read(node, &reader) }
    if let node = members["rules"] {
      let items = reader.list(node, "rules", expected: "a list of rules with \(oneOf(NodeRule.keys.map(\.name)))") ?? []
      config.rules = items.enumerated().compactMap { i, item in NodeRule(item, "rules[\(i + 1)]", grammar, &reader) }
    }
    if let node = members["metrics"] { config.readMetrics(node, &reader) }
    if let node = members["journal"] { config.readJournal(node, &reader) }
    if let node = members["kernel"] { config.readKernel(node, &reader) }
    return reader.problems.isEmpty ? .success(config) : .failure(Problems(reader.problems))
  }
}

extension AnnotationLimits {
  static let keys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "priority", expected: "a mapping of min and max, whole numbers from -1000000000 to 1000000000",
      fallback: "{min: -1000000000, max: 0}", summary: "the range of priority; what is beyond is capped"),
    PolicyGrammar.Key(
      name: "kill-pod", expected: "true or false", fallback: "true",
      summary: "whether `kill: pod` is allowed; if not, it is taken for `kill: container`"),
    PolicyGrammar.Key(
      name: "pressure", expected: "true or false", fallback: "true",
      summary: "whether `pressure` is allowed; if not, it is left out"),
    PolicyGrammar.Key(
      name: "custom-policies", expected: "a list of the names of policies of this node", fallback: "all",
      summary: "the node's own policies that annotations may name; with another the container does not start"),
  ]

  fileprivate mutating func read(_ node: YAMLNode, _ reader: inout MappingReader) {
    let members = reader.members(node, keys: AnnotationLimits.keys.map(\.name), of: "annotations")
    if let node = members["priority"] {
      let all: ClosedRange<Int64> = -1_000_000_000...1_000_000_000
      let range = reader.members(node, keys: ["min", "max"], of: "annotations.priority")
      let low = range["min"].map { reader.integer($0, "annotations.priority.min", all) } ?? Int64(priority.lowerBound)
      let high = range["max"].map { reader.integer($0, "annotations.priority.max", all) } ?? Int64(priority.upperBound)
      if let low, let high {
        if low <= high {
          priority = Int32(low)...Int32(high)
        } else {
          reader.add(node.problem("annotations.priority: min \(low) is above max \(high)"))
        }
      }
    }
    if let node = members["kill-pod"], let value = reader.bool(node, "annotations.kill-pod") { allowsKillPod = value }
    if let node = members["pressure"], let value = reader.bool(node, "annotations.pressure") { allowsPressure = value }
    guard let node = members["custom-policies"] else { return }
    let expected = "a list of the names of policies of this node"
    guard case .sequence(let items) = node.value else {
      return reader.add(node.problem("annotations.custom-policies: \(node.shown): expected \(expected)"))
    }
    var names: Set<String> = []
    for item in items {
      guard let text = reader.text(item, "annotations.custom-policies", expected: expected) else { continue }
      guard PolicyName(text) != nil else {
        reader.add(
          item.problem("annotations.custom-policies: \(item.shown) is no policy's name: expected letters, digits and \"-\""))
        continue
      }
      names.insert(text)
    }
    customPolicies = names
  }
}
