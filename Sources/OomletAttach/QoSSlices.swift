internal import OomletBPF
internal import OomletModel
internal import OomletOCI
internal import OomletSystem

/// The kubelet's cgroups of the QoS classes. Marked in the kernel, so that containers without policy, too, are compared with
/// others by their class.
public enum QoSSlices {
  /// Those of the kubelet's cgroup of all pods that this path is or leads into, if it does.
  public static func mark(above path: String) {
    if let kubepods = Placement(cgroup: path, annotations: ContainerAnnotations([:])).kubepods { mark(kubepods) }
  }

  /// - Parameter kubepods: of all pods; Guaranteed pods are right in it.
  static func mark(_ kubepods: String) {
    mark(kubepods, .guaranteed)
    for name in namesInDirectory(Cgroup.mountPoint + kubepods) ?? [] {
      if name == "burstable" || name.hasSuffix("kubepods-burstable.slice") { mark("\(kubepods)/\(name)", .burstable) }
      if name == "besteffort" || name.hasSuffix("kubepods-besteffort.slice") { mark("\(kubepods)/\(name)", .bestEffort) }
    }
  }

  private static func mark(_ path: String, _ qos: QoSClass) {
    guard let cgroup = try? Cgroup(path: path), Parameters(on: cgroup) == nil else { return }
    try? Parameters(slice: qos).store(on: cgroup)
  }
}
