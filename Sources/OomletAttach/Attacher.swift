internal import OomletBPF
public import OomletModel
public import OomletSystem

/// Puts a policy on a container's cgroup, and takes it off again.
public struct Attacher {
  public static let runDirectory = "/run/oomlet"

  /// In ns of CLOCK_MONOTONIC: when to give up waiting for other processes of oomlet.
  public let deadline: UInt64

  public init(deadline: UInt64) { self.deadline = deadline }

  /// The policy loaded and pinned, by us if nobody has yet.
  public func load(_ policy: PolicyName) throws(Failure) -> OwnedFD {
    // No lock for the usual case: a pin appears only when everything is in place
    if let map = PolicyLoader.loaded(policy) { return map }
    try makeDirectory(Attacher.runDirectory)
    let lock = try FileLock("\(Attacher.runDirectory)/load.lock", deadline: deadline)
    let map = try PolicyLoader.load(policy)
    lock.release()
    return map
  }

  /// Attaches a policy to a container's cgroup. All or nothing.
  public func attach(_ policy: PolicyName, to identity: ContainerIdentity, on cgroup: borrowing Cgroup) throws(Failure) {
    let map = try load(policy)
    let pin = Pins.link(of: identity)
    if let old = PolicyLink(pinned: pin) {
      let attachedTo = old.info?.cgroupID ?? 0
      // Both prestart and createRuntime may be configured
      guard attachedTo != cgroup.id else { return }
      guard attachedTo == 0 else {
        throw Failure(
          .occupied, "another container with id \(quoted(identity.id)) has a policy; its cgroup's id is \(attachedTo)")
      }
      Pins.remove(pin)
    }
    // Parameters first, link second: a policy never runs without its parameters. What fails is undone, so that a cgroup
    // with somebody else's policy is as it was.
    let before = Parameters(on: cgroup)
    let group = cgroup.value(of: "memory.oom.group")
    try Parameters(identity).store(on: cgroup)
    do throws(Failure) {
      let link = try PolicyLink(policy: map, to: cgroup)
      try killOnlyTheVictim(cgroup)
      try AttachedContainer(identity: identity, cgroup: cgroup.path, cgroupID: cgroup.id, policy: policy.description).write()
      try link.pin(pin)
    } catch {
      if let before { try? before.store(on: cgroup) } else { Parameters.remove(from: cgroup) }
      if error.status != .occupied { AttachedContainer.remove(identity) }
      if let group { _ = cgroup.set("memory.oom.group", to: group) }
      throw error
    }
  }

  /// Removes what is left of a container's policy; nothing there is fine.
  public static func detach(_ identity: ContainerIdentity) {
    Pins.remove(Pins.link(of: identity))
    AttachedContainer.remove(identity)
  }

  /// The kubelet sets memory.oom.group, with which any kill takes the whole container.
  private func killOnlyTheVictim(_ cgroup: borrowing Cgroup) throws(Failure) {
    guard let group = cgroup.value(of: "memory.oom.group") else {
      throw Failure(
        .unsupported, "cgroup \(printable(cgroup.path)) has no memory controller: see its parent's cgroup.subtree_control")
    }
    guard group == "0" || cgroup.set("memory.oom.group", to: "0") else {
      throw Failure(.failed, systemError("cannot set memory.oom.group of cgroup \(printable(cgroup.path))"))
    }
  }
}
