internal import OomletJSON
public import OomletModel

/// Where annotations say what a container's policy is, and who the container is.
public struct ContainerAnnotations: Sendable {
  private let all: [String: String]

  public init(_ all: [String: String]) { self.all = all }

  public subscript(key: String) -> String? { all[key] }

  private func first(_ keys: String...) -> String? { keys.lazy.compactMap { all[$0] }.first }

  // What containerd, CRI-O and podman put there.
  public var containerName: String { first("io.kubernetes.cri.container-name", "io.kubernetes.container.name") ?? "" }
  public var podName: String { first("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name") ?? "" }
  public var podNamespace: String { first("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace") ?? "" }
  private var podID: String? { first("io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID") }

  /// Whether it is a pod's pause container: that never gets a policy.
  public var isSandbox: Bool {
    first("io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType") == "sandbox"
  }

  public var isInPod: Bool { podID != nil || !podName.isEmpty }

  public struct Policy: Equatable, Sendable {
    public let key: String
    public let value: String
  }

  /// What is asked for this container: its own key before the pod's.
  ///
  /// - Throws: ``ExitStatus/invalid`` if a key and its alias say two different things.
  public func policy() throws(Failure) -> Policy? {
    let name = containerName
    if !name.isEmpty, let own = try policy(PolicyKey(container: name)) { return own }
    return try policy(PolicyKey())
  }

  private func policy(_ key: PolicyKey) throws(Failure) -> Policy? {
    let (name, alias) = (key.text, key.twin.text)
    guard let value = all[name] else { return all[alias].map { Policy(key: alias, value: $0) } }
    if let other = all[alias], other != value {
      throw Failure(
        .invalid,
        "\(printable(name)): \(quoted(value)), but \(printable(alias)): \(quoted(other)): expected one of the two keys")
    }
    return Policy(key: name, value: value)
  }

  /// A label of the container: CRI-O passes them all in one annotation, and as annotations of their own, as others may do.
  public func label(_ key: String) -> String? {
    if let labels = all["io.kubernetes.cri-o.Labels"], let json = try? JSON(parsing: Array(labels.utf8)),
      let label = json[key]?.string
    {
      return label
    }
    return all[key]
  }

  /// Sorted.
  public var keys: [String] { all.keys.sorted() }
}

extension ContainerIdentity {
  /// - Throws: ``ExitStatus/failed`` if the id is none.
  public init(id: String, annotations: ContainerAnnotations) throws(Failure) {
    guard
      let identity = ContainerIdentity(
        id: id, name: annotations.containerName, pod: annotations.podName, namespace: annotations.podNamespace)
    else {
      throw Failure(
        .failed, "container id \(quoted(id)) is none: expected 1 to 127 letters, digits, \"_\", \"+\", \"-\" or \".\"")
    }
    self = identity
  }
}
