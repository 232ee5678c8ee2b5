/// The keys by which a runtime tells who a container is. A pod's annotations may reach its containers, so each family can be
/// written by a tenant, too, where another runtime is at work.
enum KeyFamily: CaseIterable {
  case containerd, crio

  private var prefix: String { self == .crio ? "io.kubernetes.cri-o." : "io.kubernetes.cri." }

  var containerName: String { self == .crio ? "io.kubernetes.container.name" : prefix + "container-name" }
  var podName: String { self == .crio ? "io.kubernetes.pod.name" : prefix + "sandbox-name" }
  var podNamespace: String { self == .crio ? "io.kubernetes.pod.namespace" : prefix + "sandbox-namespace" }
  var podID: String { prefix + (self == .crio ? "SandboxID" : "sandbox-id") }
  /// `sandbox` or `container`.
  var kind: String { prefix + (self == .crio ? "ContainerType" : "container-type") }

  private func has(_ key: String) -> Bool { key.hasPrefix(prefix) || [containerName, podName, podNamespace].contains(key) }

  /// Those that have something to say.
  static func speaking(in annotations: [String: String]) -> [KeyFamily] {
    allCases.filter { family in annotations.keys.contains(where: family.has) }
  }

  /// The family of the runtime that has made the container with that id; nil: that can't be told, and no word counts.
  static func ofRuntime(_ annotations: [String: String], id: String) -> KeyFamily? {
    // CRI-O writes this over what a pod says, and nobody else knows an id before the container is made
    if annotations["io.kubernetes.cri-o.ContainerID"] == id { return .crio }
    // podman says so of all its containers, and has neither family's names; CRI-O does, too, but always with the id
    guard annotations[manager] == nil else { return nil }
    let speaking = speaking(in: annotations)
    return speaking.count == 1 ? speaking[0] : nil
  }

  static let manager = "io.container.manager"
}
