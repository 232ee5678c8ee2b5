internal import COomletABI
public import OomletModel
public import OomletSystem

/// What the node's configuration says of a cgroup and all below it: the map `marks`. It goes with the cgroup.
public enum Mark {
  private static var storage: CgroupStorage<oomlet_mark> { CgroupStorage(name: "marks") }

  /// Gives way last at the OOM of a slice or the system.
  public static func protect(_ cgroup: borrowing Cgroup) throws(Failure) {
    let path = cgroup.path
    try storage.store(oomlet_mark(protect: 1, pad: 0), on: cgroup, "cannot mark cgroup \(printable(path))")
  }

  public static func isOn(_ cgroup: borrowing Cgroup) -> Bool { storage.value(on: cgroup) != nil }

  public static func remove(from cgroup: borrowing Cgroup) { try? storage.remove(from: cgroup) }
}
