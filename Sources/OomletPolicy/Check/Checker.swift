internal import OomletJSON
internal import OomletModel
internal import OomletYAML

/// Checks a text that may be an annotation's value, a Kubernetes manifest, a bundle's config.json or a node configuration;
/// which one it is shows its content.
public struct Checker {
  private let annotations: AnnotationCheck

  public init(grammar: PolicyGrammar, limits: AnnotationLimits = AnnotationLimits()) {
    annotations = AnnotationCheck(grammar: grammar, limits: limits)
  }

  /// Manifests of a whole cluster are long, and definitions of resources deep.
  static let limits = YAMLReader.Limits(size: 16 << 20, depth: 128, nodes: 2_000_000)

  public func check(_ text: [UInt8]) -> CheckReport {
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
    if let root = documents.first, NodeConfigCheck.isOne(root) {
      return NodeConfigCheck.check(root, grammar: annotations.grammar)
    }
    return check(value: text, documents.first)
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
      report.add(.init(kind: kind, name: "", key: nil, value: value, summary: request.summary, request: request))
    }
    return report
  }
}
