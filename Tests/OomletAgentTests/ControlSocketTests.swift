import Foundation
import OomletJSON
import OomletModel
import OomletSystem
import Synchronization
import Testing

@testable import OomletAgent

/// A socket whose agent runs in steps.
private final class Server {
  let path = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString).sock").path
  let socket: ControlSocket

  init(
    _ answer: Result<JSON, Failure> = .success(.object([("a", .integer(1))])),
    user: @escaping (UnixConnection) -> UInt32? = { $0.peer }
  ) throws {
    socket = try ControlSocket(path, group: nil, user: user) { _ in answer }
  }
  deinit { unlink(path) }

  func connect() throws -> UnixConnection { try #require(UnixConnection(to: path)) }

  /// All that is answered until it hangs up.
  func answer(_ connection: UnixConnection, to request: String) -> String {
    _ = connection.send(Array(request.utf8)[...])
    var answer: [UInt8] = []
    for _ in 0..<100 {
      socket.handle()
      switch connection.receive() {
      case .bytes(let bytes): answer += bytes
      case .end: return String(decoding: answer, as: UTF8.self)
      case .nothing: continue
      }
    }
    return "no end after: \(String(decoding: answer, as: UTF8.self))"
  }
}

@Suite struct ControlSocketTests {
  @Test func `a request is answered with a line, and the connection ends`() throws {
    let server = try Server()
    #expect(try server.answer(server.connect(), to: "{\"method\":\"status\"}\n") == "{\"result\":{\"a\":1}}\n")
    #expect(server.socket.polled.count == 1)
  }

  @Test func `an error has the exit status`() throws {
    let server = try Server(.failure(Failure(.invalid, "line 2")))
    #expect(
      try server.answer(server.connect(), to: "{\"method\":\"reload\"}\n")
        == "{\"error\":{\"status\":3,\"message\":\"line 2\"}}\n")
  }

  @Test(arguments: [
    ("", "no JSON object"), ("[]", "no JSON object"), ("{", "no JSON object"), ("{}", "method missing"),
    ("{\"method\":1}", "method missing"), ("{\"method\":\"staus\"}", "did you mean \"status\"?"),
    ("{\"metod\":\"status\"}", "did you mean \"method\"?"), ("{\"method\":\"status\",\"method\":\"reload\"}", "no JSON object"),
  ])
  func `what is no request is refused, and says why`(_ request: String, _ why: String) {
    let failure = #expect(throws: Failure.self) { try ControlSocket.method(Array(request.utf8)) }
    #expect(failure?.status == .invalid && failure?.description.contains(why) == true, "\(failure.debugDescription)")
  }

  @Test func `a request without end is refused at its limit`() throws {
    let server = try Server()
    let answer = try server.answer(server.connect(), to: String(repeating: "x", count: ControlSocket.requestLimit + 1))
    #expect(answer.contains("more than 4096 bytes"))
  }

  @Test func `one user has few connections, and who is too much is told so`() throws {
    let server = try Server()
    let idle = try (0..<ControlSocket.connectionsOfOneUser).map { _ in try server.connect() }
    server.socket.handle()
    #expect(server.socket.polled.count == 1 + idle.count)
    #expect(try server.answer(server.connect(), to: "").contains("too many clients"))
  }

  @Test func `idle connections of many users keep nobody out`() throws {
    // Each is another user's
    let users = Mutex<UInt32>(0)
    let server = try Server(user: { _ in
      users.withLock {
        $0 += 1; return $0
      }
    })
    let idle = try (0..<ControlSocket.connections).map { _ in try server.connect() }
    server.socket.handle()
    #expect(server.socket.polled.count == 1 + idle.count)
    #expect(try server.answer(server.connect(), to: "{\"method\":\"status\"}\n") == "{\"result\":{\"a\":1}}\n")
    guard case .end = idle[0].receive() else { return #expect(Bool(false), "the oldest is still connected") }
  }

  @Test func `who says nothing is hung up on`() throws {
    let server = try Server()
    let connection = try server.connect()
    server.socket.handle()
    let deadline = try #require(server.socket.deadline)
    #expect(deadline <= monotonicNanoseconds() + ControlSocket.patience)
    while monotonicNanoseconds() < deadline { usleep(100_000) }
    server.socket.handle()
    guard case .end = connection.receive() else { return #expect(Bool(false), "still connected") }
    #expect(server.socket.polled.count == 1)
  }

  @Test func `nobody there: no answer, and no error`() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString).sock").path
    #expect(try AgentClient.ask(.status, at: path, seconds: 1) == nil)
    // A dead agent's: its socket is still there
    let left = path + ".left"
    defer { unlink(left) }
    do {
      let dead = try Server()
      rename(dead.path, left)
    }
    #expect(try FileManager.default.fileExists(atPath: left) && AgentClient.ask(.status, at: left, seconds: 1) == nil)
  }
}
