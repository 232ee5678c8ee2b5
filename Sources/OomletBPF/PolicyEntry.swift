internal import COomletABI
internal import OomletModel
internal import OomletSystem

/// Tier `tracing`: a policy is in force on a cgroup that has an entry in map `attached`, which goes with the cgroup.
enum PolicyEntry {
  private static var storage: CgroupStorage<oomlet_attached> { CgroupStorage(name: "attached") }

  static func store(_ kind: oomlet_kind, on cgroup: borrowing Cgroup) throws(Failure) {
    let path = cgroup.path
    try storage.store(
      oomlet_attached(kind: kind.rawValue, pad: 0), on: cgroup, "cannot attach a policy to cgroup \(printable(path))")
  }

  static func isThere(on cgroup: borrowing Cgroup) -> Bool { storage.value(on: cgroup) != nil }

  static func remove(from cgroup: borrowing Cgroup) { try? storage.remove(from: cgroup) }
}
