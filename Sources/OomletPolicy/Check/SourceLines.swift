internal import OomletYAML

/// How long the lines of a text are, in characters, as YAML breaks them.
struct SourceLines {
  private let lengths: [Int]

  init(_ text: [UInt8]) { self.init(String(decoding: text, as: UTF8.self)) }

  private init(_ text: String) {
    var lengths = [0]
    var before: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n" where before == "\r": break
      case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": lengths.append(0)
      default: lengths[lengths.count - 1] += 1
      }
      before = scalar
    }
    self.lengths = lengths
  }

  /// Where in the text a place of a literal block's content is: its lines are the ones after the `|`, without their
  /// indentation.
  func place(line: Int, column: Int, in literal: YAMLNode) -> (line: Int, column: Int) {
    let content = SourceLines(literal.text ?? "").lengths
    let filled = content.firstIndex { $0 > 0 } ?? 0
    let first = literal.line + filled
    let indentation = first < lengths.count ? max(0, lengths[first] - content[filled]) : 0
    return (literal.line + line, column + indentation)
  }
}
