import OomletModel
import OomletPolicy
import Testing

/// Texts that are nearly right: nothing may stop the program, or come out as it went in.
@Suite struct MangledTests {
  private static let texts = [
    """
    apiVersion: v1
    kind: Pod
    metadata:
      name: &n shop
      annotations:
        oom.policy: |2-
          victim: largest-rss
          protect: [init, "a*"]
          pressure: {full: 40%, over: 1.5s}
        oom.policy/web: >
          min-size: 64Mi
        policy.oomlet.dev/web: *n
    spec: {containers: [{name: web}]}
    """,
    #"{"ociVersion":"1.2.0","annotations":{"oom.policy":"victim: x\nkill: pod","oomlet.dev/policy":"y"}}"#,
    "victim: youngest\nkill: pod\norder: [usage, priority]\npriority: -12\npressure: {some: 12.5%, for: 99999h}\n",
  ]

  @Test(arguments: texts) func `mangled texts are checked to the end, with places and safe messages`(_ text: String) {
    var numbers = Numbers()
    let checker = Checker(grammar: PolicyGrammar(customPolicies: ["growth"]))
    let pieces: [[UInt8]] =
      [
        "\n", " ", "  ", ":", "- ", "[", "]", "{", "}", "*", "&a ", "<<: ", "|", ">", "\"", "'", "\0", "\u{202e}", "\u{2028}",
        "\r", "#", "9", "!",
      ]
      .map { Array($0.utf8) } + [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf]]
    for _ in 0..<2000 {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &numbers) {
        let at = Int.random(in: 0...bytes.count, using: &numbers)
        let end = min(bytes.count, at + Int.random(in: 0...6, using: &numbers))
        bytes.replaceSubrange(at..<end, with: pieces.randomElement(using: &numbers)!)
      }
      let report = checker.check(bytes)
      #expect(!report.items.isEmpty || !report.problems.isEmpty)
      for problem in report.problems + report.warnings {
        #expect(problem.line > 0 && problem.column > 0)
        #expect(printable(problem.message, limit: 100_000) == problem.message)
      }
    }
  }
}
