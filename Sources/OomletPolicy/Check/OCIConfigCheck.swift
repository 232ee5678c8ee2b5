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
    var report = CheckReport()
    do throws(JSON.ParseError) {
      guard try JSON(parsing: text, integers: .asNumbers)["ociVersion"] != nil else { return nil }
    } catch {
      // A mapping of YAML begins the same way
      guard String(decoding: text, as: UTF8.self).contains("\"ociVersion\"") else { return nil }
      let message = "\(OCIConfigCheck.kind): not JSON: \(printable(error.message))"
      report.add(Problem(line: error.line, column: max(1, error.column), message: message))
      return report
    }
    do throws(Failure) {
      let config = try BundleConfig(parsing: text, path: OCIConfigCheck.kind)
      check(ContainerAnnotations(config.annotations), text, &report)
    } catch {
      report.add(Problem(line: 0, column: 0, message: error.description))
    }
    return report
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
