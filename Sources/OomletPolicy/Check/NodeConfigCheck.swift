internal import OomletModel
internal import OomletYAML

/// Node configurations.
enum NodeConfigCheck {
  private static let keys = ["system", "rules", "annotations", "metrics"]

  static func isOne(_ root: YAMLNode) -> Bool { root.members?.contains { keys.contains($0.key) } ?? false }

  static func check(_ root: YAMLNode) -> CheckReport {
    var report = CheckReport()
    report.add(root.problem("node configuration: node configurations can't be checked by this version"))
    return report
  }
}
