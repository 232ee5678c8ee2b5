internal import OomletModel
internal import OomletOCI
internal import OomletYAML

/// Lines of an object's annotations without the object: pasted, or a patch.
struct AnnotationsBlock {
  let annotations: AnnotationCheck
  let lines: SourceLines

  private static let places = [
    "", "annotations", "metadata.annotations", "template.metadata.annotations", "spec.template.metadata.annotations",
    "spec.jobTemplate.spec.template.metadata.annotations",
  ]

  /// The members of the first such mapping in which there is something for oomlet; nil: there is none.
  static func find(in root: YAMLNode) -> [YAMLNode.Member]? {
    places.lazy.compactMap { place in place.split(separator: ".").reduce(root as YAMLNode?) { $0?[String($1)] }?.members }
      .first { $0.contains { PolicyKey($0.key) != nil || PolicyKey.meant(by: $0.key) != nil } }
  }

  func check(_ members: [YAMLNode.Member]) -> CheckReport {
    var report = CheckReport()
    let check = AnnotationsCheck(annotation: annotations, lines: lines, kind: "annotations", name: "")
    _ = check.check(members.map { PlacedAnnotation(key: $0.key, line: $0.line, column: $0.column, value: $0.value) }, &report)
    guard report.count == 0 else { return report }
    report.add(.init(kind: check.kind, name: "", key: nil, value: nil, summary: "no \(PolicyKey.name)", request: nil))
    return report
  }
}
