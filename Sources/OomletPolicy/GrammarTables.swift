internal import OomletModel

/// The reference tables of docs/policy.md, made from the grammar itself.
public enum GrammarTables {
  /// In Markdown, by the name that the document's markers give.
  public static let all: [(name: String, text: String)] = [
    ("keys", keys(PolicyGrammar.keys)),
    ("pressure", keys(PressureGrammar.keys)),
    ("relief", keys(ReliefGrammar.keys)),
    ("relief stages", table(["stage", "what is done"], ReliefStage.Kind.allCases.map { [code($0.rawValue), $0.summary] })),
    ("victims", table(["victim", "who dies: the process …"], VictimRule.allCases.map { [code($0.rawValue), $0.summary] })),
    ("kill", table(["kill", "what dies with the victim"], KillScope.allCases.map { [code($0.rawValue), $0.summary] })),
    ("system", keys(NodeConfig.systemKeys)),
    ("system pressure", keys([PressureGrammar.available])),
    ("cgroups", keys(CgroupRule.keys)),
    ("annotations", keys(AnnotationLimits.keys)),
    ("rules", keys(NodeRule.keys)),
    ("match", keys(NodeRule.matchKeys)),
    ("order", table(["order", "which gives way: the container …"], OrderKey.allCases.map { [code($0.rawValue), $0.summary] })),
  ]

  private static func keys(_ keys: [PolicyGrammar.Key]) -> String {
    table(
      ["key", "meaning", "value", "default"], keys.map { [code($0.name), $0.summary, plain($0.expected), code($0.fallback)] })
  }

  /// Stars as they are.
  private static func plain(_ text: String) -> String { String(text.flatMap { $0 == "*" ? "\\*" : String($0) }) }

  private static func code(_ text: String) -> String { ["none", "any", "all"].contains(text) ? text : "`\(text)`" }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    ([head, head.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }
}
