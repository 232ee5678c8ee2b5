import OomletModel
import OomletPolicy
import Testing

private let grammar = PolicyGrammar(customPolicies: ["growth"])

private func request(_ text: String) throws -> PolicyRequest { try grammar.parse(text).get() }

/// What is wrong, a line each.
private func problems(_ text: String) -> String {
  switch grammar.parse(text) {
  case .success: ""
  case .failure(let problems): problems.all.map(\.description).joined(separator: "\n")
  }
}

private let victims =
  "the name of a policy: largest-rss, largest-memory, largest-anon, largest-shmem, youngest, oldest, highest-oom-score, kernel or growth"

@Suite struct GrammarTests {
  @Test(arguments: VictimRule.allCases) func `each rule is a value by itself, and a victim`(_ rule: VictimRule) throws {
    #expect(try request(rule.rawValue).victim == .rule(rule))
    #expect(try request("victim: \(rule.rawValue)").victim == .rule(rule))
  }

  @Test func `a name alone is all of its defaults`() throws {
    #expect(try request("largest-memory") == PolicyRequest())
    #expect(try request("{}") == PolicyRequest())
  }

  /// One good value for each key, and what becomes of it.
  @Test(
    arguments: [
      ("victim: growth", PolicyRequest(victim: .custom(PolicyName("growth")!))),
      ("kill: container", PolicyRequest(kill: .container)),
      ("kill: \"pod\"", PolicyRequest(kill: .pod)),
      ("protect: [init, 'post*', nginx]", PolicyRequest(protect: [.initProcess, pattern("post*"), pattern("nginx")])),
      ("protect: []", PolicyRequest()),
      (
        "prefer:\n- \"*worker\"\n- \"true\"\n- yes", PolicyRequest(prefer: [pattern("*worker"), pattern("true"), pattern("yes")])
      ),
      ("min-size: 1.5Gi", PolicyRequest(minSize: 3 << 29)),
      ("order: [priority, qos, over-request, usage, youngest]", PolicyRequest(order: OrderKey.allCases)),
      ("priority: -1000000000", PolicyRequest(priority: -1_000_000_000)),
      ("priority: 1000000000", PolicyRequest(priority: 1_000_000_000)),
      ("priority: 0", PolicyRequest()),
      ("dry-run: true", PolicyRequest(dryRun: true)),
      ("require: true\ndry-run: false", PolicyRequest(require: true)),
      ("oomKillMode: Single", PolicyRequest()),
      ("oomKillMode: Group", PolicyRequest(kill: .container)),
      ("kill: container\noomKillMode: Group", PolicyRequest(kill: .container)),
      (
        "pressure: {full: 40%}",
        PolicyRequest(pressure: pressure(.full, 400, over: 10, for: 20, cooldown: 60))
      ),
      (
        "pressure: {some: 12.5%, over: 2s, for: 0s, cooldown: 24h}",
        PolicyRequest(pressure: pressure(.some, 125, over: 2, for: 0, cooldown: 86_400))
      ),
      (
        "pressure: {some: 100%, over: 5m, for: 30m, cooldown: 1000ms}",
        PolicyRequest(pressure: pressure(.some, 1000, over: 300, for: 1800, cooldown: 1))
      ),
      ("# what dies\n---\nvictim: largest-memory # as ever\n...\n", PolicyRequest()),
    ] as [(String, PolicyRequest)])
  func `what is valid is taken as it is meant`(_ text: String, _ meant: PolicyRequest) throws {
    #expect(try request(text) == meant)
  }

  /// Whole messages, as users see them.
  @Test(arguments: [
    ("largets-rss", "\"largets-rss\" is no policy: expected \(victims); did you mean \"largest-rss\"?"),
    ("victim:youngest", "\"victim:youngest\" is no policy: expected \(victims); in a mapping a space follows the colon"),
    ("", "it is empty: expected \(victims), or a mapping"),
    ("# nothing", "it is empty: expected \(victims), or a mapping"),
    ("~", "\"~\": expected \(victims)"),
    ("[youngest]", "line 1, column 1: a list: expected \(victims), or a mapping"),
    ("--- youngest\n--- oldest", "it has 2 documents: expected \(victims), or a mapping"),
    (
      "victim: yungest", "line 1, column 9: victim: \"yungest\" is no policy: expected \(victims); did you mean \"youngest\"?"
    ),
    ("victim:", "line 1, column 8: victim: nothing: expected \(victims)"),
    ("victim: {a: b}", "line 1, column 9: victim: a mapping: expected \(victims)"),
    ("victim: ../growth", "line 1, column 9: victim: \"../growth\" is no policy: expected \(victims)"),
    (
      "kil: pod",
      "line 1, column 1: \"kil\" is no key of a policy: expected victim, kill, protect, prefer, min-size, order, priority, "
        + "pressure, relief, dry-run, require or oomKillMode; did you mean \"kill\"?"
    ),
    ("kill: pods", "line 1, column 7: kill: \"pods\": expected process, container or pod; did you mean \"pod\"?"),
    ("kill: null", "line 1, column 7: kill: \"null\": expected process, container or pod"),
    ("kill: pod\nkill: pod", "line 2, column 1: key \"kill\" is there twice: first in line 1"),
    (
      "protect: init",
      "line 1, column 10: protect: \"init\": expected a list of at most 8 of init and comm patterns with *; did you mean [init]?"
    ),
    (
      "protect: [abcdefghijklmno*, abcdefghijklmnop]",
      "line 1, column 29: protect: \"abcdefghijklmnop\" is longer than the 15 bytes that the kernel keeps of a process's name: "
        + "expected init or a comm pattern such as postgres*"
    ),
    (
      "protect: [ä, äöüäöüäö]",
      "line 1, column 14: protect: \"äöüäöüäö\" is longer than the 15 bytes that the kernel keeps of a process's name: expected init or a comm pattern such as postgres*"
    ),
    ("protect: [\"\"]", "line 1, column 11: protect: \"\" is empty: expected init or a comm pattern such as postgres*"),
    (
      "protect: [\"a\\eb\"]",
      "line 1, column 11: protect: \"a\\u{1b}b\" has a control character: expected init or a comm pattern such as postgres*"
    ),
    ("protect: [null]", "line 1, column 11: protect: \"null\": expected init or a comm pattern such as postgres*"),
    (
      "prefer: [12]",
      "line 1, column 10: prefer: \"12\" is no text: expected init or a comm pattern such as postgres*; a text like this needs quotes"
    ),
    ("prefer: [[a]]", "line 1, column 10: prefer: a list: expected init or a comm pattern such as postgres*"),
    ("prefer: [a, a, a, a, a, a, a, a, a]", "line 1, column 9: prefer: 9 entries: expected at most 8"),
    (
      "protect: [init, a]\nprefer: [b, init]",
      "line 2, column 13: prefer: \"init\" is protected, too: expected it in one of the two lists"
    ),
    (
      "protect: [*sql]",
      "line 1, column 11: \"*sql\": aliases are not allowed: expected the value itself; a text that begins with * needs quotes"
    ),
    ("min-size: 512", "line 1, column 11: min-size: \"512\": expected a size such as 64Mi (B, Ki, Mi, Gi, Ti, k, M, G, T)"),
    (
      "order: usage",
      "line 1, column 8: order: \"usage\": expected a list of priority, qos, over-request, usage or youngest; did you mean [usage]?"
    ),
    ("order: []", "line 1, column 8: order: an empty list: expected a list of priority, qos, over-request, usage or youngest"),
    ("order: [usage, usage]", "line 1, column 16: order: \"usage\" is there twice: expected each key once"),
    (
      "order: [usege]",
      "line 1, column 9: order: \"usege\": expected priority, qos, over-request, usage or youngest; did you mean \"usage\"?"
    ),
    (
      "priority: 1000000001",
      "line 1, column 11: priority: \"1000000001\": expected a whole number from -1000000000 to 1000000000"
    ),
    (
      "priority: \"1\"",
      "line 1, column 11: priority: \"1\": expected a whole number from -1000000000 to 1000000000, without quotes"
    ),
    ("dry-run: \"true\"", "line 1, column 10: dry-run: \"true\": expected true or false without quotes"),
    ("dry-run: yes", "line 1, column 10: dry-run: \"yes\": expected true or false"),
    ("oomKillMode: single", "line 1, column 14: oomKillMode: \"single\": expected Single or Group; did you mean \"Single\"?"),
    (
      "kill: pod\noomKillMode: Group",
      "line 2, column 14: oomKillMode: \"Group\" is kill: container, but kill is \"pod\": expected one of the two keys"
    ),
    ("pressure: 40%", "line 1, column 11: \"40%\": expected a mapping with keys of pressure: some, full, over, for or cooldown"),
    (
      "pressure: {}",
      "line 1, column 11: pressure: no threshold: expected some or full with a percentage such as 40%, more than 0% and at most 100%"
    ),
    ("pressure: {some: 40%, full: 20%}", "line 1, column 29: pressure: some and full are both there: expected one of them"),
    (
      "pressure: {full: 101%}",
      "line 1, column 18: pressure.full: \"101%\": expected a percentage such as 40%, more than 0% and at most 100%"
    ),
    (
      "pressure: {full: 0.0%}",
      "line 1, column 18: pressure.full: \"0.0%\" is always exceeded: expected a percentage such as 40%, more than 0% and at most 100%"
    ),
    (
      "pressure: {full: 40%, over: 1s}",
      "line 1, column 29: pressure.over: \"1s\" is out of range: expected a duration from 2s to 5m"
    ),
    (
      "pressure: {full: 40%, for: 31m}",
      "line 1, column 28: pressure.for: \"31m\" is out of range: expected a duration from 0s to 30m"
    ),
    (
      "pressure: {full: 40%, cooldown: 0s}",
      "line 1, column 33: pressure.cooldown: \"0s\" is out of range: expected a duration from 1s to 24h"
    ),
    (
      "pressure: {full: 40%, foor: 1s}",
      "line 1, column 23: \"foor\" is no key of pressure: expected some, full, over, for or cooldown; did you mean \"for\"?"
    ),
    ("<<: {kill: pod}", "line 1, column 1: \"<<\": merge keys are not allowed: expected the keys themselves"),
    ("kill: &a pod", "line 1, column 7: \"&a\": anchors, aliases and tags are not allowed: expected the value itself"),
    (
      "kill: !!str pod",
      "line 1, column 7: \"tag:yaml.org,2002:str\": anchors, aliases and tags are not allowed: expected the value itself"
    ),
    ("[a]: b", "line 1, column 1: a key is a list, a mapping or an alias: expected a name"),
    ("kill: pod\n\u{0}", "line 2, column 1: not YAML: control characters are not allowed"),
    ("kill: [pod", "line 2, column 1: not YAML: while parsing a flow sequence: did not find expected ',' or ']'"),
    ("victim: \u{202e}x", "line 1, column 9: victim: \"\\u{202e}x\" is no policy: expected \(victims)"),
  ])
  func `what is invalid is named with place, value and what was expected`(_ text: String, _ message: String) {
    #expect(problems(text) == message)
  }

  @Test(arguments: [
    "priority: 1.5", "priority: +1", "priority: 010", "priority: 0x10", "priority: 1_000", "priority: 1e3", "priority: ",
    "priority: '-'",
    "priority: 99999999999999999999", "dry-run: True", "dry-run: 1", "dry-run: null", "dry-run: []", "require: on",
    "min-size: 64mi",
    "min-size: -1Mi", "min-size: {}", "min-size: ~", "pressure: [full]", "pressure: {full: 40}", "pressure: {full: 0.4}",
    "pressure: {full: 40%, for: 20}", "pressure: {over: 10s}", "pressure: ~", "protect: {init: true}", "protect: ", "protect: ~",
    "kill: [process]", "kill: Process", "order: [null]", "order: {usage: 1}", "victim: null", "victim: [youngest]",
    "victim: none",
    "null", "true", "12", "'' ", "\"youngest\\n\"", "{", "}", "a: b: c", "\tkill: pod",
    "%YAML 9.9\n---\nyoungest",
    "&a youngest", "!x youngest", "*a", "? kill\n: [", "- victim: youngest", "victim: youngest\n---\n", "victim: yoüngest",
    "victim: youngest\u{301}", "min-size: 1\u{212a}i", "kill: pod\nkill : pod", "\u{feff}\u{feff}youngest",
  ])
  func `what nobody can mean is refused`(_ text: String) {
    #expect(!problems(text).isEmpty)
  }

  @Test func `all that is wrong is told, in the order of the text`() {
    let text = "kill: pods\nvictim: yungest\nprotect: [abcdefghijklmnop, 1]\nxyz: 1\npressure: {full: 1}\n"
    #expect(
      problems(text).split(separator: "\n").map { $0.prefix(17) } == [
        "line 1, column 7:", "line 2, column 9:", "line 3, column 11", "line 3, column 29", "line 4, column 1:",
        "line 5, column 18",
      ])
    guard case .failure(let all) = grammar.parse(text) else { return }
    #expect(all.summary.hasSuffix("(and 5 more)"))
  }

  @Test func `what is huge is refused by its size, deep by its depth, manifold by its number`() {
    #expect(problems(String(repeating: "a", count: 256 << 10)) == "262144 bytes are too long: expected at most 16384")
    #expect(problems(String(repeating: "[", count: 9)) == "line 1, column 9: nested too deep: expected at most 8 levels")
    #expect(
      problems("[" + String(repeating: "a,", count: 1000) + "]") == "line 1, column 2000: too many values: expected at most 1000")
    #expect(problems("protect: [" + String(repeating: "*", count: 5000)).contains("not YAML"))
  }

  @Test(
    arguments: [
      ([0xff, 0xfe, 0x61, 0x00], 1, 1), ([0x61, 0x3a, 0x20, 0xc3, 0x28], 1, 5), ([0x61, 0x0a, 0x61, 0xed, 0xa0, 0x80], 2, 2),
      ([0x80], 1, 1), ([0x61, 0xc0, 0x80], 1, 2),
    ] as [([UInt8], Int, Int)])
  func `bytes that are no UTF-8 are refused at their place`(_ bytes: [UInt8], _ line: Int, _ column: Int) {
    guard case .failure(let problems) = grammar.parse(bytes) else {
      Issue.record("taken")
      return
    }
    #expect(problems.all.first?.line == line && problems.all.first?.column == column, "\(problems.all)")
  }

  @Test func `a custom policy is known by its file only`() {
    #expect(problems("growth").isEmpty)
    guard case .failure(let problems) = PolicyGrammar().parse("growth") else {
      Issue.record("taken")
      return
    }
    #expect(problems.summary.hasPrefix("\"growth\" is no policy"))
  }

  @Test func `no problem carries a control or bidi character`() {
    for text in [
      "\u{202e}\u{1b}", "\u{202e}: 1", "kill: \u{2066}x", "protect: [\"\\u202e0123456789abcdef\"]", "? \u{202e}\n? \u{202e}",
    ] {
      let shown = problems(text)
      #expect(!shown.isEmpty && printable(shown, limit: 10_000) == shown)
    }
  }
}

private func pattern(_ text: String) -> ProcessPattern { .comm(try! CommPattern(text)) }

private func pressure(_ kind: PressureRequest.Kind, _ permille: UInt32, over: UInt64, for hold: UInt64, cooldown: UInt64)
  -> PressureRequest
{
  let second: UInt64 = 1_000_000_000
  return PressureRequest(
    kind: kind, permille: permille, window: over * second, holdFor: hold * second, cooldown: cooldown * second)
}
