internal import CLinux
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// The root directory of a container, in its own mount namespace: as its processes see it.
struct ContainerRoot: ~Copyable {
  private let fd: OwnedFD

  init(of cgroup: borrowing Cgroup) throws(Failure) {
    let pids = ContainerRoot.processes(of: cgroup)
    guard let pid = pids.first(where: { isFirstInPIDNamespace(Int($0)) }) ?? pids.first else {
      throw Failure(.notFound, "no process of the container is in sight")
    }
    let raw = clinux_open_root(pid)
    guard raw >= 0 else {
      throw Failure(.failed, systemError("cannot open the root directory of process \(pid)"))
    }
    let root = OwnedFD(raw)
    // Its PID may be another's by now
    guard cgroup.holds(pid) else {
      throw Failure(.notFound, "process \(pid) has ended")
    }
    self.fd = root
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

  /// A directory in a tmpfs of the container's own, or why it is not to be touched.
  ///
  /// - Parameter path: absolute, in the container.
  func tmpfs(_ path: String) throws(Failure) -> OwnedFD {
    let relative = path.drop { $0 == "/" }
    let raw = clinux_open_directory_beneath(fd.raw, relative.isEmpty ? "." : String(relative), 0)
    guard raw >= 0 else { throw Failure(.notFound, systemError("cannot open \(printable(path)) of the container")) }
    let directory = OwnedFD(raw)
    var filesystem = statfs()
    guard fstatfs(directory.raw, &filesystem) == 0, filesystem.f_type == Int(CLINUX_TMPFS_MAGIC) else {
      throw Failure(.unsupported, "\(printable(path)) of the container is not in a tmpfs")
    }
    var status = stat()
    fstat(directory.raw, &status)
    if let place = HostMounts.place(of: status.st_dev), !HostMounts.isForContainers(place) {
      throw Failure(.unsupported, "\(printable(path)) of the container is the node's \(printable(place))")
    }
    return directory
  }
}

/// The node's own mounts, which containers may see, too.
enum HostMounts {
  /// Where a file system is mounted on the node, from /proc/1/mountinfo (proc_pid_mountinfo(5)); nil: not at all.
  static func place(of device: dev_t) -> String? {
    place(of: device, in: String(decoding: contents(of: "/proc/1/mountinfo") ?? [], as: UTF8.self))
  }

  static func place(of device: dev_t, in mounts: String) -> String? {
    let number = "\(major(device)):\(minor(device))"
    let places = mounts.split(separator: "\n").compactMap { line -> String? in
      let fields = line.split(separator: " ")
      return fields.count > 4 && fields[2] == number ? String(fields[4]) : nil
    }
    return places.first { !isForContainers($0) } ?? places.first
  }

  /// Whether a runtime or the kubelet has made it for a container or its pod: such as /dev/shm, or an emptyDir in memory.
  static func isForContainers(_ place: String) -> Bool {
    place.split(separator: "/").contains { name in
      name == "kubernetes.io~empty-dir" || name.utf8.count == 64 && name.allSatisfy { $0.isHexDigit && !$0.isUppercase }
    }
  }

  private static func major(_ device: dev_t) -> dev_t { (device >> 8 & 0xfff) | (device >> 32 & 0xffff_f000) }
  private static func minor(_ device: dev_t) -> dev_t { (device & 0xff) | (device >> 12 & 0xffff_ff00) }
}
