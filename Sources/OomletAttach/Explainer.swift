public import OomletBPF
public import OomletModel
internal import OomletSystem

/// Asks the kernel what would die now.
public struct Explainer {
  /// Where the OOM is supposed to be.
  public enum Level: String, CaseIterable, Sendable { case container, pod, slice, system }

  private let attacher: Attacher

  public init(deadline: UInt64) { attacher = Attacher(deadline: deadline) }

  /// A container by its id or the beginning of it, its name, `POD/NAME`, or its cgroup's path.
  ///
  /// - Throws: ``ExitStatus/notFound`` with the nearest, ``ExitStatus/usage`` if several are meant.
  public static func container(_ text: String) throws(Failure) -> AttachedContainer {
    let all = AttachedContainer.all()
    let names: [(AttachedContainer) -> [String]] = [
      { [$0.identity.id, $0.cgroup] }, { [$0.identity.name, "\($0.identity.pod)/\($0.identity.name)"] },
    ]
    for name in names {
      let exact = all.filter { name($0).contains(text) }
      if exact.count == 1 { return exact[0] }
      if exact.count > 1 { throw ambiguous(text, exact) }
    }
    let beginning = all.filter { !text.isEmpty && $0.identity.id.hasPrefix(text) }
    if beginning.count == 1 { return beginning[0] }
    if beginning.count > 1 { throw ambiguous(text, beginning) }
    let known = all.flatMap { [$0.identity.id, $0.identity.name] }.filter { !$0.isEmpty }
    throw Failure(.notFound, "no container \(quoted(text)) has a policy\(hint(for: text, among: known)): see oomlet status")
  }

  private static func ambiguous(_ text: String, _ containers: [AttachedContainer]) -> Failure {
    // An id is unique in its runtime's state directory only
    let areSame = Set(containers.map(\.identity.id)).count < containers.count
    let names = containers.map { areSame ? printable($0.cgroup) : String($0.identity.id.prefix(24)) }
    return Failure(
      .usage, "\(quoted(text)) could be \(oneOf(names)): expected one container's \(areSame ? "cgroup" : "id")")
  }

  /// - Parameter level: slice: the cgroup above its pod's, or above its own if it is in no pod.
  /// - Throws: ``ExitStatus/notFound`` if the container is in no pod or slice and `level` is that.
  public func explain(_ container: AttachedContainer, at level: Level) throws(Failure) -> Explanation {
    let cgroup: UInt64
    switch level {
    case .container: cgroup = container.cgroupID
    case .pod:
      guard let pod = container.pod else {
        throw Failure(
          .notFound, "container \(quoted(container.identity.id)) is in no pod: expected --at container, slice or system")
      }
      cgroup = pod.id
    case .slice:
      let inner = container.pod?.path ?? container.cgroup
      let slice = inner.lastIndex(of: "/").map { String(inner[..<$0]) } ?? ""
      guard !slice.isEmpty, let id = Cgroup.id(ofPath: slice) else {
        throw Failure(
          .notFound, "container \(quoted(container.identity.id)) is in no slice: expected --at container, pod or system")
      }
      cgroup = id
    case .system: cgroup = 1
    }
    let lock = try attacher.lock("explain")
    var explanation = try Explanation(outOfMemory: cgroup, listing: container.cgroupID)
    // Who gives way is known only now
    if explanation.containerCgroupID != container.cgroupID, explanation.containerCgroupID != 0 {
      explanation = try Explanation(outOfMemory: cgroup, listing: explanation.containerCgroupID)
    }
    lock.release()
    return explanation
  }

  /// Who would die now if the stalls of a cgroup were an OOM; 1: those of the node.
  public func explain(stallsOf cgroup: UInt64) throws(Failure) -> Explanation {
    let lock = try attacher.lock("explain")
    let explanation = try Explanation(outOfMemory: cgroup, listing: 0, byPressure: true)
    lock.release()
    return explanation
  }
}
