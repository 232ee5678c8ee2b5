internal import Glibc
internal import OomletAttach
internal import OomletJSON
internal import OomletModel
internal import OomletSystem

/// What the agent can be asked at its socket (docs/agent.md).
enum ControlMethod: String, CaseIterable {
  case status, reload

  /// Others may look, root alone may change.
  var isForRootOnly: Bool { self == .reload }
}

/// The agent's end of its socket: one request a connection, a JSON object on a line, and one answer.
final class ControlSocket {
  static let path = "\(Attacher.runDirectory)/agent.sock"
  /// Whose members may connect besides root.
  static let group = "oomlet"

  static let requestLimit = 4096
  static let connections = 16
  static let connectionsOfOneUser = 4
  /// For the request, and for taking the answer.
  static let patience: UInt64 = 2_000_000_000

  private let listener: UnixListener
  private let user: (UnixConnection) -> UInt32?
  private let answer: (ControlMethod) -> Result<JSON, Failure>
  private var clients: [Client] = []

  private final class Client {
    let connection: UnixConnection
    let user: UInt32
    var deadline = monotonicNanoseconds() + ControlSocket.patience
    var request: [UInt8] = []
    var answer: [UInt8]?
    var isDone = false

    init(_ connection: UnixConnection, _ user: UInt32) { (self.connection, self.user) = (connection, user) }
  }

  /// - Parameter user: who has connected.
  init(
    _ path: String = path, group: UInt32?, user: @escaping (UnixConnection) -> UInt32? = { $0.peer },
    answer: @escaping (ControlMethod) -> Result<JSON, Failure>
  ) throws(Failure) {
    listener = try UnixListener(path, group: group)
    (self.user, self.answer) = (user, answer)
  }

  /// The listener first.
  var polled: [pollfd] {
    [pollfd(fd: listener.fd.raw, events: Int16(POLLIN), revents: 0)]
      + clients.map {
        pollfd(fd: $0.connection.fd.raw, events: Int16($0.answer == nil ? POLLIN : POLLOUT), revents: 0)
      }
  }

  /// When the first client's time is up; in ns of CLOCK_MONOTONIC.
  var deadline: UInt64? { clients.map(\.deadline).min() }

  /// Does what can be done without waiting.
  func handle() {
    // Others have to be served between those who come
    for _ in 0..<ControlSocket.connections {
      guard let connection = listener.accept() else { break }
      guard let user = user(connection), clients.count(where: { $0.user == user }) < ControlSocket.connectionsOfOneUser else {
        _ = connection.send(ControlSocket.encoded(.failure(Failure(.failed, "the agent has too many clients: try again")))[...])
        continue
      }
      // Who says nothing keeps nobody out
      if clients.count == ControlSocket.connections { clients.remove(at: clients.firstIndex { $0.answer == nil } ?? 0) }
      clients.append(Client(connection, user))
    }
    let now = monotonicNanoseconds()
    for client in clients {
      serve(client)
      if now >= client.deadline { client.isDone = true }
    }
    clients.removeAll(where: \.isDone)
  }

  private func serve(_ client: Client) {
    while client.answer == nil, !client.isDone {
      switch client.connection.receive() {
      case .nothing: return
      case .end: client.isDone = true
      case .bytes(let bytes):
        client.request += bytes
        guard let end = client.request.firstIndex(of: UInt8(ascii: "\n")) else {
          if client.request.count > ControlSocket.requestLimit {
            client.answer = ControlSocket.encoded(
              .failure(Failure(.invalid, "a request of more than \(ControlSocket.requestLimit) bytes")))
          }
          continue
        }
        client.answer = ControlSocket.encoded(respond(Array(client.request[..<end]), client.user))
        client.deadline = monotonicNanoseconds() + ControlSocket.patience
      }
    }
    guard let bytes = client.answer else { return }
    guard let sent = client.connection.send(bytes[...]), sent < bytes.count else {
      client.isDone = true
      return
    }
    client.answer = Array(bytes[sent...])
  }

  private func respond(_ request: [UInt8], _ user: UInt32) -> Result<JSON, Failure> {
    Result { () throws(Failure) in
      let method = try ControlSocket.method(request)
      guard !method.isForRootOnly || user == geteuid() else {
        throw Failure(.notPermitted, "user \(user) may not ask for \(quoted(method.rawValue)): root may")
      }
      return try answer(method).get()
    }
  }

  static func method(_ request: [UInt8]) throws(Failure) -> ControlMethod {
    let names = ControlMethod.allCases.map(\.rawValue)
    guard request.count <= requestLimit, let json = try? JSON(parsing: request), let members = json.members else {
      throw Failure(.invalid, "the request is no JSON object on a line: expected {\"method\":\"status\"}")
    }
    if let key = members.first(where: { $0.key != "method" })?.key {
      throw Failure(.invalid, "unknown key \(quoted(key)): expected \"method\"\(hint(for: key, among: ["method"]))")
    }
    let text = json["method"]?.string
    guard let text, let method = ControlMethod(rawValue: text) else {
      throw Failure(
        .invalid, "method \(text.map(quoted) ?? "missing"): expected \(oneOf(names))\(hint(for: text ?? "", among: names))")
    }
    return method
  }

  static func encoded(_ answer: Result<JSON, Failure>) -> [UInt8] {
    let json: JSON =
      switch answer {
      case .success(let result): .object([("result", result)])
      case .failure(let failure):
        .object([
          ("error", .object([("status", .integer(Int64(failure.status.rawValue))), ("message", .string(failure.description))]))
        ])
      }
    return json.encoded() + [UInt8(ascii: "\n")]
  }
}
