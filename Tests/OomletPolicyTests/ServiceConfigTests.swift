import OomletModel
import OomletPolicy
import Testing

@Suite struct ServiceConfigTests {
  private func config(_ text: String) throws -> NodeConfig { try NodeConfig.parse(Array(text.utf8)).get() }
  private func problems(_ text: String) -> [String] {
    if case .failure(let problems) = NodeConfig.parse(Array(text.utf8)) { problems.all.map(\.description) } else { [] }
  }

  @Test func `all keys are read`() throws {
    let config = try config(
      """
      metrics: {address: "unix:/run/oomlet/metrics.sock"}
      journal: {max-size: 1Mi, max-age: 24h, max-files: 3, sync: 500ms}
      kernel: {ring-size: 128Ki}
      """)
    #expect(config.metricsAddress == .unix(path: "/run/oomlet/metrics.sock"))
    #expect(config.journal.maxSize == 1 << 20)
    #expect(config.journal.maxAge == 86_400_000_000_000)
    #expect(config.journal.maxFiles == 3)
    #expect(config.journal.sync == .interval(500_000_000))
    #expect(config.ringSize == 1 << 17)
  }

  @Test(arguments: [
    ("127.0.0.1:9644", ListenAddress.tcp(host: "127.0.0.1", port: 9644)), ("0.0.0.0:1", .tcp(host: "0.0.0.0", port: 1)),
    ("\"[::1]:65535\"", .tcp(host: "::1", port: 65535)), ("none", nil), ("\"\"", nil),
  ])
  func `addresses are read`(_ text: String, _ address: ListenAddress?) throws {
    let parsed = try config("metrics: {address: \(text)}").metricsAddress
    #expect(parsed == address)
    if let address { #expect(ListenAddress(address.description) == address) }
  }

  @Test(arguments: [
    ("metrics: {adress: x}", "line 1, column 11: \"adress\" is no key of metrics: expected address; did you mean \"address\"?"),
    ("metrics: {address: \":9644\"}", "did you mean \"0.0.0.0:9644\"?"),
    ("metrics: {address: \"localhost:9644\"}", "did you mean \"127.0.0.1:9644\"?"),
    ("metrics: {address: /run/x.sock}", "line 1, column 20: metrics.address: \"/run/x.sock\": expected"),
    ("metrics: {address: /run/x.sock}", "did you mean \"unix:/run/x.sock\"?"),
    ("metrics: {address: \"http://127.0.0.1:9644/metrics\"}", "did you mean \"127.0.0.1:9644\"?"),
    ("metrics: {address: \"127.0.0.1\"}", "did you mean \"127.0.0.1:9644\"?"),
    ("metrics: {address: \"127.0.0.1:65536\"}", "metrics.address: \"127.0.0.1:65536\": expected an address"),
    ("metrics: {address: \"127.0.0.1:+80\"}", "metrics.address: \"127.0.0.1:+80\": expected an address"),
    ("metrics: {address: \"127.0.0.256:80\"}", "metrics.address"), ("metrics: {address: \"unix:run/x\"}", "metrics.address"),
    ("metrics: {address: \"unix:/\(String(repeating: "x", count: 107))\"}", "metrics.address"),
    ("metrics: {address: 9644}", "is no text"),
    ("metrics: {address: nome}", "did you mean \"none\"?"),
    ("journal: {max-size: 1024}", "line 1, column 21: journal.max-size: \"1024\": expected a size such as 64Mi"),
    ("journal: {max-size: 1Ki}", "from 64Ki to 1Ti"), ("journal: {max-age: 7d}", "journal.max-age: \"7d\": expected a duration"),
    ("journal: {max-files: -1}", "expected a whole number from 0 to 1000"),
    ("journal: {sync: allways}", "did you mean \"always\"?"),
    ("journal: {sync: 5}", "journal.sync: \"5\": expected always, never"),
    ("journal: {sync: 1ms}", "from 10ms to 1h"), ("kernel: {ring-size: 100Ki}", "did you mean \"128Ki\"?"),
    ("kernel: {ring-size: 1Ki}", "did you mean \"4Ki\"?"), ("kernel: {ring-size: 3Gi}", "did you mean \"1024Mi\"?"),
    ("kernel: {ringsize: 1Mi}", "did you mean \"ring-size\"?"), ("jornal: {}", "did you mean \"journal\"?"),
  ])
  func `what is wrong is told with its place`(_ text: String, _ problem: String) {
    #expect(problems(text).first?.contains(problem) == true, "\(problems(text))")
  }
}
