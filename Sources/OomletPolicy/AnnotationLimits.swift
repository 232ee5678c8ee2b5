public import OomletModel

/// What annotations may ask for on this node: whoever creates a pod writes them, and must not gain by it at their
/// neighbours' cost.
public struct AnnotationLimits: Equatable, Sendable {
  /// A priority above keeps a container alive where its neighbours die; the default lets it only give way.
  public var priority: ClosedRange<Int32>
  public var allowsKillPod: Bool
  public var allowsPressure: Bool
  /// nil: all.
  public var customPolicies: Set<String>?

  public init(
    priority: ClosedRange<Int32> = -1_000_000_000...0, allowsKillPod: Bool = true, allowsPressure: Bool = true,
    customPolicies: Set<String>? = nil
  ) {
    (self.priority, self.allowsKillPod, self.allowsPressure) = (priority, allowsKillPod, allowsPressure)
    self.customPolicies = customPolicies
  }

  /// The request with what is too much taken back, and what that was.
  ///
  /// - Throws: ``ExitStatus/invalid`` for what can't be taken back: a policy that is not for annotations.
  public func apply(to request: PolicyRequest) throws(Failure) -> (request: PolicyRequest, warnings: [String]) {
    var request = request
    var warnings: [String] = []
    if case .custom(let name) = request.victim, let customPolicies, !customPolicies.contains(name.description) {
      throw Failure(
        .invalid,
        "victim: \(quoted(name.description)) is not open to annotations on this node: expected \(oneOf(customPolicies.sorted() + VictimRule.allCases.map(\.rawValue)))"
      )
    }
    if !priority.contains(request.priority) {
      let capped = min(max(request.priority, priority.lowerBound), priority.upperBound)
      warnings.append(
        "priority \(request.priority) is capped to \(capped): this node allows \(priority.lowerBound) to \(priority.upperBound)")
      request.priority = capped
    }
    if request.kill == .pod, !allowsKillPod {
      warnings.append("kill: pod is capped to container: this node does not allow it")
      request.kill = .container
    }
    if request.pressure != nil, !allowsPressure {
      warnings.append("pressure is left out: this node does not allow it")
      (request.pressure, request.relief) = (nil, [])
    }
    return (request, warnings)
  }
}
