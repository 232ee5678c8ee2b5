internal import COomletABI
internal import OomletModel

/// A cgroup as a place for a policy: what for, and where that is pinned.
public struct PolicyPlace: Sendable {
  /// Below the cgroup hierarchy's root.
  public let cgroup: String
  public let cgroupID: UInt64
  let pin: String
  let kind: oomlet_kind

  public static func container(_ cgroup: String, id: UInt64) -> PolicyPlace {
    PolicyPlace(cgroup: cgroup, cgroupID: id, pin: Pins.link(ofContainer: id), kind: OOMLET_KIND_CONTAINER)
  }

  public static func pod(_ cgroup: String, id: UInt64) -> PolicyPlace {
    PolicyPlace(cgroup: cgroup, cgroupID: id, pin: Pins.link(ofPod: id), kind: OOMLET_KIND_POD)
  }

  /// The root cgroup.
  public static func system(id: UInt64) -> PolicyPlace {
    PolicyPlace(cgroup: "/", cgroupID: id, pin: Pins.systemLink, kind: OOMLET_KIND_SLICE)
  }

  /// The id of the cgroup that the kernel says the policy is in force on; 0: none.
  public var attachedCgroupID: UInt64 { Attachment(at: self)?.cgroupID ?? 0 }

  public var isAttached: Bool { attachedCgroupID == cgroupID }

  /// Takes the policy off at once, whoever still holds it: that its last pin goes takes a moment to end a link, and the cgroup
  /// may be used again.
  public func takeOff() {
    if let attachment = Attachment(at: self) { try? attachment.detach() }
    Pins.remove(pin)
  }
}
