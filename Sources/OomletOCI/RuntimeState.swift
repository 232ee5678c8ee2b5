internal import OomletJSON
public import OomletModel

/// What a runtime tells a hook on stdin (OCI runtime specification, "State"), as far as oomlet reads it.
public struct RuntimeState: Sendable {
  public let id: String
  /// creating, created, running, stopped, or a runtime's own.
  public let status: String
  /// In the hook's PID namespace; nil or 0: no process.
  public let pid: Int?
  public let bundle: String?
  /// nil: the runtime passed none.
  public let annotations: WrittenAnnotations?

  /// - Throws: ``ExitStatus/failed``, naming the key.
  public init(parsing bytes: [UInt8]) throws(Failure) {
    guard !bytes.isEmpty else {
      throw Failure(.failed, "stdin is empty: expected the container's state (OCI runtime specification)")
    }
    let state: LooseJSON
    do throws(JSON.ParseError) { state = try LooseJSON(parsing: bytes) } catch {
      throw Failure(.failed, "stdin is not the container's state: \(printable(error.description))")
    }
    guard let members = state.members else {
      throw Failure(.failed, "stdin is not the container's state: expected a JSON object")
    }
    guard let id = try text("id", of: members) else { throw Failure(.failed, "the container's state has no \"id\"") }
    self.id = id
    self.status = try text("status", of: members) ?? ""
    self.bundle = try text("bundle", of: members)
    if let value = try only("pid", of: members) {
      guard let number = value.integer, (0...Int64(Int32.max)).contains(number) else {
        throw Failure(.failed, "the container's state has a \"pid\" that is no process id")
      }
      pid = number == 0 ? nil : Int(number)
    } else {
      pid = nil
    }
    self.annotations = WrittenAnnotations(of: members)
  }
}

/// What oomlet reads of a bundle's config.json (OCI runtime specification, "Configuration").
public struct BundleConfig: Sendable {
  public let annotations: WrittenAnnotations
  /// process.oomScoreAdj, or nil.
  public let oomScoreAdj: Int?
  /// As the container's own processes have it: podman leaves it to the environment where a pod's containers share it.
  public let hostname: String?

  /// - Throws: ``ExitStatus/failed``, with the path.
  public init(parsing config: [UInt8], path: String) throws(Failure) {
    let parsed: LooseJSON
    do throws(JSON.ParseError) { parsed = try LooseJSON(parsing: config) } catch {
      throw Failure(.failed, "\(printable(path)): \(printable(error.description))")
    }
    annotations = WrittenAnnotations(of: parsed.members ?? []) ?? WrittenAnnotations([:])
    let process = parsed["process"]
    oomScoreAdj = process?["oomScoreAdj"]?.integer.flatMap { Int(exactly: $0) }
    let variables = process?["env"]?.array ?? []
    hostname =
      parsed["hostname"]?.string
      ?? variables.lazy.compactMap(\.string).last { $0.hasPrefix("HOSTNAME=") }.map { String($0.dropFirst("HOSTNAME=".count)) }
  }
}

private typealias Members = [(key: String, value: LooseJSON)]

/// nil: it is not there, or null.
private func only(_ key: String, of state: Members) throws(Failure) -> LooseJSON? {
  let all = state.filter { $0.key == key }
  guard all.count < 2 else { throw Failure(.failed, "the container's state has a duplicate key \(quoted(key))") }
  return all.first.flatMap { $0.value.isNull ? nil : $0.value }
}

private func text(_ key: String, of state: Members) throws(Failure) -> String? {
  guard let value = try only(key, of: state) else { return nil }
  guard let text = value.string else { throw Failure(.failed, "the container's state has a \(quoted(key)) that is no string") }
  return text
}
