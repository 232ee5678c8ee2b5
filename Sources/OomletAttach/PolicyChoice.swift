public import OomletModel
internal import OomletOCI
public import OomletPolicy

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
  /// - Throws: ``ExitStatus/invalid`` for what can't be allowed.
  public init?(of container: Attacher.Container, asking asked: AskedPolicy, on node: NodeConfig) throws(Failure) {
    let annotations = container.annotations
    if let request = asked.request {
      (self.request, warnings) = try node.annotations.apply(to: request)
      rule = nil
      return
    }
    guard !annotations.isSandbox, !node.rules.isEmpty else { return nil }
    guard let at = node.rules.firstIndex(where: { $0.matches(annotations, at: container.place) }) else { return nil }
    (request, rule, warnings) = (node.rules[at].request, at + 1, [])
  }
}
