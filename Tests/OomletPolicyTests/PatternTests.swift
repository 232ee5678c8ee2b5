import OomletModel
import Testing

/// What a glob with * alone means, told by trying everything.
private func globMatches(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
  guard let first = pattern.first else { return text.isEmpty }
  if first == UInt8(ascii: "*") {
    return globMatches(pattern.dropFirst(), text) || (!text.isEmpty && globMatches(pattern, text.dropFirst()))
  }
  return text.first == first && globMatches(pattern.dropFirst(), text.dropFirst())
}

@Suite struct PatternTests {
  @Test func `patterns match what a glob matches`() throws {
    var numbers = Numbers()
    var matched = 0
    for _ in 0..<20_000 {
      let letters = Array("aab*".utf8.prefix(Int.random(in: 2...4, using: &numbers)))
      let pattern = (0..<Int.random(in: 1...8, using: &numbers)).map { _ in
        Int.random(in: 0..<3, using: &numbers) == 0 ? UInt8(ascii: "*") : letters.randomElement(using: &numbers)!
      }
      let comm = (0..<Int.random(in: 0...15, using: &numbers)).map { _ in "ab".utf8.randomElement(using: &numbers)! }
      let expected = globMatches(pattern[...], comm[...])
      matched += expected ? 1 : 0
      let text = String(decoding: pattern, as: UTF8.self)
      #expect(try CommPattern(text).matches(comm) == expected, "\(text) \(String(decoding: comm, as: UTF8.self))")
    }
    // Else the pairs would tell nothing
    #expect(matched > 2000 && matched < 18_000)
  }

  @Test(arguments: [
    ("postgres*", "postgres", true), ("postgres*", "postgre", false), ("*", "", true), ("***", "x", true), ("a", "", false),
    ("*sql", "mysql", true), ("a*b*c", "aXbXc", true), ("a*b*c", "aXbX", false), ("abcdefghijklmno", "abcdefghijklmno", true),
    ("abcdefghijklmno*", "abcdefghijklmno", true), ("*abcdefghijklmno", "abcdefghijklmno", true), ("ä*", "äx", true),
    ("A", "a", false),
    ("a?", "ab", false), ("[a]", "a", false), ("a.b", "aXb", false),
  ])
  func `only the star is special`(_ pattern: String, _ comm: String, _ matches: Bool) throws {
    #expect(try CommPattern(pattern).matches(Array(comm.utf8)) == matches)
  }

  @Test func `more than the kernel keeps of a name is not looked at`() throws {
    #expect(try CommPattern("abcdefghijklmno").matches(Array("abcdefghijklmnopq".utf8)))
  }

  @Test(
    arguments: [
      ("", .empty), ("abcdefghijklmnop", .tooLong), ("*abcdefgh*ijklmnop*", .tooLong), ("äöüäöüäö", .tooLong),
      ("a\nb", .controlCharacter),
      ("\u{7f}", .controlCharacter), ("\0", .controlCharacter),
    ] as [(String, CommPattern.Invalid)])
  func `what no process can be called is refused`(_ text: String, _ why: CommPattern.Invalid) {
    #expect(throws: why) { try CommPattern(text) }
  }
}
