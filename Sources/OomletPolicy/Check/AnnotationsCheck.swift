internal import OomletModel
internal import OomletOCI
internal import OomletYAML

/// An annotation as it stands in a file.
struct PlacedAnnotation {
  let key: String
  let line: Int
  let column: Int
  let value: YAMLNode

  func problem(_ message: String) -> Problem { Problem(line: line, column: column, message: message) }
}

/// All annotations of one object: values, spellings, and whether they go together.
struct AnnotationsCheck {
  let annotation: AnnotationCheck
  /// Of the text that they are in, if their places are exact.
  let lines: SourceLines?
  let kind: String
  let name: String
  /// Where in the object they are, if not where everybody looks for them.
  var place: String?

  /// - Returns: what is asked for, by key; nil what is invalid.
  func check(_ annotations: [PlacedAnnotation], _ report: inout CheckReport) -> [PolicyKey: PolicyRequest?] {
    var requests: [PolicyKey: PolicyRequest?] = [:]
    let byKey = Dictionary(annotations.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
    for each in annotations {
      guard let key = PolicyKey(each.key) else {
        warnOfSpelling(each, &report)
        continue
      }
      let request = annotation.check(each.value, name: title(each.key), lines: lines, &report)
      requests[key] = .some(request)
      if let twin = byKey[key.twin.text], twin.isBefore(each),
        twin.value.text != each.value.text
      {
        let other = "\(title(each.key)): \(each.value.shown), but \(twin.key): \(twin.value.shown)"
        report.add(each.problem("\(other): expected one of the two keys"))
      }
      guard let request else { continue }
      let value = each.value.text
      report.add(
        .init(
          kind: kind, name: name, key: each.key, value: value, summary: request.summary, request: request, place: place))
    }
    return requests
  }

  /// What comes before messages on an annotation.
  func title(_ key: String) -> String { "\(subject(kind, name)): \(printable(key))" }

  private func warnOfSpelling(_ annotation: PlacedAnnotation, _ report: inout CheckReport) {
    guard let meant = PolicyKey.meant(by: annotation.key) else { return }
    report.warn(
      annotation.problem("\(title(annotation.key)): oomlet does not read this key; did you mean \(quoted(meant.text))?"))
  }
}

extension PlacedAnnotation {
  fileprivate func isBefore(_ other: PlacedAnnotation) -> Bool { (line, column, key) < (other.line, other.column, other.key) }
}
