internal import OomletModel
internal import OomletYAML

/// Node configurations.
enum NodeConfigCheck {
  /// Others have keys of these names, too: what is below them must look like ours.
  static func isOne(_ root: YAMLNode) -> Bool {
    guard let members = root.members, !members.isEmpty else { return false }
    return members.allSatisfy { NodeConfig.keys.contains($0.key) } || members.contains { isOurs($0.key, $0.value) }
  }

  private static func isOurs(_ key: String, _ value: YAMLNode) -> Bool {
    guard let keys = NodeConfig.keysBelow(key) else { return false }
    let mappings = (value.items ?? [value]).compactMap(\.members)
    return mappings.contains { $0.isEmpty } || mappings.joined().contains { nearestSpelling(to: $0.key, among: keys) != nil }
  }

  static func check(_ root: YAMLNode, grammar: PolicyGrammar) -> CheckReport {
    var report = CheckReport()
    switch NodeConfig.parse(root, grammar: grammar) {
    case .success(let config):
      report.add(
        CheckReport.Item(
          kind: "node configuration", name: "", key: nil, value: nil, summary: config.summary, request: nil, place: nil))
      for doubt in NodeConfig.doubts(in: root) { report.warn(doubt) }
    case .failure(let problems): for problem in problems.all { report.add(problem) }
    }
    return report
  }
}

extension NodeConfig {
  var summary: String {
    let limits = annotations
    var parts = [
      "order \(order.map(\.rawValue).joined(separator: " then "))",
      "annotations may ask for priority \(limits.priority.lowerBound) to \(limits.priority.upperBound)",
    ]
    if !protect.isEmpty { parts.insert("protects \(protect.map { printable($0.description) }.joined(separator: " "))", at: 1) }
    if let systemPressure { parts.append("an OOM of the system \(systemPressure.summary)") }
    for rule in cgroups { parts.append("an OOM of \(rule.summary)") }
    if !limits.allowsKillPod { parts.append("not for kill: pod") }
    if !limits.allowsPressure { parts.append("not for pressure") }
    if let custom = limits.customPolicies {
      parts.append("of this node's policies for \(custom.isEmpty ? "none" : oneOf(custom.sorted()))")
    }
    for (i, rule) in rules.enumerated() {
      let match = rule.match.summary
      parts.append("rule \(i + 1): \(match.isEmpty ? "all others" : match): \(rule.request.summary)")
    }
    return parts.joined(separator: "; ")
  }
}
