internal import Glibc

/// What this process sees of the hierarchy: /proc/PID/cgroup has paths from the root of its cgroup namespace
/// (cgroup_namespaces(7)), which need not be what is mounted.
struct CgroupView {
  /// The mount's root, from the namespace's: `/` for the same, `/..` for one cgroup above it.
  let mount: String
  /// The namespace's root, from the mount's; nil: not below it, or not found.
  let namespace: String?

  static let own =
    Cgroup.isWhole && inode(of: "/proc/self/ns/cgroup") == initialNamespace
    ? CgroupView(mount: "/", namespace: "/")
    : CgroupView(mountInfo: contents(of: "/proc/self/mountinfo"), ownCgroup: contents(of: "/proc/self/cgroup"), pid: getpid())

  /// PROC_CGROUP_INIT_INO (include/linux/proc_ns.h)
  private static let initialNamespace: UInt64 = 0xefff_fffb

  init(mount: String, namespace: String?) { (self.mount, self.namespace) = (mount, namespace) }

  /// - Parameters:
  ///   - mountInfo: proc_pid_mountinfo(5).
  ///   - ownCgroup: /proc/PID/cgroup of this process.
  init(mountInfo: [UInt8]?, ownCgroup: [UInt8]?, mountPoint: String = Cgroup.mountPoint, pid: pid_t) {
    mount = CgroupView.mountRoot(String(decoding: mountInfo ?? [], as: UTF8.self), at: mountPoint) ?? "/"
    let steps = mount.split(separator: "/")
    guard mount != "/", steps.allSatisfy({ $0 == ".." }) else {
      namespace = mount == "/" ? "/" : nil
      return
    }
    let own = ownCgroup.flatMap { Cgroup.unifiedPath(String(decoding: $0, as: UTF8.self)) }
    namespace = own.flatMap { CgroupView.namespaceRoot(depth: steps.count, own: $0, mountPoint: mountPoint, pid: pid) }
  }

  /// The path from the mount's root of a path from the namespace's; nil: it is out of sight.
  func path(_ path: String) -> String? {
    if mount == "/" { return CgroupView.resolve(path) }
    if let namespace { return CgroupView.resolve(namespace + path) }
    if path == mount { return "/" }
    return path.hasPrefix(mount + "/") ? CgroupView.resolve(String(path.dropFirst(mount.count))) : nil
  }

  /// nil: it leads out of the root.
  private static func resolve(_ path: String) -> String? {
    var parts: [Substring.UTF8View] = []
    // In bytes: to Swift's strings a slash is another character with a combining mark behind it
    for part in Substring(path).utf8.split(separator: UInt8(ascii: "/")) {
      guard part.elementsEqual("..".utf8) else {
        parts.append(part)
        continue
      }
      guard parts.popLast() != nil else { return nil }
    }
    return "/" + parts.map { String(Substring($0)) }.joined(separator: "/")
  }

  /// The fourth field of the last mount there.
  private static func mountRoot(_ mountInfo: String, at mountPoint: String) -> String? {
    mountInfo.split(separator: "\n").last { line in
      let fields = line.split(separator: " ")
      return fields.count > 4 && fields[4] == mountPoint && line.contains(" - cgroup2 ")
    }.map { String($0.split(separator: " ")[3]) }
  }

  /// Where this process is, which is that far below it.
  private static func namespaceRoot(depth: Int, own: String, mountPoint: String, pid: pid_t) -> String? {
    func search(_ root: String, _ depth: Int) -> String? {
      if depth == 0 {
        guard let path = resolve(root + own), let processes = contents(of: "\(mountPoint)\(path)/cgroup.procs") else {
          return nil
        }
        return processes.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual(String(pid).utf8) } ? root : nil
      }
      for name in Cgroup.children(of: mountPoint + root) {
        if let found = search("\(root)/\(name)", depth - 1) { return found }
      }
      return nil
    }
    return search("", depth)
  }
}
