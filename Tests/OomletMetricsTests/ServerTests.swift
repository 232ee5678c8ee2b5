import Foundation
import OomletModel
import Testing

@testable import OomletMetrics

/// A loop that answers, as the agent's does, until it is told to hang.
private final class Loop: @unchecked Sendable {
  let probe: LoopProbe
  private let lock = NSLock()
  private var state = (hangs: false, ended: false)
  private var measurements = 0
  var measured: Int { lock.withLock { measurements } }

  init() throws {
    probe = try LoopProbe()
    Thread.detachNewThread { [self] in
      var waiting = [pollfd(fd: probe.pollDescriptor, events: Int16(POLLIN), revents: 0)]
      while !lock.withLock({ state.ended }) {
        poll(&waiting, 1, 20)
        if !lock.withLock({ state.hangs }) { probe.answer { lock.withLock { measurements += 1 } } }
      }
      probe.answer()
    }
  }

  func hang(_ hangs: Bool) { lock.withLock { state.hangs = hangs } }
  func end() { lock.withLock { state = (false, true) } }
}

/// A connection to the server, by hand.
private struct Client: ~Copyable {
  let fd: CInt

  init(_ path: String) throws {
    fd = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(fd, $0, size) }
    }
    try #require(result == 0)
  }

  deinit { close(fd) }

  func send(_ text: String) {
    _ = Array(text.utf8).withUnsafeBytes { Glibc.send(fd, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
  }

  /// Until the server closes.
  func receive() -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while case let n = recv(fd, &chunk, chunk.count, 0), n > 0 { bytes += chunk[..<n] }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// One of several.
private final class Connection {
  let client: Client
  init(_ client: consuming Client) { self.client = client }
}

@Suite(.timeLimit(.minutes(1))) final class ServerTests {
  private let loop: Loop
  private let server: MetricsServer
  private let readiness = Readiness()
  private let path = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString).sock").path

  init() throws {
    let registry = PrometheusRegistry([.init("test_total", .counter, "Test.")])
    registry.makeCounter(label: "test_total", dimensions: []).increment(by: 5)
    loop = try Loop()
    server = try MetricsServer(.unix(path: path), registry: registry, readiness: readiness, probe: loop.probe)
  }

  deinit {
    loop.end()
    server.stop()
  }

  private func answer(_ request: String) throws -> (head: String, body: String) {
    let client = try Client(path)
    client.send(request)
    let parts = client.receive().split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    return (parts[0], parts.count > 1 ? parts[1] : "")
  }
  private func get(_ path: String) throws -> (head: String, body: String) {
    try answer("GET \(path) HTTP/1.1\r\nhost: x\r\n\r\n")
  }

  @Test func `metrics are given as text, by GET and HEAD only`() throws {
    let (head, body) = try get("/metrics?x=1")
    #expect(head.hasPrefix("HTTP/1.1 200"))
    #expect(head.contains("content-type: text/plain; version=0.0.4"))
    #expect(body.hasSuffix("\ntest_total 5\n"))
    let headOnly = try answer("HEAD /metrics HTTP/1.0\r\n\r\n")
    #expect(headOnly.head.contains("content-length: \(body.utf8.count)"))
    #expect(headOnly.body == "")
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
      let (head, _) = try answer("\(method) /metrics HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\nab")
      #expect(head.hasPrefix("HTTP/1.1 405"))
      #expect(head.contains("allow: GET, HEAD"))
    }
    #expect(try get("/metric").head.hasPrefix("HTTP/1.1 404"))
    #expect(try get("/metric").body == "expected /metrics, /healthz or /readyz\n")
  }

  @Test func `ready is who is told so, and who is not says why`() throws {
    #expect(try get("/readyz").head.hasPrefix("HTTP/1.1 503"))
    for condition in Readiness.Condition.allCases { readiness.set(condition, missing: nil) }
    #expect(try get("/readyz").head.hasPrefix("HTTP/1.1 200"))
    readiness.set(.journal, missing: "disk full")
    let (head, body) = try get("/readyz")
    #expect(head.hasPrefix("HTTP/1.1 503"))
    #expect(body == "ok   policies loaded\nok   records taken from the kernel\nno   journal writable: disk full\n")
  }

  @Test func `a loop that does not answer is not healthy, and metrics are given all the same`() throws {
    #expect(try get("/healthz").head.hasPrefix("HTTP/1.1 200"))
    loop.hang(true)
    #expect(try get("/healthz").head.hasPrefix("HTTP/1.1 503"))
    #expect(try get("/metrics").head.hasPrefix("HTTP/1.1 200"))
    loop.hang(false)
    #expect(try get("/healthz").head.hasPrefix("HTTP/1.1 200"))
  }

  @Test(arguments: ["nonsense\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n", "GET /metrics"])
  func `what is no request ends its connection only`(_ request: String) throws {
    let client = try Client(path)
    client.send(request)
    shutdown(client.fd, CInt(SHUT_WR))
    #expect(!client.receive().hasPrefix("HTTP/1.1 200"))
    #expect(try get("/healthz").body == "ok\n")
  }

  @Test func `a request that is too large ends its connection`() throws {
    let client = try Client(path)
    client.send("GET /metrics HTTP/1.1\r\nhost: x\r\n")
    for _ in 1...1000 { client.send("x: \(String(repeating: "y", count: 100))\r\n") }
    client.send("\r\n")
    #expect(!client.receive().hasPrefix("HTTP/1.1 200"))
    #expect(try get("/healthz").body == "ok\n")
  }

  @Test func `clients that say nothing, or little at a time, are sent away`() throws {
    let silent = try Client(path)
    let slow = try Client(path)
    let start = Date()
    for byte in "GET /metrics HTTP/1.1\r\n" where Date().timeIntervalSince(start) < 15 {
      slow.send(String(byte))
      usleep(600_000)
    }
    #expect(slow.receive() == "")
    #expect(silent.receive() == "")
    #expect(Date().timeIntervalSince(start) < 16)
    #expect(try get("/healthz").body == "ok\n")
  }

  @Test func `idle connections keep nobody out, and there are never more than there may be`() throws {
    var clients: [CInt] = []
    defer { for client in clients { close(client) } }
    for _ in 0..<3 * Limits.connections {
      let client = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
      clients.append(client)
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
      let size = socklen_t(MemoryLayout<sockaddr_un>.size)
      try #require(
        withUnsafePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, size) } }
          == 0)
    }
    for endpoint in ["/healthz", "/readyz", "/metrics"] { #expect(try get(endpoint).head.hasPrefix("HTTP/1.1 "), "\(endpoint)") }
    #expect(try get("/healthz").body == "ok\n")
    // The oldest went, the youngest are there
    var byte: UInt8 = 0
    var isOpen: [Bool] = []
    for client in clients { isOpen.append(recv(client, &byte, 1, CInt(MSG_DONTWAIT)) < 0 && errno == EAGAIN) }
    #expect(isOpen.count { $0 } <= Limits.connections && isOpen.last == true && isOpen.first == false)
  }

  @Test func `health costs no figures, and who asks for figures at once gets the same`() throws {
    let before = loop.measured
    for _ in 1...20 { #expect(try get("/healthz").body == "ok\n") }
    #expect(try get("/other").head.hasPrefix("HTTP/1.1 404"))
    #expect(loop.measured == before)
    loop.hang(true)
    let clients = try (0..<5).map { _ in
      let client = Connection(try Client(path))
      client.client.send("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n")
      return client
    }
    usleep(200_000)
    loop.hang(false)
    for client in clients { #expect(client.client.receive().hasPrefix("HTTP/1.1 200")) }
    #expect((before + 1...before + 2).contains(loop.measured))
  }

  @Test func `an address that is taken is named`() throws {
    let error = #expect(throws: Failure.self) {
      _ = try MetricsServer(
        .tcp(host: "192.0.2.1", port: 9), registry: PrometheusRegistry([]), readiness: readiness, probe: loop.probe)
    }
    #expect(error?.description == "cannot offer metrics at 192.0.2.1:9: Cannot assign requested address")
  }

  @Test func `the socket file is for root and its group, and goes at the end`() throws {
    // One of its own, for none can be stopped twice
    let path = "\(path).own"
    let server = try MetricsServer(
      .unix(path: path), registry: PrometheusRegistry([]), readiness: readiness, probe: loop.probe)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o660)
    server.stop()
    #expect(access(path, F_OK) != 0)
  }
}
