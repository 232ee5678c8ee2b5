import OomletModel
import OomletPolicy
import Testing

@Suite struct ReliefTests {
  private static func relief(_ list: String) -> Result<[ReliefStage], Problems> {
    PolicyGrammar().parse("pressure: {full: 40%}\nrelief: \(list)").map(\.relief)
  }

  private static func problems(_ list: String) -> String {
    switch relief(list) {
    case .success: ""
    case .failure(let problems): problems.all.map(\.message).joined(separator: "\n")
    }
  }

  private static let stages = [
    ReliefStage(.reclaim(64 << 20), from: 100, deadline: 5_000_000_000),
    ReliefStage(
      .delete([try! PathGlob("/tmp/it's \\ * #, [x]/**"), try! PathGlob("/dev/shm/*.tmp")], 32 << 20), from: 125,
      deadline: 100_000_000),
    ReliefStage(.signal(.usr1, .`init`), from: 400, deadline: 300_000_000_000),
  ]

  @Test func `each stage, and the defaults of its keys`() throws {
    let text = """
      [{stage: reclaim, at: 10%}, {stage: delete, at: 12.5%, files: ["/tmp/it's \\\\ * #, [x]/**", /dev/shm/*.tmp], amount: 32Mi, deadline: 100ms},
       {stage: signal, at: 40%, signal: SIGUSR1, to: init, grace: 5m}]
      """
    #expect(try ReliefTests.relief(text).get() == ReliefTests.stages)
    #expect(try ReliefTests.relief("[]").get() == [])
    #expect(
      try ReliefTests.relief("[{stage: signal, at: 40%}]").get()
        == [ReliefStage(.signal(.term, .victim), from: 400, deadline: 10_000_000_000)])
  }

  @Test func `what is written is read as the same`() {
    #expect(ReliefGrammar.parse(ReliefGrammar.text(of: ReliefTests.stages)) == ReliefTests.stages)
    #expect(ReliefGrammar.parse(ReliefGrammar.text(of: [])) == [])
    #expect(ReliefGrammar.parse("[{stage: reclaim}]") == nil)
    #expect(ReliefGrammar.parse("]") == nil)
  }

  @Test(
    arguments: [
      ("{stage: reclaim, at: 10%}", "relief: a mapping: expected a list of at most 8 mappings, see below"),
      ("[reclaim]", "relief[1]: \"reclaim\": expected a mapping with stage and at"),
      ("[{at: 10%}]", "relief[1]: no stage: expected stage, one of reclaim, delete or signal"),
      (
        "[{stage: relcaim, at: 10%}]",
        "relief[1].stage: \"relcaim\": expected reclaim, delete or signal; did you mean \"reclaim\"?"
      ),
      ("[{stage: reclaim}]", "relief[1]: no threshold: expected at with a percentage such as 40%"),
      ("[{stage: reclaim, at: 0%}]", "relief[1].at: \"0%\" is always exceeded: expected more than 0%"),
      ("[{stage: reclaim, at: 41%}]", "relief[1].at: \"41%\" is above the pressure that is an OOM: expected at most 40%"),
      (
        "[{stage: reclaim, at: 20%}, {stage: reclaim, at: 10%}]",
        "relief[2].at: \"10%\" is below the stage before: expected at least 20%"
      ),
      (
        "[{stage: reclaim, at: 10%, files: [/tmp/*]}]",
        "\"files\" is no key of stage reclaim: expected stage, at, amount or deadline"
      ),
      (
        "[{stage: reclaim, at: 10%, amount: 1Ki}]",
        "relief[1].amount: \"1Ki\": expected a size such as 64Mi (B, Ki, Mi, Gi, Ti, k, M, G, T), from 64Ki to 1Ti"
      ),
      ("[{stage: reclaim, at: 10%, deadline: 10m}]", "relief[1].deadline: \"10m\": expected a duration from 100ms to 5m"),
      (
        "[{stage: delete, at: 10%}]",
        "relief[1]: no files: expected files with a list of at most 16 absolute paths with * such as /tmp/cache/**"
      ),
      (
        "[{stage: delete, at: 10%, files: [tmp/x]}]",
        "relief[1].files: \"tmp/x\": expected an absolute path; did you mean \"/tmp/x\"?"
      ),
      (
        "[{stage: delete, at: 10%, files: [/tmp/../etc]}]",
        "relief[1].files: \"/tmp/../etc\" has . or .. as a name: expected a path with * such as /tmp/cache/**"
      ),
      (
        "[{stage: signal, at: 10%, signal: SIGKILL}]",
        "relief[1].signal: \"SIGKILL\": expected SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2 or SIGTERM"
      ),
    ]) func `what is wrong is named`(_ list: String, _ message: String)
  {
    #expect(ReliefTests.problems(list) == message)
  }

  @Test func `more stages than can be through`() {
    let list = "[" + (1...9).map { _ in "{stage: reclaim, at: 10%}" }.joined(separator: ", ") + "]"
    #expect(ReliefTests.problems(list) == "relief: 9 entries: expected at most 8")
  }

  @Test func `relief without pressure`() {
    guard case .failure(let problems) = PolicyGrammar().parse("relief: [{stage: reclaim, at: 10%}]") else {
      Issue.record("it is taken")
      return
    }
    #expect(problems.summary == "line 1, column 9: relief: nothing to be before: expected pressure beside it")
  }

  @Test func `a node's relief, and none where annotations may not have pressure`() throws {
    let config = try NodeConfig.parse(Array("system: {pressure: {some: 60%}, relief: [{stage: reclaim, at: 60%}]}".utf8)).get()
    #expect(config.systemRelief == [ReliefStage(.reclaim(64 << 20), from: 600, deadline: 5_000_000_000)])
    var request = PolicyRequest(pressure: config.systemPressure)
    request.relief = config.systemRelief
    let limited = try AnnotationLimits(allowsPressure: false).apply(to: request).request
    #expect(limited.pressure == nil && limited.relief == [])
  }
}
