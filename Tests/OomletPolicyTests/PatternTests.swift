import OomletModel
import OomletPolicy
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

@Suite struct ForeignPatternTests {
  @Test(
    arguments: [
      ("^(init|sshd)$", "^", ["init", "sshd"]), ("java.*", ".*", ["java*"]), ("/usr/bin/nginx", "/", ["nginx"]),
      ("[jJ]ava", "[", ["*ava"]), ("^java", "^", ["java"]), ("java$", "$", ["java"]), ("a|b", "|", ["a", "b"]),
      ("worker?", "?", ["worker*"]), ("{a,b}*", "{", ["a", "b*"]), ("nginx,redis", ",", ["nginx", "redis"]), (".*", ".*", []),
      ("py\\w", "\\", ["pyw"]), ("(a|b)", "|", ["a", "b"]), ("worker[0-9]+", "[", ["worker*+"]), ("x.+", ".+", ["x*"]),
      ("python3\\.11", "\\", ["python3.11"]), ("./app", "/", ["app"]), ("/sbin/init", "/", ["init"]), ("(java)x", "(", ["javax"]),
    ] as [(String, String, [String])])
  func `another language is known by a sign`(_ text: String, _ sign: String, _ meant: [String]) throws {
    let foreign = try #require(ForeignPattern(text, of: .name))
    #expect(foreign.sign == sign && foreign.meant == meant)
  }

  @Test(arguments: [
    "init", "postgres*", "*", "g++", "(sd-pam)", "python3.11", "tmux: server", "Web Content", "[celeryd*", "a.b", "käse*",
    "C2 Comp*",
  ])
  func `what processes are called is no sign`(_ text: String) { #expect(ForeignPattern(text, of: .name) == nil) }

  @Test(arguments: [#"system.slice/dev-disk\x2d1.mount"#, "/tmp/*.log.*", "/tmp/.*", "system.slice/user@*.service"])
  func `nor is what paths have`(_ text: String) { #expect(ForeignPattern(text, of: .path) == nil) }

  private func warnings(_ text: String) -> [String] {
    Checker(grammar: PolicyGrammar()).check(Array(text.utf8)).warnings.map(\.description)
  }

  @Test func `check warns of each where it stands, and says what a pattern is`() {
    #expect(
      warnings("victim: youngest\nprotect: [init, \"java.*\"]\nprefer: ['^(a|b)$']") == [
        "line 2, column 17: annotation value: protect: \"java.*\": \".*\" stands for itself: a pattern is for a process's name as ps -o comm shows it, in which * is any characters and no other is special; did you mean \"java*\"?",
        "line 3, column 10: annotation value: prefer: \"^(a|b)$\": \"^\" stands for itself: a pattern is for a process's name as ps -o comm shows it, in which * is any characters and no other is special; did you mean \"a\", \"b\"?",
      ])
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    oom.policy: |\n      protect: [/bin/sh]\n"
    #expect(warnings(pod).map { $0.prefix(66) } == ["line 6, column 17: Pod: oom.policy: protect: \"/bin/sh\": \"/\" stands"])
    #expect(warnings("pressure: {full: 40%}\nrelief: [{stage: delete, at: 10%, files: ['/tmp/{a,b}']}]").count == 1)
  }

  @Test func `a node configuration's patterns, too`() {
    let config = """
      system: {protect: ["system.slice/(a|b).service", init.scope]}
      cgroups: [{cgroup: "machine.slice/?", pressure: {full: 40%}}]
      rules:
      - match: {cgroup: "a/[bc]", namespace: "^kube-.*", label: {tier: "a|b"}}
        policy: {protect: [/bin/sh]}
      """
    let places = warnings(config).map { $0.split(separator: ": ")[1] }
    #expect(
      places == [
        "system.protect", "cgroups[1].cgroup", "rules[1].match.cgroup", "rules[1].match.namespace", "rules[1].match.label.tier",
        "rules[1].policy.protect",
      ], "\(warnings(config))")
  }

  @Test func `a path too long for a name has a hint`() {
    let report = Checker(grammar: PolicyGrammar()).check(Array("protect: [/usr/local/bin/nginx]".utf8))
    #expect(
      report.problems.first?.description.hasSuffix("expected init or a comm pattern such as postgres*; did you mean \"nginx\"?")
        == true)
  }
}
