public import OomletModel
internal import OomletYAML

// Patterns that are valid, and will not match what was meant.
extension PolicyGrammar {
  /// In an annotation's value, which is valid.
  public static func doubts(in text: String) -> [Problem] {
    let documents = try? YAMLReader.documents(Array(text.utf8), limits: limits)
    return documents?.first.map { doubts(in: $0) } ?? []
  }

  /// - Parameter key: before the keys of the policy.
  static func doubts(in policy: YAMLNode, _ key: String = "") -> [Problem] {
    ["protect", "prefer"].flatMap { name in (policy[name]?.items ?? []).compactMap { $0.doubt(key + name, .process) } }
      + reliefDoubts(in: policy, key)
  }

  fileprivate static func reliefDoubts(in mapping: YAMLNode, _ key: String) -> [Problem] {
    (mapping["relief"]?.items ?? []).flatMap { $0["files"]?.items ?? [] }.compactMap { $0.doubt(key + "relief.files", .file) }
  }
}

extension NodeConfig {
  /// In a node configuration, which is valid.
  static func doubts(in root: YAMLNode) -> [Problem] {
    let system = root["system"]
    var doubts = (system?["protect"]?.items ?? []).compactMap { $0.doubt("system.protect", .cgroup) }
    doubts += system.map { PolicyGrammar.reliefDoubts(in: $0, "system.") } ?? []
    for (i, rule) in (root["cgroups"]?.items ?? []).enumerated() {
      doubts += [rule["cgroup"]?.doubt("cgroups[\(i + 1)].cgroup", .cgroup)].compactMap { $0 }
    }
    for (i, rule) in (root["rules"]?.items ?? []).enumerated() {
      let match = rule["match"], name = "rules[\(i + 1)]"
      let labels = (match?["label"]?.members ?? []).map { $0.value.doubt("\(name).match.label.\(printable($0.key))", .text) }
      let others = [
        match?["cgroup"]?.doubt("\(name).match.cgroup", .cgroup), match?["namespace"]?.doubt("\(name).match.namespace", .text),
      ]
      doubts +=
        (others + labels).compactMap { $0 } + (rule["policy"].map { PolicyGrammar.doubts(in: $0, "\(name).policy.") } ?? [])
    }
    return doubts
  }
}

private enum PatternKind: String {
  case process = "a pattern is for a process's name as ps -o comm shows it"
  case cgroup = "a pattern is for a cgroup's path"
  case file = "a pattern is for a file's path"
  case text = "a pattern is for the whole text"
}

extension YAMLNode {
  fileprivate func doubt(_ key: String, _ kind: PatternKind) -> Problem? {
    guard let text, let foreign = ForeignPattern(text, of: kind == .cgroup || kind == .file ? .path : .name) else { return nil }
    let meant = foreign.meant.isEmpty ? "" : "; did you mean \(foreign.meant.map { quoted($0) }.joined(separator: ", "))?"
    return problem(
      "\(key): \(shown): \(quoted(foreign.sign)) stands for itself: \(kind.rawValue), in which * is any characters and no other is special\(meant)"
    )
  }
}
