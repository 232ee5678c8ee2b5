import OomletJSON
import OomletModel

/// On one line, with strangers' control and bidirectional characters as `\uXXXX`: the same JSON, safe for a terminal.
func forTerminal(_ json: JSON) -> String {
  String(decoding: json.encoded(), as: UTF8.self).unicodeScalars.map { scalar in
    let text = String(scalar)
    guard printable(text) != text else { return text }
    return text.utf16.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }.joined()
}
