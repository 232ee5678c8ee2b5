internal import OomletModel

/// What the kubelet's names of cgroups say: `kubepods`, with the systemd driver `kubepods-CLASS-podUID.slice`, after the
/// names of slices above where it is not at the root.
struct PodSlice {
  /// nil: that does not tell.
  let qos: QoSClass?
  let isPod: Bool

  /// nil: it is no slice of the kubelet's below that of all pods.
  init?(_ name: String) {
    guard name.hasSuffix(".slice"), let parts = PodSlice.parts(name), let first = parts.first else { return nil }
    let ofClass: QoSClass? = first == "besteffort" ? .bestEffort : first == "burstable" ? .burstable : nil
    isPod = parts.prefix(2).contains { $0.hasPrefix("pod") }
    qos = ofClass ?? (first.hasPrefix("pod") ? .guaranteed : nil)
  }

  /// Whether all pods are in a cgroup of that name.
  static func isOfAllPods(_ name: String) -> Bool {
    name == "kubepods" || name.hasSuffix(".slice") && parts(name)?.isEmpty == true
  }

  /// What follows `kubepods` in a slice's name.
  private static func parts(_ slice: String) -> [Substring]? {
    let words = slice.dropLast(".slice".count).split(separator: "-", omittingEmptySubsequences: false)
    return words.firstIndex(of: "kubepods").map { Array(words[($0 + 1)...]) }
  }
}
