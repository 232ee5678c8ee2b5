internal import OomletJSON
internal import OomletModel
internal import OomletOCI
internal import OomletYAML

/// A bundle's config.json.
struct OCIConfigCheck {
  let annotations: AnnotationCheck

  private static let kind = "OCI configuration"

  /// nil: it is none.
  func check(_ text: [UInt8]) -> CheckReport? {
    guard text.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") else { return nil }
    guard let config = try? BundleConfig(parsing: text, path: OCIConfigCheck.kind) else { return notRead(text) }
    guard (try? LooseJSON(parsing: text))?["ociVersion"] != nil else { return nil }
    var report = CheckReport()
    let strict = strictError(text)
    guard let fault = config.annotations.fault else {
      let id = config.annotations["io.kubernetes.cri-o.ContainerID"] ?? ""
      check(ContainerAnnotations(config.annotations, id: id), text, &report)
      if let strict { report.warn(notJSON(strict, "; the hook reads it all the same")) }
      return report
    }
    report.add(strict.map { notJSON($0, ": \(fault)") } ?? problem(fault, text))
    return report
  }

  private func strictError(_ text: [UInt8]) -> JSON.ParseError? {
    do throws(JSON.ParseError) { _ = try JSON(parsing: text, integers: .asNumbers) } catch { return error }
    return nil
  }

  private func problem(_ fault: Failure, _ text: [UInt8]) -> Problem {
    let place = places(text).first { fault.description.hasPrefix(printable($0.key)) }?.value
    return Problem(line: place?.line ?? 1, column: place?.column ?? 1, message: "\(OCIConfigCheck.kind): \(fault)")
  }

  /// A mapping of YAML begins the same way.
  private func notRead(_ text: [UInt8]) -> CheckReport? {
    guard String(decoding: text, as: UTF8.self).contains("\"ociVersion\"") else { return nil }
    var report = CheckReport()
    do throws(JSON.ParseError) { _ = try LooseJSON(parsing: text) } catch { report.add(notJSON(error)) }
    return report
  }

  private func notJSON(_ error: JSON.ParseError, _ more: String = "") -> Problem {
    let message = "\(OCIConfigCheck.kind): not JSON: \(printable(error.message))\(more)"
    return Problem(line: error.line, column: max(1, error.column), message: message)
  }

  private func check(_ container: ContainerAnnotations, _ text: [UInt8], _ report: inout CheckReport) {
    let places = Dictionary(places(text).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    let placed = container.keys.map { key in
      let value = YAMLNode.Value.scalar(container[key] ?? "", isPlain: false)
      guard let member = places[key] else {
        return PlacedAnnotation(key: key, line: 1, column: 1, value: YAMLNode(value, line: 1, column: 1))
      }
      let (line, column) = (member.value.line, member.value.column)
      return PlacedAnnotation(
        key: key, line: member.line, column: member.column, value: YAMLNode(value, line: line, column: column))
    }
    let name = container.containerName
    let check = AnnotationsCheck(annotation: annotations, lines: nil, kind: OCIConfigCheck.kind, name: name)
    _ = check.check(placed, &report)
    guard report.count == 0 else { return }
    report.add(
      .init(kind: OCIConfigCheck.kind, name: name, key: nil, value: nil, summary: "no \(PolicyKey.name)", request: nil))
  }

  /// The JSON reader tells no places; as YAML, which JSON nearly is, the same text does.
  private func places(_ text: [UInt8]) -> [YAMLNode.Member] {
    let documents = try? YAMLReader.documents(text, limits: Checker.limits, references: .followed)
    return documents?.first?["annotations"]?.members ?? []
  }
}
