public import OomletBPF
internal import OomletSystem

extension AttachedContainer {
  /// What its tasks' stalls are compared with, and how they are; nil: nothing.
  public var pressure: Pressure? {
    guard let cgroup = try? Cgroup(path: cgroup), cgroup.id == cgroupID else { return nil }
    return Pressure(of: cgroup)
  }
}
