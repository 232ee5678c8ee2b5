internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

/// A cgroup's pressure: the limit that its tasks' stalls are compared with, in the kernel, and how they are.
public struct Pressure: Equatable, Sendable {
  public var limit: PressureRequest
  public var dryRun: Bool
  /// Whether a rule of the node's configuration asks for it, and not the container's policy.
  public var isByNode: Bool
  /// Share of the limit's window that tasks stalled, in thousandths, when it was looked at last; nil: not yet.
  public var permille: UInt32?
  /// In ns of CLOCK_BOOTTIME: the last look, about every 2 s while not all tasks are idle; since when it is above the limit;
  /// when it was called an OOM last.
  public var lookedAt: UInt64?
  public var since: UInt64?
  public var declaredAt: UInt64?

  private static var limits: CgroupStorage<oomlet_pressure_limit> { CgroupStorage(name: "pressure") }
  private static var stalls: CgroupStorage<oomlet_stall> { CgroupStorage(name: "stalls") }

  /// nil: it has no limit.
  public init?(of cgroup: borrowing Cgroup) {
    guard let raw = Pressure.limits.value(on: cgroup), let kind = PressureRequest.Kind(raw.kind) else { return nil }
    limit = PressureRequest(
      kind: kind, permille: raw.permille, window: raw.window_ns, holdFor: raw.for_ns, cooldown: raw.cooldown_ns,
      availablePermille: raw.available_permille)
    dryRun = raw.flags & OOMLET_DRY_RUN.rawValue != 0
    isByNode = raw.flags & OOMLET_BY_NODE.rawValue != 0
    guard let stall = Pressure.stalls.value(on: cgroup), stall.kind == raw.kind, stall.window_ns == raw.window_ns
    else { return }
    (permille, lookedAt) = (stall.permille, stall.looked_at_ns)
    since = stall.since_ns == 0 ? nil : stall.since_ns
    declaredAt = stall.declared_at_ns == 0 ? nil : stall.declared_at_ns
  }

  /// As it is below `/`, the whole system.
  public static var ofSystem: Pressure? {
    guard let root = try? Cgroup(path: "/") else { return nil }
    return Pressure(of: root)
  }

  /// All that rules of the node's configuration ask for, with their cgroups.
  public static var byNode: [(cgroup: String, pressure: Pressure)] {
    guard let root = try? Cgroup(path: "/") else { return [] }
    return root.descendants.compactMap { path in
      guard let cgroup = try? Cgroup(path: path), let pressure = Pressure(of: cgroup), pressure.isByNode else { return nil }
      return (path, pressure)
    }
  }

  /// From now on; nil: none. What the node asks for stays where a policy has none, and gives way where it has one.
  public static func setLimit(
    _ limit: PressureRequest?, dryRun: Bool = false, byNode: Bool = false, of cgroup: borrowing Cgroup
  ) throws(Failure) {
    guard let limit else {
      if byNode || Pressure(of: cgroup)?.isByNode != true { try limits.remove(from: cgroup) }
      return
    }
    let flags = (dryRun ? OOMLET_DRY_RUN.rawValue : 0) | (byNode ? OOMLET_BY_NODE.rawValue : 0)
    let raw = oomlet_pressure_limit(
      kind: limit.kind.raw.rawValue, permille: limit.permille, window_ns: limit.window, for_ns: limit.holdFor,
      cooldown_ns: limit.cooldown, available_permille: limit.availablePermille, flags: flags)
    let path = cgroup.path
    try limits.store(raw, on: cgroup, "cannot store the pressure limit of \(printable(path))")
  }

  /// Whether that is the limit which a cgroup has by its policy; nil: none.
  public static func isLimit(_ limit: PressureRequest?, dryRun: Bool, of cgroup: borrowing Cgroup) -> Bool {
    guard let there = Pressure(of: cgroup), !there.isByNode else { return limit == nil }
    return there.limit == limit && there.dryRun == dryRun
  }

  /// Whether the program that looks at stalls is loaded.
  public static var isWatched: Bool { access(Programs.pressurePin, F_OK) == 0 }
}
