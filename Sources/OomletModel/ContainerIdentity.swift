/// Who a container is, as far as the runtime said.
public struct ContainerIdentity: Hashable, Sendable {
  /// Unique in its runtime's state directory only; file names are made with it, see ``init(id:name:pod:namespace:)``.
  public var id: String
  /// Kubernetes' name of the container in its pod, or "".
  public var name: String
  public var pod: String
  public var namespace: String

  /// - Returns: nil if `id` is not 1 to 127 of `A-Z a-z 0-9 _ + - .`, or is `.` or `..` (runc's rule, libcontainer).
  public init?(id: String, name: String = "", pod: String = "", namespace: String = "") {
    let bytes = Array(id.utf8)
    guard (1...127).contains(bytes.count), id != ".", id != "..",
      bytes.allSatisfy({
        (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || "_+-.".utf8.contains($0)
      })
    else { return nil }
    self.id = id
    self.name = name
    self.pod = pod
    self.namespace = namespace
  }

  /// What people call it: `pod/name`, its name or its id.
  public var label: String {
    let name = name.isEmpty ? id : name
    return pod.isEmpty ? name : "\(pod)/\(name)"
  }
}
