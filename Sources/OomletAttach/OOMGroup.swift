internal import Glibc
public import OomletModel
internal import OomletSystem

/// memory.oom.group of a container's cgroup and those below it: whether the kernel kills a victim's whole cgroup (cgroup-v2.rst).
/// The kubelet and runtimes set it; a policy's `kill` needs it to be as the policy says.
public struct OOMGroup: Equatable, Sendable {
  /// What was there before, by path.
  public private(set) var before: [(path: String, value: String)] = []

  public static func == (a: OOMGroup, b: OOMGroup) -> Bool {
    a.before.elementsEqual(b.before) { $0.path == $1.path && $0.value == $1.value }
  }

  public init(before: [(path: String, value: String)] = []) { self.before = before }

  static func wanted(_ scope: KillScope) -> String { scope == .process ? "0" : "1" }

  /// Sets what `scope` needs, all or nothing.
  init(of cgroup: borrowing Cgroup, for scope: KillScope) throws(Failure) {
    for path in [cgroup.path] + cgroup.descendants {
      let file = Cgroup.mountPoint + path + "/memory.oom.group"
      guard let bytes = contents(of: file) else {
        // A cgroup below that has no memory controller of its own dies and lives with this one
        guard path == cgroup.path else { continue }
        restore()
        throw Failure(.unsupported, "cgroup \(printable(path)) has no memory controller: see its parent's cgroup.subtree_control")
      }
      let value = String(decoding: bytes.filter { $0 > 32 }, as: UTF8.self)
      guard value != OOMGroup.wanted(scope) else { continue }
      guard OOMGroup.write(OOMGroup.wanted(scope), to: path) else {
        let error = Failure(.failed, systemError("cannot set memory.oom.group of cgroup \(printable(path))"))
        restore()
        throw error
      }
      before.append((path, value))
    }
  }

  /// As it was, where the cgroup is still there.
  public func restore() { for (path, value) in before { _ = OOMGroup.write(value, to: path) } }

  /// Sets again what has been changed since, by `runc update` or an in-place resize.
  ///
  /// - Returns: the paths where it had.
  public static func repair(_ path: String, for scope: KillScope) -> [String] {
    drifted(path, for: scope).filter { write(wanted(scope), to: $0) }
  }

  /// Of the container's cgroup and those below it.
  public static func files(of path: String) -> [String] {
    guard let cgroup = try? Cgroup(path: path) else { return [] }
    return ([path] + cgroup.descendants).map { Cgroup.mountPoint + $0 + "/memory.oom.group" }
  }

  static func hasDrifted(_ path: String, for scope: KillScope) -> Bool { !drifted(path, for: scope).isEmpty }

  private static func drifted(_ path: String, for scope: KillScope) -> [String] {
    guard let cgroup = try? Cgroup(path: path) else { return [] }
    return ([path] + cgroup.descendants).filter { path in
      guard let bytes = contents(of: Cgroup.mountPoint + path + "/memory.oom.group") else { return false }
      return String(decoding: bytes.filter { $0 > 32 }, as: UTF8.self) != wanted(scope)
    }
  }

  private static func write(_ value: String, to path: String) -> Bool {
    guard let file = openFile(Cgroup.mountPoint + path + "/memory.oom.group", O_WRONLY) else { return false }
    return writeAll(file.raw, Array(value.utf8))
  }
}
