internal import OomletModel
internal import OomletYAML

/// One annotation's value.
struct AnnotationCheck {
  let grammar: PolicyGrammar
  let limits: AnnotationLimits

  /// What this node would take back of a request.
  func limitWarnings(_ request: PolicyRequest) -> [String] {
    do throws(Failure) { return try limits.apply(to: request).warnings } catch { return [error.description] }
  }

  /// - Parameters:
  ///   - name: what comes before the messages.
  ///   - lines: of the text that `node` is in.
  /// - Returns: the request, or nil: that is reported.
  func check(_ node: YAMLNode, name: String, lines: SourceLines?, _ report: inout CheckReport) -> PolicyRequest? {
    guard let text = node.text, node.scalarKind == .text else {
      let way =
        node.text == nil ? "; write | after the key, and the \(node.items == nil ? "mapping" : "list") in the lines below" : ""
      report.add(node.problem("\(name): \(node.shown): expected a text\(way)"))
      return nil
    }
    switch grammar.parse(text) {
    case .failure(let problems):
      for problem in problems.all { report.add(problem.moved(into: node, lines, name)) }
      return nil
    case .success(let request):
      for warning in limitWarnings(request) { report.warn(node.problem("\(name): \(warning)")) }
      for doubt in PolicyGrammar.doubts(in: text) { report.warn(doubt.moved(into: node, lines, name)) }
      return request
    }
  }
}

extension Problem {
  /// From the value's own lines to the file's.
  fileprivate func moved(into node: YAMLNode, _ lines: SourceLines?, _ name: String) -> Problem {
    guard line > 0 else { return node.problem("\(name): \(message)") }
    guard node.isLiteral, let lines else {
      return node.problem("\(name): line \(line), column \(column) of the value: \(message)")
    }
    let place = lines.place(line: line, column: column, in: node)
    return Problem(line: place.line, column: place.column, message: "\(name): \(message)")
  }
}
