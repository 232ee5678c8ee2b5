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
      guard let value = OOMGroup.read(path) else {
        // A cgroup below that has no memory controller of its own dies and lives with this one
        guard path == cgroup.path else { continue }
        restore()
        throw Failure(.unsupported, "cgroup \(printable(path)) has no memory controller: see its parent's cgroup.subtree_control")
      }
      guard value != OOMGroup.wanted(scope) else { continue }
      guard OOMGroup.write(OOMGroup.wanted(scope), to: path) else {
        let error = Failure(.failed, systemError("cannot set memory.oom.group of cgroup \(printable(path))"))
        restore()
        throw error
      }
      before.append((path, value))
    }
  }

  /// With what was there before `earlier`, where that is known.
  func over(_ earlier: OOMGroup) -> OOMGroup {
    let known = Set(earlier.before.map(\.path))
    return OOMGroup(before: earlier.before + before.filter { !known.contains($0.path) })
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
    cgroups(path).map(file)
  }

  static func hasDrifted(_ path: String, for scope: KillScope) -> Bool { !drifted(path, for: scope).isEmpty }

  private static func drifted(_ path: String, for scope: KillScope) -> [String] {
    cgroups(path).filter { path in read(path).map { $0 != wanted(scope) } ?? false }
  }

  /// The container's cgroup and those below it; none if it is gone.
  private static func cgroups(_ path: String) -> [String] {
    guard let cgroup = try? Cgroup(path: path) else { return [] }
    return [path] + cgroup.descendants
  }

  private static func file(_ path: String) -> String { Cgroup.mountPoint + path + "/memory.oom.group" }

  /// The value, or nil and errno.
  private static func read(_ path: String) -> String? {
    contents(of: file(path)).map { String(decoding: $0.filter { $0 > 32 }, as: UTF8.self) }
  }

  private static func write(_ value: String, to path: String) -> Bool {
    guard let file = openFile(file(path), O_WRONLY) else { return false }
    return writeAll(file.raw, Array(value.utf8))
  }
}
