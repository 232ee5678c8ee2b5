internal import OomletBPF
public import OomletModel
public import OomletOCI
public import OomletPolicy
internal import OomletSystem

/// What a container is to have, and by whose word.
public struct PolicyChoice: Sendable {
  public let request: PolicyRequest
  /// The number of the node's rule, from 1; nil: the container's annotation.
  public let rule: Int?
  /// What the node took back of what was asked for.
  public let warnings: [String]

  /// By its annotation, as far as the node allows it; without one by the first of the node's rules that matches. nil: by
  /// neither, or it is a pod's pause container.
  ///
  /// - Throws: ``ExitStatus/invalid`` for an annotation that can't be meant, ``ExitStatus/notFound`` if the process is gone.
  public init?(of container: Attacher.Container, on node: NodeConfig) throws(Failure) {
    try self.init(of: container, asking: try PolicyRequest(asking: container.annotations), on: node)
  }

  /// The same, where the annotation has been read.
  public init?(of container: Attacher.Container, asking asked: PolicyRequest?, on node: NodeConfig) throws(Failure) {
    let annotations = container.annotations
    guard !annotations.isSandbox else { return nil }
    if let asked {
      (request, warnings) = try node.annotations.apply(to: asked)
      rule = nil
      return
    }
    guard !node.rules.isEmpty else { return nil }
    let place = Placement(cgroup: try Cgroup.path(ofProcess: container.pid), annotations: annotations)
    guard let at = node.rules.firstIndex(where: { $0.matches(annotations, at: place) }) else { return nil }
    (request, rule, warnings) = (node.rules[at].request, at + 1, [])
  }
}

extension PolicyRequest {
  /// What a container's annotation asks for; nil: it has none.
  ///
  /// - Throws: ``ExitStatus/invalid``, with key and value.
  public init?(asking annotations: ContainerAnnotations) throws(Failure) {
    guard let policy = try annotations.policy() else { return nil }
    switch PolicyGrammar(customPolicies: CustomPolicy.names).parse(policy.value) {
    case .success(let request): self = request
    case .failure(let problems): throw Failure(.invalid, "\(printable(policy.key)): \(problems.summary)")
    }
  }
}
