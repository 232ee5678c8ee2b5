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
  public let annotations: [String: String]?

  /// - Throws: ``ExitStatus/failed``, naming the key.
  public init(parsing bytes: [UInt8]) throws(Failure) {
    guard !bytes.isEmpty else {
      throw Failure(.failed, "stdin is empty: expected the container's state (OCI runtime specification)")
    }
    let state: JSON
    do throws(JSON.ParseError) { state = try JSON(parsing: bytes, integers: .asNumbers) } catch {
      throw Failure(.failed, "stdin is not the container's state: \(printable(error.description))")
    }
    guard case .object = state else { throw Failure(.failed, "stdin is not the container's state: expected a JSON object") }
    guard let id = try text("id", of: state) else { throw Failure(.failed, "the container's state has no \"id\"") }
    self.id = id
    self.status = try text("status", of: state) ?? ""
    self.bundle = try text("bundle", of: state)
    switch state["pid"] {
    case nil, .null: pid = nil
    case let value?:
      guard let number = value.integer, (0...Int64(Int32.max)).contains(number) else {
        throw Failure(.failed, "the container's state has a \"pid\" that is no process id")
      }
      pid = number == 0 ? nil : Int(number)
    }
    self.annotations = try annotationsOf(state, "the container's state")
  }
}

/// What oomlet reads of a bundle's config.json (OCI runtime specification, "Configuration").
public struct BundleConfig: Sendable {
  public let annotations: [String: String]
  /// process.oomScoreAdj, or nil.
  public let oomScoreAdj: Int?

  /// - Throws: ``ExitStatus/failed``, with the path.
  public init(parsing config: [UInt8], path: String) throws(Failure) {
    let parsed: JSON
    do throws(JSON.ParseError) { parsed = try JSON(parsing: config, integers: .asNumbers) } catch {
      throw Failure(.failed, "\(printable(path)): \(printable(error.description))")
    }
    annotations = try annotationsOf(parsed, printable(path)) ?? [:]
    oomScoreAdj = parsed["process"]?["oomScoreAdj"]?.integer.flatMap { Int(exactly: $0) }
  }
}

private func text(_ key: String, of state: JSON) throws(Failure) -> String? {
  switch state[key] {
  case nil, .null: return nil
  case .string(let value): return value
  default: throw Failure(.failed, "the container's state has a \(quoted(key)) that is no string")
  }
}

private func annotationsOf(_ object: JSON, _ source: String) throws(Failure) -> [String: String]? {
  switch object["annotations"] {
  case nil, .null: return nil
  case .object(let members):
    var annotations: [String: String] = [:]
    for (key, value) in members {
      guard let value = value.string else {
        throw Failure(.failed, "\(source): annotation \(quoted(key)) is no string")
      }
      annotations[key] = value
    }
    return annotations.isEmpty ? nil : annotations
  default: throw Failure(.failed, "\(source) has \"annotations\" that are no object")
  }
}
