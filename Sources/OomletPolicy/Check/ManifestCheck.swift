internal import OomletModel
internal import OomletOCI
internal import OomletYAML

/// Kubernetes manifests: the annotations of pods and of what makes pods.
struct ManifestCheck {
  let annotations: AnnotationCheck
  let lines: SourceLines

  static func isObject(_ root: YAMLNode) -> Bool { root["apiVersion"] != nil || root["kind"] != nil }

  func check(_ documents: [YAMLNode]) -> CheckReport {
    var report = CheckReport()
    for document in documents where document.scalarKind != .null { check(document, &report) }
    if report.count == 0 {
      report.add(
        .init(kind: "Kubernetes manifest", name: "", key: nil, value: nil, summary: "no pod or workload in it", request: nil))
    }
    return report
  }

  private func check(_ object: YAMLNode, _ report: inout CheckReport) {
    guard let kind = object["kind"]?.text, object["apiVersion"]?.text != nil else {
      let missing = object["kind"]?.text == nil ? "kind" : "apiVersion"
      return report.add(object.problem("Kubernetes manifest: no \(missing): expected an object with apiVersion and kind"))
    }
    if let items = object[kind == "Template" ? "objects" : "items"]?.items, kind == "Template" || kind.hasSuffix("List") {
      for item in items { check(item, &report) }
      return
    }
    // All pods that it makes get its annotations
    guard kind != "Kustomization" else { return }
    let name = object["metadata"]?["name"]?.text ?? object["metadata"]?["generateName"]?.text ?? ""
    let templates = PodTemplate.all(in: object, kind: kind)
    let before = report.count
    var read: [PlacedAnnotation] = []
    for template in templates {
      let annotations = placed(template.node, kind, name, &report)
      read += annotations
      checkPod(annotations, template, templates.count > 1 ? template.path : nil, kind, name, &report)
    }
    if let template = templates.first, !template.path.isEmpty, PodTemplate.isKnown(kind) {
      let own = placed(object, kind, name, &report)
      checkOwn(own, read, template, kind, name, &report)
      read += own
    }
    warnOfUnread(object, read, templates.first?.annotationsPath, kind, name, &report)
    guard report.count == before, !templates.isEmpty else { return }
    report.add(.init(kind: kind, name: name, key: nil, value: nil, summary: "no \(PolicyKey.name)", request: nil))
  }

  /// - Parameter place: of the template, if there are several.
  private func checkPod(
    _ annotations: [PlacedAnnotation], _ template: PodTemplate, _ place: String?, _ kind: String, _ name: String,
    _ report: inout CheckReport
  ) {
    var check = AnnotationsCheck(annotation: self.annotations, lines: lines, kind: kind, name: name)
    check.place = place
    let requests = check.check(annotations, &report)
    let containers = Containers(template.spec)
    containers.check(annotations, check, &report)
    warnOfOrders(requests, containers, annotations, check, &report)
  }

  /// The workload's own metadata.
  private func checkOwn(
    _ own: [PlacedAnnotation], _ read: [PlacedAnnotation], _ template: PodTemplate, _ kind: String, _ name: String,
    _ report: inout CheckReport
  ) {
    var check = AnnotationsCheck(annotation: annotations, lines: lines, kind: kind, name: name)
    check.place = "metadata"
    _ = check.check(own, &report)
    Containers(template.spec).check(own, check, &report)
    for each in own where PolicyKey(each.key) != nil && !read.contains(where: { $0.key == each.key }) {
      report.warn(
        each.problem(
          "\(check.title(each.key)): Kubernetes does not read it in the \(kind)'s own metadata, as podman's kube play does: expected it in \(template.annotationsPath)"
        ))
    }
  }

  /// Keys of oomlet's in other places than those that have been read.
  private func warnOfUnread(
    _ object: YAMLNode, _ read: [PlacedAnnotation], _ expected: String?, _ kind: String, _ name: String,
    _ report: inout CheckReport
  ) {
    let expected = expected ?? "metadata.annotations of a pod, or of a template for pods"
    object.visit { path, node in
      for member in node.members ?? [] where PolicyKey(member.key) != nil && !read.contains(where: member.isPlaced) {
        let place = path.isEmpty ? "there" : "in \(printable(path))"
        report.warn(
          member.problem("\(subject(kind, name)): \(printable(member.key)): nobody reads it \(place): expected it in \(expected)")
        )
      }
      return true
    }
  }

  private func placed(
    _ object: YAMLNode?, _ kind: String, _ name: String, _ report: inout CheckReport
  ) -> [PlacedAnnotation] {
    guard let node = object?["metadata"]?["annotations"], node.scalarKind != .null else { return [] }
    guard let members = node.members else {
      report.add(node.problem("\(subject(kind, name)): metadata.annotations: \(node.shown): expected a mapping"))
      return []
    }
    return members.map { PlacedAnnotation(key: $0.key, line: $0.line, column: $0.column, value: $0.value) }
  }

  /// There is one order for the pod, and each of its containers may ask for one.
  private func warnOfOrders(
    _ requests: [PolicyKey: PolicyRequest?], _ containers: Containers, _ annotations: [PlacedAnnotation],
    _ check: AnnotationsCheck, _ report: inout CheckReport
  ) {
    func asked(_ key: PolicyKey) -> PolicyRequest? { (requests[key] ?? requests[key.twin]) ?? nil }
    let orders = containers.names.compactMap { (asked(PolicyKey(container: $0)) ?? asked(PolicyKey()))?.order }
    guard let first = orders.first, orders.contains(where: { $0 != first }),
      let last = annotations.last(where: { PolicyKey($0.key) != nil })
    else { return }
    report.warn(
      last.problem(
        "\(check.title(last.key)): the pod's containers ask for different orders, of which the last to start decides: expected the same order in all"
      ))
  }
}

extension YAMLNode.Member {
  fileprivate func isPlaced(as annotation: PlacedAnnotation) -> Bool {
    (line, column) == (annotation.line, annotation.column)
  }
}

/// A pod's containers of all sorts.
private struct Containers {
  let names: [String]

  init(_ spec: YAMLNode?) {
    names = ["containers", "initContainers", "ephemeralContainers"].flatMap { spec?[$0]?.items ?? [] }
      .compactMap { $0["name"]?.text }
  }

  /// Whether the containers that annotations name are there.
  func check(_ annotations: [PlacedAnnotation], _ check: AnnotationsCheck, _ report: inout CheckReport) {
    for each in annotations {
      guard let container = PolicyKey(each.key)?.container, !names.contains(container) else { continue }
      let title = check.title(each.key)
      // A patch of some tool: only its result shows all
      guard !names.isEmpty else {
        report.warn(each.problem("\(title): no containers here: whether \(quoted(container)) is one can't be told"))
        continue
      }
      let expected = names.map { printable($0, limit: 63) }
      report.add(
        each.problem(
          "\(title): the pod has no container \(quoted(container)): expected \(oneOf(expected))\(hint(for: container, among: expected))"
        ))
    }
  }
}
