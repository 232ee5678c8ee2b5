public import OomletModel

/// Where a container and its pod are in the cgroup tree, told from the cgroup of the container's process. Paths are from
/// the root of the hierarchy.
public struct Placement: Equatable, Sendable {
  /// The container's cgroup: what the runtime made for it.
  public let container: String
  /// The cgroup of its pod, or nil.
  public let pod: String?
  public let qos: QoSClass?
  /// The kubelet's cgroup of all pods, or nil.
  public let kubepods: String?

  /// - Parameter cgroup: of the container's first process, as /proc/PID/cgroup has it.
  public init(cgroup: String, annotations: ContainerAnnotations) {
    // In bytes: to Swift's strings a slash is another character with a combining mark behind it
    var parts = cgroup.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    // crun keeps processes below the scope: its subgroup, and one more where it delegates
    let subgroup = annotations["run.oci.systemd.subgroup"] ?? "container"
    if parts.count >= 2, let delegated = annotations["run.oci.delegate-cgroup"], !delegated.isEmpty, parts.last == delegated {
      parts.removeLast()
    }
    if parts.count >= 2, !subgroup.isEmpty, parts[parts.count - 1] == subgroup, parts[parts.count - 2].hasSuffix(".scope") {
      parts.removeLast()
    }
    container = "/" + parts.joined(separator: "/")
    let ancestors = parts.dropLast()
    pod = Placement.isPod(Array(ancestors), annotations) ? "/" + ancestors.joined(separator: "/") : nil
    qos = Placement.qos(parts)
    kubepods = parts.firstIndex { $0.contains("kubepods") }.map { "/" + parts[...$0].joined(separator: "/") }
  }

  private static func isPod(_ path: [String], _ annotations: ContainerAnnotations) -> Bool {
    guard let name = path.last else { return false }
    let parents = path.dropLast()
    let inKubepods = parents.contains { $0.contains("kubepods") }
    // kubelet: systemd driver, cgroupfs driver
    if name.contains("kubepods"), name.contains("-pod"), name.hasSuffix(".slice") { return true }
    if inKubepods, name.hasPrefix("pod") { return true }
    // podman: systemd driver, cgroupfs driver
    if name.contains("libpod_pod_"), name.hasSuffix(".slice") { return true }
    if parents.last == "libpod_parent" { return true }
    // A runtime that says so, in a cgroup that is for this pod alone
    return annotations.isInPod && path.count >= 2 && !name.hasSuffix(".service") && !isShared(name)
  }

  /// Cgroups that hold more than a pod.
  private static func isShared(_ name: String) -> Bool {
    ["system.slice", "machine.slice", "user.slice", "kubepods.slice", "kubepods", "burstable", "besteffort", "libpod_parent"]
      .contains(name) || name.hasSuffix("kubepods-burstable.slice") || name.hasSuffix("kubepods-besteffort.slice")
  }

  private static func qos(_ parts: [String]) -> QoSClass? {
    guard let at = parts.firstIndex(where: { $0.contains("kubepods") }) else { return nil }
    for part in parts[at...].prefix(3) {
      if part == "besteffort" || part.hasSuffix("kubepods-besteffort.slice") { return .bestEffort }
      if part == "burstable" || part.hasSuffix("kubepods-burstable.slice") { return .burstable }
    }
    return .guaranteed
  }
}
