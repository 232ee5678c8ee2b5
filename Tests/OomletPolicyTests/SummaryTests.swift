import OomletModel
import OomletPolicy
import Testing

@Suite struct SummaryTests {
  @Test(arguments: [
    ("largest-rss", "largest-rss, kill process"),
    ("{kill: pod, protect: [init, \"post*\"], prefer: [w]}", "largest-memory, kill pod, protect init post*, prefer w"),
    (
      "{min-size: 64Mi, order: [priority, usage], priority: -3, dry-run: true, require: true}",
      "largest-memory, kill process, spare below 64Mi, order priority then usage, priority -3, dry run, required"
    ),
    (
      "pressure: {full: 12.5%, for: 500ms}",
      "largest-memory, kill process, at full stall of 12.5% over 10s for 500ms, then 60s of rest"
    ),
  ])
  func `a request reads as a line`(_ text: String, _ summary: String) throws {
    #expect(try PolicyGrammar().parse(text).get().summary == summary)
  }
}
