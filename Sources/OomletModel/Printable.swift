extension Unicode.Scalar {
  /// Whether it only shows itself: no control, no bidirectional or other format character, no line end, nothing unassigned.
  public var isPrintable: Bool {
    // Most are
    if (0x20..<0x7f).contains(value) { return true }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: return false
    default: return true
    }
  }
}

/// A stranger's text on one line, safe for a terminal and for a log: what is not printable is shown as `\u{…}`, and what is
/// longer than `limit` characters is cut with `…`.
public func printable(_ text: String, limit: Int = 256) -> String {
  var result = ""
  var count = 0
  for scalar in text.unicodeScalars {
    guard count < limit else { return result + "…" }
    count += 1
    if scalar.isPrintable { result.unicodeScalars.append(scalar) } else { result += "\\u{\(String(scalar.value, radix: 16))}" }
  }
  return result
}

/// Each line as ``printable(_:limit:)`` has it.
public func printable(lines text: String) -> String {
  guard !text.unicodeScalars.allSatisfy({ $0.isPrintable || $0 == "\n" }) else { return text }
  return text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    .map { printable(String($0), limit: .max) }.joined(separator: "\n")
}

/// Printable and in double quotes.
public func quoted(_ text: String) -> String { "\"\(printable(text))\"" }
