public import OomletModel
internal import OomletYAML

/// What the node says of cgroups that need not be a container's: pods, slices.
public struct CgroupRule: Equatable, Sendable {
  public var cgroup: PathGlob
  /// When its tasks' stalls are called an OOM.
  public var pressure: PressureRequest
  /// An OOM is on record, and kills nobody.
  public var dryRun: Bool

  public init(cgroup: PathGlob, pressure: PressureRequest, dryRun: Bool = false) {
    (self.cgroup, self.pressure, self.dryRun) = (cgroup, pressure, dryRun)
  }
}

extension CgroupRule {
  static let keys: [PolicyGrammar.Key] = [
    PolicyGrammar.Key(
      name: "cgroup", expected: PathGlob.form, fallback: "none", summary: "which cgroups; it must be there"),
    PolicyGrammar.Key(
      name: "pressure", expected: "a mapping as in system", fallback: "none",
      summary: "call it an OOM when their tasks stall for want of memory; it must be there"),
    PolicyGrammar.Key(
      name: "dry-run", expected: "true or false", fallback: "false", summary: "decide and record, but kill nobody"),
  ]

  /// nil: that is among the reader's problems.
  init?(_ node: YAMLNode, _ name: String, _ reader: inout MappingReader) {
    let before = reader.problems.count
    let members = reader.members(node, keys: CgroupRule.keys.map(\.name), of: name)
    let cgroup = members["cgroup"].flatMap { reader.glob($0, "\(name).cgroup") }
    let pressure = members["pressure"].flatMap { reader.pressure($0, "\(name).pressure", of: .cgroup) }
    let dryRun = members["dry-run"].flatMap { reader.bool($0, "\(name).dry-run") } ?? false
    // As soon as a key is misspelt, that is the problem
    if reader.problems.count == before {
      for key in CgroupRule.keys where key.summary.hasSuffix("must be there") && members[key.name] == nil {
        reader.add(node.problem("\(name): no \(key.name): expected \(key.name) with \(key.expected)"))
      }
    }
    guard let cgroup, let pressure else { return nil }
    self.init(cgroup: cgroup, pressure: pressure, dryRun: dryRun)
  }

  /// For people.
  var summary: String { "\(printable(cgroup.description)) \(pressure.summary)\(dryRun ? ", dry run" : "")" }
}
