internal import Glibc
public import OomletJSON
public import OomletModel
internal import OomletSystem

/// Asks the running agent at its socket.
public enum AgentClient {
  /// What only the agent knows, or nil: none is running, whatever a dead one has left.
  ///
  /// - Throws: ``ExitStatus/notPermitted``, ``ExitStatus/deadline`` for an agent that does not answer.
  public static func status() throws(Failure) -> JSON? { try ask(.status, seconds: 3) }

  /// Has the agent load its configuration, and its new policies; nil: none is running.
  ///
  /// - Throws: also ``ExitStatus/invalid`` with what is wrong with the file, with line and column.
  public static func reload() throws(Failure) -> JSON? { try ask(.reload, seconds: 30) }

  static func ask(_ method: ControlMethod, at path: String = ControlSocket.path, seconds: UInt64) throws(Failure) -> JSON? {
    let deadline = monotonicNanoseconds() + seconds * 1_000_000_000
    guard let connection = UnixConnection(to: path) else {
      switch errno {
      case ENOENT, ECONNREFUSED: return nil
      case EACCES, EPERM:
        throw Failure(
          .notPermitted,
          "cannot ask the agent at \(path): root may, and members of group \(ControlSocket.group) where there is one")
      default: throw Failure(.failed, systemError("cannot ask the agent at \(path)"))
      }
    }
    let request = JSON.object([("method", .string(method.rawValue))]).encoded() + [UInt8(ascii: "\n")]
    guard connection.send(request[...]) == request.count else { throw Failure(.failed, "the agent does not listen at \(path)") }
    var answer: [UInt8] = []
    while answer.last != UInt8(ascii: "\n"), answer.count < 1 << 20 {
      guard connection.wait(for: Int32(POLLIN), deadline: deadline) else {
        throw Failure(.deadline, "the agent does not answer at \(path) within \(seconds) s")
      }
      switch connection.receive() {
      case .nothing: continue
      case .end: throw Failure(.failed, "the agent ended before it had answered")
      case .bytes(let bytes): answer += bytes
      }
    }
    guard let json = try? JSON(parsing: answer) else { throw Failure(.failed, "the agent's answer can't be read") }
    if let error = json["error"] {
      let status = error["status"]?.integer.flatMap { ExitStatus(rawValue: Int32(clamping: $0)) }
      throw Failure(status ?? .failed, error["message"]?.string ?? "the agent failed")
    }
    return json["result"]
  }
}
