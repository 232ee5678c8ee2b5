public import OomletModel

/// The annotation a container's policy is in.
public let policyAnnotation = "oom.policy"

extension ContainerIdentity {
  /// The container's id and the names that containerd, CRI-O and podman put in annotations.
  public init(state: RuntimeState, annotations: [String: String]) throws(Failure) {
    func first(_ keys: String...) -> String { keys.lazy.compactMap { annotations[$0] }.first ?? "" }
    guard
      let identity = ContainerIdentity(
        id: state.id,
        name: first("io.kubernetes.cri.container-name", "io.kubernetes.container.name"),
        pod: first("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"),
        namespace: first("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"))
    else {
      throw Failure(
        .failed, "container id \(quoted(state.id)) is none: expected 1 to 127 letters, digits, \"_\", \"+\", \"-\" or \".\"")
    }
    self = identity
  }
}

/// The policy an annotation names.
///
/// - Parameter known: all names there are.
/// - Throws: ``ExitStatus/invalid``, with key, value, what was expected and the nearest name.
public func policy(named value: String, key: String = policyAnnotation, known: [String]) throws(Failure) -> PolicyName {
  let isSpace = { (c: Character) in c == " " || c == "\n" || c == "\t" || c == "\r\n" || c == "\r" }
  let trimmed = String(value.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
  if let name = PolicyName(trimmed), known.contains(trimmed) { return name }
  let hint = nearestSpelling(to: trimmed, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
  throw Failure(.invalid, "\(key): \(quoted(value)) is no policy: expected one of \(known.joined(separator: ", "))\(hint)")
}
