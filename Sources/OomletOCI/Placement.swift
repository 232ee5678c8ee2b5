public import OomletModel

/// Where a container and its pod are in the cgroup tree, told from the cgroup of the container's process. Paths are from
/// the root of the hierarchy.
public struct Placement: Equatable, Sendable {
  /// The container's cgroup: what the runtime made for it.
  public let container: String
  /// The cgroup of its pod, or nil.
  public let pod: String?
  /// As the kubelet's names tell it; nil: they are none of its, or not understood.
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
    let ancestors = Array(parts.dropLast())
    // A name for systemd that was taken for a path: no cgroup above it is its pod's
    let literal = parts.last.flatMap(Placement.sliceOfLiteralName)
    pod = literal == nil && Placement.isPod(ancestors, annotations) ? "/" + ancestors.joined(separator: "/") : nil
    qos = Placement.qos(ancestors) ?? literal.flatMap { PodSlice($0)?.qos }
    kubepods = parts.firstIndex(where: PodSlice.isOfAllPods).map { "/" + parts[...$0].joined(separator: "/") }
  }

  /// `SLICE` of `SLICE:PREFIX:NAME` (runtime-spec, linux.cgroupsPath).
  private static func sliceOfLiteralName(_ name: String) -> String? {
    let parts = name.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 3 && parts[0].hasSuffix(".slice") ? String(parts[0]) : nil
  }

  private static func isPod(_ path: [String], _ annotations: ContainerAnnotations) -> Bool {
    guard let name = path.last else { return false }
    let parents = path.dropLast()
    // kubelet: systemd driver, cgroupfs driver
    if PodSlice(name)?.isPod == true { return true }
    if parents.contains(where: PodSlice.isOfAllPods), name.hasPrefix("pod") { return true }
    // podman: systemd driver, cgroupfs driver
    if name.contains("libpod_pod_"), name.hasSuffix(".slice") { return true }
    if parents.last == "libpod_parent" { return true }
    // A runtime that says so, in a cgroup that is for this pod alone
    return annotations.isInPod && path.count >= 2 && !name.hasSuffix(".service") && !isShared(name)
  }

  /// Cgroups that hold more than a pod.
  private static func isShared(_ name: String) -> Bool {
    ["system.slice", "machine.slice", "user.slice", "burstable", "besteffort", "libpod_parent"].contains(name)
      || PodSlice.isOfAllPods(name) || PodSlice(name) != nil
  }

  /// - Parameter parents: the cgroups that the container's is in.
  private static func qos(_ parents: [String]) -> QoSClass? {
    let slices = parents.compactMap(PodSlice.init)
    if let slice = slices.first(where: \.isPod) ?? slices.last { return slice.qos }
    switch parents.drop(while: { $0 != "kubepods" }).dropFirst().first {
    case "besteffort"?: return .bestEffort
    case "burstable"?: return .burstable
    case let name?: return name.hasPrefix("pod") ? .guaranteed : nil
    case nil: return nil
    }
  }
}
