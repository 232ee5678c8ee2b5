internal import OomletJSON
public import OomletModel

/// What a runtime keeps of a container in its state directory, as far as oomlet reads it. All of it may be damaged, and the
/// annotations are a stranger's.
public struct KeptContainer: Equatable, Sendable {
  /// Of the container's first process, in the runtime's PID namespace.
  public let pid: Int
  /// When that was started, in ticks since boot (proc_pid_stat(5), field 22): else another process has its number.
  public let startTime: UInt64
  public let bundle: String
  /// The cgroup that the runtime made for it, from the root of the hierarchy: its process may be further down by now. nil: none.
  public let cgroup: String?
  /// nil: they are in the bundle's configuration.
  public let annotations: WrittenAnnotations?
  public let oomScoreAdj: Int?

  /// runc's `state.json`. Its labels are the annotations, in any order, and after them its own `bundle`.
  ///
  /// - Throws: ``ExitStatus/failed``, with the path.
  public init(runc bytes: [UInt8], path: String) throws(Failure) {
    let state = try object(bytes, path)
    (pid, startTime) = try process(state, "init_process_pid", "init_process_start", path)
    let config = state["config"]
    var labels: [(key: String, value: String)] = []
    for label in config?["labels"]?.array ?? [] {
      let parts = (label.string ?? "").split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else { throw Failure(.failed, "\(printable(path)): a label is none: expected KEY=VALUE") }
      labels.append((String(parts[0]), String(parts[1])))
    }
    let own = labels.lastIndex { $0.key == "bundle" }
    bundle = own.map { labels.remove(at: $0).value } ?? ""
    // By controller; cgroup v2 has one for all
    cgroup = state["cgroup_paths"]?[""]?.string.flatMap { path in
      path.hasPrefix("/sys/fs/cgroup/") ? cgroupPath(path.dropFirst("/sys/fs/cgroup".count)) : nil
    }
    var annotations = WrittenAnnotations()
    for (key, value) in labels { annotations.add(key, value) }
    self.annotations = annotations
    oomScoreAdj = config?["oom_score_adj"]?.integer.flatMap { Int(exactly: $0) }
  }

  /// crun's `status`; annotations and oom_score_adj are in its copy of the configuration.
  ///
  /// - Throws: ``ExitStatus/failed``, with the path.
  public init(crun bytes: [UInt8], path: String) throws(Failure) {
    let state = try object(bytes, path)
    (pid, startTime) = try process(state, "pid", "process-start-time", path)
    bundle = state["bundle"]?.string ?? ""
    cgroup = state["cgroup-path"]?.string.flatMap { cgroupPath($0[...]) }
    (annotations, oomScoreAdj) = (nil, nil)
  }
}

private func object(_ bytes: [UInt8], _ path: String) throws(Failure) -> LooseJSON {
  do throws(JSON.ParseError) { return try LooseJSON(parsing: bytes) } catch {
    throw Failure(.failed, "\(printable(path)): \(printable(error.description))")
  }
}

/// nil: it is none, or the root's.
private func cgroupPath(_ text: Substring) -> String? {
  // In bytes: to Swift's strings a slash is another character with a combining mark behind it
  let parts = text.utf8.split(separator: UInt8(ascii: "/"))
  guard text.utf8.first == UInt8(ascii: "/"), !parts.isEmpty, !text.utf8.contains(0),
    !parts.contains(where: { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) })
  else { return nil }
  return parts.map { "/\(Substring($0))" }.joined()
}

private func process(_ state: LooseJSON, _ pid: String, _ start: String, _ path: String) throws(Failure) -> (Int, UInt64) {
  guard let number = state[pid]?.integer, (1...Int64(Int32.max)).contains(number),
    let time = state[start]?.integer.flatMap({ UInt64(exactly: $0) })
  else { throw Failure(.failed, "\(printable(path)): \(quoted(pid)) and \(quoted(start)) are no process") }
  return (Int(number), time)
}
