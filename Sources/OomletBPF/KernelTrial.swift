internal import COomletABI
internal import Glibc
public import OomletModel
internal import OomletSystem

extension KernelSupport {
  /// Whether policies work here: loads a second copy of the programs, attaches a policy to a cgroup made for that, and removes
  /// all of it again. Takes as long as an agent's first start.
  ///
  /// - Throws: ``ExitStatus/unsupported`` with what the kernel refused and what it said, ``ExitStatus/notPermitted``,
  ///   ``ExitStatus/failed``.
  public static func tryOut() throws(Failure) {
    try check()
    try Programs.tryOut { handler throws(Failure) in
      let mechanism = try mechanism()
      let policy = try mechanism.makePolicy(.system, handler: handler)
      try withTrialCgroup { cgroup throws(Failure) in try mechanism.tryOut(policy, on: cgroup) }
    }
  }

  /// Whether policies work here, by one that is attached; where none is, by a trial.
  public static func checkInUse() throws(Failure) {
    if State.attachStyle == OOMLET_ATTACH_STORAGE, Pins.open(Programs.handlerPin) != nil { return }
    if Pins.allLinks.contains(where: { (PolicyLink(pinned: $0)?.info?.cgroupID ?? 0) != 0 }) { return }
    try tryOut()
  }

  private static func withTrialCgroup(_ body: (borrowing Cgroup) throws(Failure) -> Void) throws(Failure) {
    let prefix = "oomlet-trial-"
    // Of trials that were killed
    for name in namesInDirectory(Cgroup.mountPoint) ?? [] where name.hasPrefix(prefix) {
      guard let pid = pid_t(name.dropFirst(prefix.count)), Glibc.kill(pid, 0) != 0, errno == ESRCH else { continue }
      rmdir("\(Cgroup.mountPoint)/\(name)")
    }
    let path = "/\(prefix)\(getpid())"
    guard mkdir(Cgroup.mountPoint + path, 0o755) == 0 else {
      let status: ExitStatus = [EPERM, EACCES, EROFS].contains(errno) ? .notPermitted : .failed
      throw Failure(status, systemError("cannot make cgroup \(path) to try a policy on"))
    }
    defer { rmdir(Cgroup.mountPoint + path) }
    try body(try Cgroup(path: path))
  }
}
