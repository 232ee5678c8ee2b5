internal import COomletABI
public import OomletModel
public import OomletSystem

/// A policy in force on a cgroup: while somebody holds it, or it is kept.
public struct Attachment: ~Copyable {
  private enum Means: ~Copyable {
    case link(PolicyLink)
    case entry
  }

  private let place: PolicyPlace
  private let means: Means

  /// Puts a policy in force, the way this kernel wants it.
  ///
  /// - Throws: ``ExitStatus/occupied`` if the cgroup has a policy, with its name.
  public init(_ policy: borrowing OwnedFD, to cgroup: borrowing Cgroup, at place: PolicyPlace) throws(Failure) {
    // The kernel would attach it all the same, and never ask it
    guard cgroup.value(of: "cgroup.controllers")?.split(separator: " ").contains("memory") != false else {
      throw Failure(
        .unsupported, "cgroup \(printable(cgroup.path)) has no memory controller: see its parent's cgroup.subtree_control")
    }
    let means = try Attachment.make(policy, on: cgroup, place.kind)
    self.place = place
    self.means = means
  }

  private static func make(
    _ policy: borrowing OwnedFD, on cgroup: borrowing Cgroup, _ kind: oomlet_kind
  ) throws(Failure) -> Means {
    guard areEntries else { return .link(try PolicyLink(policy: policy, to: cgroup, style: State.attachStyle)) }
    try PolicyEntry.store(kind, on: cgroup)
    return .entry
  }

  /// The one that is kept, or nil.
  public init?(at place: PolicyPlace) {
    guard let means = Attachment.means(at: place) else { return nil }
    self.place = place
    self.means = means
  }

  private static var areEntries: Bool { State.attachStyle == OOMLET_ATTACH_STORAGE }

  private static func means(at place: PolicyPlace) -> Means? {
    if areEntries { return entryID(at: place) == place.cgroupID ? .entry : nil }
    guard let link = PolicyLink(pinned: place.pin) else { return nil }
    return .link(link)
  }

  /// The id of the cgroup that is there now, if it has an entry; 0: it has none, or there is no such cgroup.
  private static func entryID(at place: PolicyPlace) -> UInt64 {
    guard let cgroup = try? Cgroup(path: place.cgroup), PolicyEntry.isThere(on: cgroup) else { return 0 }
    return cgroup.id
  }

  /// Of the cgroup it is on, as the kernel says; 0: of none any more.
  public var cgroupID: UInt64 {
    switch means {
    case .link(let link): link.info?.cgroupID ?? 0
    case .entry: Attachment.entryID(at: place)
    }
  }

  /// From now on it stays though nobody holds it.
  public func keep() throws(Failure) {
    switch means {
    case .link(let link): try link.pin(place.pin)
    case .entry: break
    }
  }

  public func detach() throws(Failure) {
    switch means {
    case .link(let link): try link.detach()
    case .entry:
      let cgroup = try Cgroup(path: place.cgroup)
      if cgroup.id == place.cgroupID { PolicyEntry.remove(from: cgroup) }
    }
  }

  /// Puts another policy in its place, so that its cgroup never is without one.
  ///
  /// - Returns: false if this kernel can't do that.
  public func replace(by policy: borrowing OwnedFD) throws(Failure) -> Bool {
    switch means {
    case .link(let link): try link.replace(by: policy)
    case .entry: true
    }
  }

  /// - Parameter name: of the policy that is there; nil: not known.
  public static func occupied(_ cgroup: String, by name: String?) -> Failure {
    let name = name.map { " (\(quoted($0)))" } ?? ""
    return Failure(.occupied, "cgroup \(printable(cgroup)) has another OOM policy\(name), which stays")
  }

  /// The names of pins of policies whose cgroup is gone.
  public static func defunctPins() -> (containers: Set<String>, pods: [String]) {
    func defunct(_ directory: String) -> [String] {
      (namesInDirectory(directory) ?? []).filter { PolicyLink(pinned: "\(directory)/\($0)")?.info?.cgroupID == 0 }
    }
    return (Set(defunct(Pins.links)), defunct(Pins.pods))
  }
}
