/// A pattern of another language than oomlet's: a regular expression, a shell's, a list, a path where a name is meant. In
/// oomlet's `*` stands for any number of characters, and all others stand for themselves.
public struct ForeignPattern: Equatable, Sendable {
  /// What it shows by.
  public let sign: String
  /// What it was most likely meant to be, several patterns or none.
  public let meant: [String]

  /// What it stands for.
  public enum Subject: Sendable { case name, path }

  /// nil: the pattern may well be meant as it is.
  public init?(_ text: String, of subject: Subject) {
    // Some programs call their processes so
    let isInParentheses = text.hasPrefix("(") && text.hasSuffix(")") && !text.contains("|")
    // In paths, `.*` is any suffix, and `\` in systemd's names
    let signs = ["^", "$", "|", "?", "{", ","] + (subject == .name ? ["\\", "/", ".*", ".+"] : [])
    guard
      let sign = signs.first(where: text.contains)
        ?? (text.drop { $0 != "[" }.contains("]") ? "[" : text.contains("(") && !isInParentheses ? "(" : nil)
    else { return nil }
    self.sign = sign
    meant = ForeignPattern.translated(text, subject)
  }

  private static func translated(_ text: String, _ subject: Subject) -> [String] {
    let star = UInt8(ascii: "*")
    var rest = Array(text.utf8)[...]
    var patterns: [[UInt8]] = [[]]
    func add(_ byte: UInt8) { patterns[patterns.count - 1].append(byte) }
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "|"), UInt8(ascii: ","): patterns.append([])
      case UInt8(ascii: "/") where subject == .name: patterns[patterns.count - 1] = []
      case UInt8(ascii: ".") where subject == .name && rest.first.map("*+".utf8.contains) == true:
        rest.removeFirst()
        add(star)
      case UInt8(ascii: "["):
        rest = rest.drop { $0 != UInt8(ascii: "]") }.dropFirst()
        add(star)
      case UInt8(ascii: "?"): add(star)
      case _ where "^$(){}\\".utf8.contains(byte): break
      default: add(byte)
      }
    }
    return patterns.filter { $0.contains { $0 != star } }.map { String(decoding: $0, as: UTF8.self) }
  }
}
