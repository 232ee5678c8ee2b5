internal import CLinux
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// The root directory of a container, in its own mount namespace: as its processes see it.
struct ContainerRoot: ~Copyable {
  private let fd: OwnedFD
  private let mounts: Mounts

  static func of(_ cgroup: borrowing Cgroup) throws(Failure) -> ContainerRoot {
    let pids = ContainerRoot.processes(of: cgroup)
    guard let pid = pids.first(where: { isFirstInPIDNamespace(Int($0)) }) ?? pids.first else {
      throw Failure(.notFound, "no process of the container is in sight")
    }
    let root = try ContainerRoot(of: pid)
    // Its PID may be another's by now
    guard cgroup.holds(Int(pid)) else {
      throw Failure(.notFound, "process \(pid) has ended")
    }
    return root
  }

  init(of pid: Int32) throws(Failure) {
    guard let mounts = Mounts(of: pid), let root = mounts.way(to: "/").last else {
      throw Failure(.failed, systemError("cannot read the mounts of process \(pid)"))
    }
    // Not touched before: a server that does not answer would hold this thread for good
    try root.check(before: "/")
    let raw = clinux_open_root(pid)
    guard raw >= 0 else {
      throw Failure(.failed, systemError("cannot open the root directory of process \(pid)"))
    }
    self.fd = OwnedFD(raw)
    self.mounts = mounts
  }

  /// The container's PID 1, if it has a PID namespace of its own.
  static func firstProcess(of cgroup: borrowing Cgroup) throws(Failure) -> Int32? {
    let pids = processes(of: cgroup)
    guard let pid = pids.first(where: { isFirstInPIDNamespace(Int($0)) }) else {
      throw Failure(.unsupported, "the container has no PID namespace of its own: which process is its first is not known")
    }
    return pid
  }

  private static func processes(of cgroup: borrowing Cgroup) -> [Int32] {
    ([cgroup.path] + cgroup.descendants).flatMap { path in
      String(decoding: contents(of: "\(Cgroup.mountPoint)\(path)/cgroup.procs") ?? [], as: UTF8.self).split(separator: "\n")
        .compactMap { Int32($0) }.filter { $0 > 0 }
    }
  }

  /// A directory in a tmpfs of the container's own, or why it is not to be touched: that is known from its mounts, before it
  /// is looked for.
  ///
  /// - Parameter path: absolute, in the container.
  func tmpfs(_ path: String) throws(Failure) -> OwnedFD {
    let mount = try mounts.tmpfs(path)
    guard let node = Mounts(of: 1) else { throw Failure(.failed, systemError("cannot read the node's mounts")) }
    if let place = HostMounts.place(of: mount.device, in: node), !HostMounts.isForContainers(place) {
      throw Failure(.unsupported, "\(printable(path)) of the container is the node's \(printable(place))")
    }
    let relative = path.drop { $0 == "/" }
    let found = clinux_find_directory_beneath(fd.raw, relative.isEmpty ? "." : String(relative))
    guard found >= 0 else {
      guard errno != ELOOP else {
        throw Failure(
          .unsupported, "a symbolic link is on the way to \(printable(path)) of the container: expected a path without any")
      }
      throw Failure(.notFound, systemError("cannot open \(printable(path)) of the container"))
    }
    let directory = OwnedFD(found)
    guard Mounts.id(of: directory) == mount.id else {
      throw Failure(.unsupported, "another file system has been mounted at \(printable(path)) of the container meanwhile")
    }
    let raw = clinux_open_directory_beneath(directory.raw, ".")
    guard raw >= 0 else { throw Failure(.failed, systemError("cannot open \(printable(path)) of the container")) }
    return OwnedFD(raw)
  }
}

/// The node's own mounts, which containers may see, too.
enum HostMounts {
  /// Where a file system is mounted on the node; nil: not at all.
  static func place(of device: String, in mounts: Mounts) -> String? {
    let places = mounts.all.filter { $0.device == device }.map(\.point)
    return places.first { !isForContainers($0) } ?? places.first
  }

  /// Whether a runtime or the kubelet has made it for a container or its pod: such as /dev/shm, or an emptyDir in memory.
  static func isForContainers(_ place: String) -> Bool {
    place.split(separator: "/").contains { name in
      name == "kubernetes.io~empty-dir" || name.utf8.count == 64 && name.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
  }
}
