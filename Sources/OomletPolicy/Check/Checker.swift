internal import OomletJSON
internal import OomletModel
internal import OomletYAML

/// Checks a text that may be an annotation's value, lines of annotations, a Kubernetes manifest, a bundle's config.json or a
/// node configuration; which one it is shows its content.
public struct Checker {
  private let annotations: AnnotationCheck

  public init(grammar: PolicyGrammar, limits: AnnotationLimits = AnnotationLimits()) {
    annotations = AnnotationCheck(grammar: grammar, limits: limits)
  }

  /// Manifests of a whole cluster are long, and definitions of resources deep.
  static let limits = YAMLReader.Limits(size: 16 << 20, depth: 128, nodes: 2_000_000)

  /// - Parameter isFound: it was found in a directory: what is nothing of that, and no value can be told from, is others' affair.
  public func check(_ text: [UInt8], isFound: Bool = false) -> CheckReport {
    if let report = OCIConfigCheck(annotations: annotations).check(text) { return report }
    var report = CheckReport()
    let documents: [YAMLNode]
    do throws(Problem) {
      documents = try YAMLReader.documents(text, limits: Checker.limits, references: .followed)
    } catch {
      report.add(error)
      return report
    }
    if documents.contains(where: ManifestCheck.isObject) {
      return ManifestCheck(annotations: annotations, lines: SourceLines(text)).check(documents)
    }
    if let members = documents.first.flatMap(AnnotationsBlock.find) {
      return AnnotationsBlock(annotations: annotations, lines: SourceLines(text)).check(members)
    }
    if let root = documents.first, NodeConfigCheck.isOne(root) {
      return NodeConfigCheck.check(root, grammar: annotations.grammar)
    }
    guard isFound || documents.first.map(isOthers) == true else { return check(value: text, documents.first) }
    if isFound {
      report.add(.init(kind: "file of others", name: "", key: nil, value: nil, summary: "nothing for oomlet in it", request: nil))
    } else {
      report.add(
        Problem(
          line: 1, column: 1,
          message: "nothing for oomlet in it: expected the value of an annotation oom.policy, lines of annotations, "
            + "a Kubernetes manifest, a bundle's config.json or a node configuration"))
    }
    return report
  }

  /// Whether it has many keys, and none that is like one of ours.
  private func isOthers(_ root: YAMLNode) -> Bool {
    let keys = PolicyGrammar.keys.map(\.name)
    return root.members.map { $0.count > 1 && !$0.contains { nearestSpelling(to: $0.key, among: keys) != nil } } ?? false
  }

  private func check(value text: [UInt8], _ root: YAMLNode?) -> CheckReport {
    var report = CheckReport()
    let kind = "annotation value"
    let start = (line: root?.line ?? 1, column: root?.column ?? 1)
    switch annotations.grammar.parse(text) {
    case .failure(let problems):
      for problem in problems.all {
        let (line, column) = problem.line == 0 ? start : (problem.line, problem.column)
        report.add(Problem(line: line, column: column, message: "\(kind): \(problem.message)"))
      }
    case .success(let request):
      for warning in annotations.limitWarnings(request) {
        report.warn(Problem(line: start.line, column: start.column, message: "\(kind): \(warning)"))
      }
      let value = String(decoding: text, as: UTF8.self)
      for doubt in PolicyGrammar.doubts(in: value) {
        report.warn(Problem(line: doubt.line, column: doubt.column, message: "\(kind): \(doubt.message)"))
      }
      report.add(.init(kind: kind, name: "", key: nil, value: value, summary: request.summary, request: request))
    }
    return report
  }
}
