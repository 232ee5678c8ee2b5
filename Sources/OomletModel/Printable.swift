/// A stranger's text, made safe for a terminal or a log line: control, bidirectional-format and line-separating
/// characters are shown as `\u{…}`, and what is longer than `limit` characters is cut with `…`.
public func printable(_ text: String, limit: Int = 256) -> String {
  var result = ""
  var count = 0
  for scalar in text.unicodeScalars {
    guard count < limit else { return result + "…" }
    count += 1
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      result += "\\u{\(String(scalar.value, radix: 16))}"
    default:
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// Printable and in double quotes.
public func quoted(_ text: String) -> String { "\"\(printable(text))\"" }
