internal import OomletJSON
public import OomletModel

/// Where annotations say what a container's policy is, and who the container is.
public struct ContainerAnnotations: Sendable {
  private let written: WrittenAnnotations
  /// Whose word counts for who the container is.
  private let runtime: KeyFamily?
  /// By podman's own files.
  private let podman: PodmanName?

  /// - Parameter id: of the container; "" if that is not known.
  public init(_ written: WrittenAnnotations, id: String = "", podman: PodmanName? = nil) {
    (self.written, self.podman) = (written, podman)
    runtime = KeyFamily.ofRuntime(written.values, id: id)
  }

  public init(_ all: [String: String], id: String = "") { self.init(WrittenAnnotations(all), id: id) }

  public subscript(key: String) -> String? { written[key] }

  private func said(_ key: KeyPath<KeyFamily, String>) -> String? { runtime.flatMap { written[$0[keyPath: key]] } }

  /// "" where none is known for sure; so are the others.
  public var containerName: String { said(\.containerName) ?? podman?.container ?? "" }
  public var podName: String { said(\.podName) ?? podman?.pod ?? "" }
  public var podNamespace: String { said(\.podNamespace) ?? "" }

  /// Whether it is podman's, which passes no names.
  public var isPodmans: Bool { runtime == nil && written[KeyFamily.manager] == "libpod" }

  /// Whether it is a pod's pause container: that never gets a policy.
  public var isSandbox: Bool {
    guard written[KeyFamily.manager] == nil || runtime != nil else { return false }
    let families = runtime.map { [$0] } ?? KeyFamily.allCases
    let kinds = families.compactMap { written[$0.kind] }
    return !kinds.isEmpty && kinds.allSatisfy { $0 == "sandbox" }
  }

  public var isInPod: Bool {
    said(\.podID) != nil || !podName.isEmpty || isPodmans && written[KeyFamily.crio.podID] != nil
  }

  public struct Policy: Equatable, Sendable {
    public let key: String
    public let value: String
  }

  /// What is asked for this container: its own key before the pod's. Nothing, if it is a pod's pause container.
  ///
  /// - Throws: ``ExitStatus/invalid`` if one of oomlet's keys can't be meant, or a key and its alias say two different things.
  public func policy() throws(Failure) -> Policy? {
    guard !isSandbox else { return nil }
    if let fault = written.fault { throw fault }
    for name in ownNames {
      if let own = try policy(PolicyKey(container: name)) { return own }
    }
    return try policy(PolicyKey())
  }

  /// By which `oom.policy/NAME` may call it.
  private var ownNames: [String] { [containerName, podman?.full ?? ""].filter { !$0.isEmpty } }

  private func policy(_ key: PolicyKey) throws(Failure) -> Policy? {
    let (name, alias) = (key.text, key.twin.text)
    guard let value = written[name] else { return written[alias].map { Policy(key: alias, value: $0) } }
    if let other = written[alias], other != value {
      throw Failure(
        .invalid,
        "\(printable(name)): \(quoted(value)), but \(printable(alias)): \(quoted(other)): expected one of the two keys")
    }
    return Policy(key: name, value: value)
  }

  /// Whether there is any for oomlet.
  public var hasPolicyKeys: Bool { written.values.keys.contains { PolicyKey($0) != nil } }

  /// A key for one container that counts for nobody, since this one's name is another or not known; with what to do.
  public var unusedKeyWarning: String? {
    guard !isSandbox, let key = keys.first(where: { PolicyKey($0)?.container.map(isLost) ?? false }) else { return nil }
    let expected = podman.map { "\(quoted(PolicyKey(container: $0.full).text)) or " } ?? ""
    return "\(printable(key)) is not used: \(whyNameIsUnknown): expected \(expected)\(quoted(PolicyKey.name))"
  }

  /// Whether a key for a container of that name may be meant for this one, and does not count.
  private func isLost(_ name: String) -> Bool {
    guard !ownNames.contains(name) else { return false }
    guard let podman else { return containerName.isEmpty }
    return !isInPod || podman.pod == nil && podman.full.hasSuffix("-\(name)")
  }

  private var whyNameIsUnknown: String {
    if let podman {
      return "podman calls this container \(quoted(podman.full))\(isInPod ? ", and does not tell its pod's name" : "")"
    }
    return KeyFamily.speaking(in: written.values).count > 1
      ? "the keys of two runtimes say who this container is, so neither counts" : "its runtime does not tell its name"
  }

  /// A label of the container: CRI-O passes them all in one annotation, and as annotations of their own, as others may do.
  /// Those of Kubernetes itself count by CRI-O's word only.
  public func label(_ key: String) -> String? {
    guard runtime == .crio || !key.hasPrefix("io.kubernetes.") else { return nil }
    let labels = written["io.kubernetes.cri-o.Labels"].flatMap { try? LooseJSON(parsing: Array($0.utf8)) }
    return labels?[key]?.string ?? written[key]
  }

  /// Sorted.
  public var keys: [String] { written.values.keys.sorted() }
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
