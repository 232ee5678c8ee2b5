import OomletModel
import Testing

@Suite struct PolicyNameTests {
  @Test(arguments: ["largest-rss", "a", "0", "a1", String(repeating: "x", count: 63)])
  func `a name of letters, digits and dashes is a policy's`(_ text: String) {
    #expect(PolicyName(text)?.description == text)
  }

  @Test(arguments: [
    "", "-a", "a-", "A", "a b", "a/b", "../a", ".", "a.b", "a_b", "a\0", "\u{202e}a", "é", String(repeating: "x", count: 64),
  ])
  func `anything else is not`(_ text: String) {
    #expect(PolicyName(text) == nil)
  }
}

@Suite struct ContainerIdentityTests {
  @Test(arguments: ["a", "A_b+c-d.e", "..a", String(repeating: "f", count: 127)])
  func `runc's container ids are taken`(_ id: String) {
    #expect(ContainerIdentity(id: id)?.id == id)
  }

  @Test(arguments: ["", ".", "..", "a/b", "../a", "a b", "a\n", "a\0", "é", String(repeating: "f", count: 128)])
  func `what could be a path or a control character is refused`(_ id: String) {
    #expect(ContainerIdentity(id: id) == nil)
  }
}

@Suite struct SpellingTests {
  @Test(arguments: [
    ("largets-rss", "largest-rss"), ("largest_rss", "largest-rss"), ("largestrss", "largest-rss"), ("yungest", "youngest"),
    ("Youngest", "youngest"),
  ])
  func `a misspelling finds what was meant`(_ text: String, _ meant: String) {
    #expect(nearestSpelling(to: text, among: ["largest-rss", "youngest"]) == meant)
  }

  @Test(arguments: ["", "postgres", "/etc/passwd", String(repeating: "largest-rss", count: 100_000)])
  func `what is like nothing finds nothing`(_ text: String) {
    #expect(nearestSpelling(to: text, among: ["largest-rss", "youngest"]) == nil)
  }
}

@Suite struct PrintableTests {
  @Test(arguments: [
    ("plain", "plain"), ("ümläut 日本", "ümläut 日本"), ("\u{1b}[31mred", "\\u{1b}[31mred"), ("a\nb", "a\\u{a}b"),
    ("\u{202e}evil", "\\u{202e}evil"), ("\u{9b}31m", "\\u{9b}31m"), ("a\0b", "a\\u{0}b"),
  ])
  func `a terminal sees nothing that moves its cursor`(_ text: String, _ shown: String) {
    #expect(printable(text) == shown)
  }

  @Test func `what went wrong is one printable line, whatever it quotes`() {
    let evil = "cannot open \u{1b}[2J\r\nroot: all is well\u{9b}31m"
    #expect(Failure(.failed, evil).description == "cannot open \\u{1b}[2J\\u{d}\\u{a}root: all is well\\u{9b}31m")
    #expect(Problem(line: 1, column: 2, message: evil).message == Failure(.failed, evil).description)
    #expect(Failure(.failed, Failure(.failed, evil).description).description == Failure(.failed, evil).description)
  }

  @Test func `lines stay lines`() { #expect(printable(lines: "a\r\nb\n\u{202e}") == "a\\u{d}\nb\n\\u{202e}") }

  @Test func `a long text is cut`() {
    #expect(printable(String(repeating: "x", count: 300), limit: 4) == "xxxx…")
  }
}
