internal import Glibc
public import OomletBPF
public import OomletModel
internal import OomletSystem

/// Puts a policy on a container's cgroup, and takes it off again.
public struct Attacher {
  public static let runDirectory = "/run/oomlet"
  /// Held by the node's agent.
  public static let agentLock = "\(runDirectory)/agent.lock"
  /// Whether there may be policies of oomlet on this node.
  public static var isInUse: Bool { access(Pins.links, F_OK) == 0 }

  /// In ns of CLOCK_MONOTONIC: when to give up waiting for other processes of oomlet.
  public let deadline: UInt64
  private let ringSize: UInt32
  /// Hooks attach each their own container, the agent any, and changes what a rule has given.
  private let isAgent: Bool

  /// - Parameter ringSize: of the ring buffer for records, in bytes, should the shared maps not be made yet.
  public init(deadline: UInt64, ringSize: UInt32 = Ring.defaultSize, isAgent: Bool = false) {
    (self.deadline, self.ringSize, self.isAgent) = (deadline, ringSize, isAgent)
  }

  /// The policy's map, loaded and pinned by us if nobody has yet.
  func load(_ kind: PolicyMap.Kind) throws(Failure) -> OwnedFD {
    // No lock for the usual case: a pin appears only when everything is in place
    if let map = PolicyMap.loaded(kind) { return map }
    let lock = try self.lock("load")
    // Others that start a container now wait for this one
    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -20)
    defer { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 0) }
    let map = try PolicyMap.load(kind, ringSize: ringSize)
    lock.release()
    return map
  }

  /// Loads all policies there are, before anybody asks for them.
  ///
  /// - Parameter complain: called for each policy of the node that doesn't load.
  public func loadAll(complain: (Failure) -> Void) throws(Failure) {
    for rule in VictimRule.allCases { _ = try load(.container(.rule(rule))) }
    _ = try load(.pod)
    for name in CustomPolicy.names.compactMap(PolicyName.init) {
      do throws(Failure) { _ = try load(.container(.custom(name))) } catch { complain(error) }
    }
  }

  /// Attaches to the root cgroup what chooses among containers when the OOM is a slice's or the system's.
  ///
  /// - Parameter held: that link, of an earlier call: it stays in force should somebody remove the pin, and is pinned again.
  public func attachSystem(order: [OrderKey], holding held: inout Attachment?) throws(Failure) {
    let map = try load(.system)
    try State.set(order: order)
    let root = try Cgroup(path: "/")
    guard Cgroup.isWhole else { throw Failure(.unsupported, "\(Cgroup.partProblem): \(Cgroup.partRemedy)") }
    let place = PolicyPlace.system(id: root.id)
    if let attachment = held.take(), attachment.cgroupID == root.id, Attachment(at: place) == nil { try attachment.keep() }
    try attach(map, to: root, at: place)
    held = Attachment(at: place)
  }

  /// From now on the system's stalls are called an OOM when they are above that; nil: never.
  public func setSystemPressure(_ limit: PressureRequest?) throws(Failure) {
    guard Cgroup.isWhole else { return }
    try Pressure.setLimit(limit, of: try Cgroup(path: "/"))
  }

  /// Puts a policy in force on a cgroup for good, unless it is so already.
  private func attach(_ map: borrowing OwnedFD, to cgroup: borrowing Cgroup, at place: PolicyPlace) throws(Failure) {
    guard !place.isAttached else { return }
    place.takeOff()
    try Attachment(map, to: cgroup, at: place).keep()
  }

  /// - Parameter part: whose it is; others don't wait for it.
  func lock(_ name: String, of part: String? = nil) throws(Failure) -> FileLock {
    try makeDirectory(Attacher.runDirectory)
    return try FileLock("\(Attacher.runDirectory)/\(name).lock", part: part, deadline: deadline)
  }

  /// Attaches a policy to a container's cgroup, all or nothing, and sees to its pod. One that has a policy keeps it, unless
  /// that is by a rule, and this one, too, and of the agent: then it never is without one.
  ///
  /// - Parameter rule: of the node that gives it the policy; nil: its annotation does.
  /// - Returns: what the user should know, though the policy is attached.
  public func attach(_ request: PolicyRequest, to container: Container, rule: Int? = nil) throws(Failure) -> [String] {
    let cgroup = try Cgroup(path: container.place.container)
    let lock = try lockContainer(on: cgroup.id)
    do throws(Failure) {
      let warnings = try attachLocked(request, to: container, on: cgroup, rule)
      lock.release()
      return warnings
    } catch { throw error.status == .unsupported ? Node.memoryProblem() ?? error : error }
  }

  /// While it is held nobody else changes what is on that cgroup for its container.
  func lockContainer(on cgroupID: UInt64) throws(Failure) -> FileLock { try lock("attach", of: String(cgroupID)) }

  private func attachLocked(
    _ request: PolicyRequest, to container: Container, on cgroup: borrowing Cgroup, _ rule: Int?
  ) throws(Failure) -> [String] {
    try container.checkItRuns()
    try OwnCgroup.check(cgroup, of: container.pid, isStarting: !isAgent)
    let older = try removeOlder(on: cgroup, than: container)
    let map = try load(.container(request.victim))
    let pressureProblem = request.pressure == nil ? nil : problem(withPressureOf: cgroup)
    // One that runs already is better off with the rest of its policy
    if let pressureProblem, request.require, !isAgent { throw pressureProblem }
    let there = PolicyPlace.container(cgroup.path, id: cgroup.id)
    if !there.isAttached {
      there.takeOff()
    } else if let parameters = Parameters(on: cgroup), parameters.containerID == container.identity.id {
      // Both prestart and createRuntime may be configured
      guard isAgent, let rule, let attached = container.attached, attached.rule != nil else { return [] }
      try change(attached, to: request, rule, of: container, on: cgroup)
      return []
    } else {
      throw Attachment.occupied(cgroup.path, by: Parameters(on: cgroup)?.policyName)
    }
    var customID: UInt32 = 0
    if case .custom = request.victim { customID = try PolicyMap.id(map) }
    let parameters = Parameters(request, container.identity, facts(of: container, on: cgroup), customID: customID)
    try attach(map, parameters, request, container, to: cgroup, rule)

    let place = container.place
    if let kubepods = place.kubepods { QoSSlices.mark(kubepods) }
    var warnings: [String] = []
    if let older { warnings.append(older) }
    if let pressureProblem { warnings.append(pressureProblem.description) }
    if let pod = place.pod {
      do throws(Failure) { try attachPod(pod, place.qos, container.identity, request.order) } catch {
        warnings.append("its pod has no policy: \(error)")
      }
    }
    if request.kill == .process, let ending = SystemdUnit.ending(cgroup: cgroup.path) { warnings.append(ending.warning) }
    return warnings
  }

  private func problem(withPressureOf cgroup: borrowing Cgroup) -> Failure? {
    let problem = Node.pressureProblem(ofCgroup: cgroup.path)
    guard problem == nil, !Pressure.isWatched else { return problem }
    return Failure(
      .unsupported, "the kernel does not tell oomlet of pressure: the policy decides when a limit is hit, not before")
  }

  /// Parameters first, link second: a policy never runs without its parameters. The pin comes last. What fails is undone, so
  /// that a cgroup with somebody else's policy is as it was.
  private func attach(
    _ map: borrowing OwnedFD, _ parameters: Parameters, _ request: PolicyRequest, _ container: Container,
    to cgroup: borrowing Cgroup, _ rule: Int?
  ) throws(Failure) {
    let before = Parameters(on: cgroup)
    let there = PolicyPlace.container(cgroup.path, id: cgroup.id)
    var attached: AttachedContainer?
    var isAttached = false
    do throws(Failure) {
      try store(parameters, request, on: cgroup)
      let attachment = try Attachment(map, to: cgroup, at: there)
      isAttached = true
      var pod: AttachedContainer.PodCgroup?
      if let path = container.place.pod, let id = Cgroup.id(ofPath: path) { pod = .init(path: path, id: id) }
      let new = AttachedContainer(
        identity: container.identity, cgroup: cgroup.path, cgroupID: cgroup.id, policy: request.victim.description,
        kill: request.kill, pod: pod, oomGroup: try OOMGroup(of: cgroup, for: request.kill), rule: rule,
        relief: request.relief, life: container.life, bundle: container.bundle)
      attached = new
      try new.write()
      try attachment.keep()
    } catch {
      if isAttached { there.takeOff() }
      if let before { try? before.store(on: cgroup) } else { Parameters.remove(from: cgroup) }
      try? Pressure.setLimit(nil, of: cgroup)
      attached?.removeFile()
      attached?.oomGroup.restore()
      throw error
    }
  }

  /// All of a request that the kernel's part reads.
  private func store(_ parameters: Parameters, _ request: PolicyRequest, on cgroup: borrowing Cgroup) throws(Failure) {
    try parameters.store(on: cgroup)
    try Pressure.setLimit(request.pressure, dryRun: request.dryRun, of: cgroup)
  }

  /// Another policy in place of one by a rule. What decides is in the parameters, which are replaced at once; the link has the
  /// policy's name for the kernel's log, and while that is replaced the handlers further up decide the same.
  private func change(
    _ attached: AttachedContainer, to request: PolicyRequest, _ rule: Int, of container: Container, on cgroup: borrowing Cgroup
  ) throws(Failure) {
    let map = try load(.container(request.victim))
    var customID: UInt32 = 0
    if case .custom = request.victim { customID = try PolicyMap.id(map) }
    let parameters = Parameters(request, container.identity, facts(of: container, on: cgroup), customID: customID)
    if let before = Parameters(on: cgroup), before.isSame(as: parameters), attached.rule == rule,
      Pressure.isLimit(request.pressure, dryRun: request.dryRun, of: cgroup), attached.relief == request.relief
    {
      return
    }
    try store(parameters, request, on: cgroup)
    var attached = attached
    if attached.policy != request.victim.description {
      try replace(at: .container(cgroup.path, id: cgroup.id), by: map, on: cgroup)
    }
    (attached.policy, attached.kill, attached.rule) = (request.victim.description, request.kill, rule)
    attached.relief = request.relief
    attached.oomGroup = try OOMGroup(of: cgroup, for: request.kill).over(attached.oomGroup)
    try attached.write()
  }

  private func replace(at place: PolicyPlace, by map: borrowing OwnedFD, on cgroup: borrowing Cgroup) throws(Failure) {
    if let old = Attachment(at: place), try old.replace(by: map) { return }
    place.takeOff()
    try Attachment(map, to: cgroup, at: place).keep()
  }

  /// Notes on the cgroup of a container without policy who it is, for its comparison with others.
  public func note(_ container: Container) throws(Failure) {
    let cgroup = try Cgroup(path: container.place.container)
    let lock = try lockContainer(on: cgroup.id)
    try container.checkItRuns()
    try OwnCgroup.check(cgroup, of: container.pid, isStarting: !isAgent)
    if Parameters(on: cgroup) == nil {
      try Parameters(known: container.identity, facts(of: container, on: cgroup)).store(on: cgroup)
    }
    lock.release()
    if let kubepods = container.place.kubepods { QoSSlices.mark(kubepods) }
  }

  /// An OOM at the pod's limit is decided there: among the pod's containers first. By the order that one of them has named.
  private func attachPod(_ path: String, _ qos: QoSClass?, _ identity: ContainerIdentity, _ order: [OrderKey]?) throws(Failure) {
    let map = try load(.pod)
    let cgroup = try Cgroup(path: path)
    let lock = try self.lock("pods", of: String(cgroup.id))
    let order = order ?? Parameters(on: cgroup)?.order ?? PolicyRequest.defaultOrder
    try Parameters(pod: identity, qos: qos, order: order).store(on: cgroup)
    try attach(map, to: cgroup, at: .pod(cgroup.path, id: cgroup.id))
    lock.release()
  }

  /// Takes off a cgroup what a container before this one has left there, whose poststop has not come. What is on a cgroup is of
  /// one life of one container.
  ///
  /// - Returns: what to say of it; nil: there was nothing.
  private func removeOlder(on cgroup: borrowing Cgroup, than container: Container) throws(Failure) -> String? {
    guard let there = Parameters(on: cgroup), there.isPolicy else { return nil }
    let attached = AttachedContainer(id: there.containerID, on: cgroup.id)
    let isThisLife = there.containerID == container.identity.id && (attached?.life == nil || attached?.life == container.life)
    guard !isThisLife else { return nil }
    // Two that run can't both be in a cgroup of their own
    if let other = attached?.life, !other.isOver { return nil }
    if let attached { try removeLocked(attached) } else { PolicyPlace.container(cgroup.path, id: cgroup.id).takeOff() }
    Parameters.remove(from: cgroup)
    try? Pressure.setLimit(nil, of: cgroup)
    return
      "its cgroup still had the policy of container \(printable(there.containerID)), whose poststop hook did not run: it has been removed"
  }

  /// The same for a container that asks for no policy.
  ///
  /// - Returns: what to say of it; nil: there was nothing, as usual.
  public func removeOlder(before container: Container) throws(Failure) -> String? {
    let cgroup = try Cgroup(path: container.place.container)
    guard Parameters(on: cgroup)?.isPolicy == true else { return nil }
    let lock = try lockContainer(on: cgroup.id)
    try OwnCgroup.check(cgroup, of: container.pid, isStarting: true)
    let said = try removeOlder(on: cgroup, than: container)
    lock.release()
    return said
  }

  /// Removes what is left of a container that its runtime has deleted; nothing there is fine. Another one may have its id, in
  /// another state directory.
  ///
  /// - Parameter bundle: nil: not told.
  public func removeDeleted(id: String, bundle: String?) throws(Failure) {
    guard try removeEnded(id: id) == 0 else { return }
    // Something of it may not have died yet
    let candidates = AttachedContainer.all(withID: id)
    if candidates.count == 1, bundle == nil || candidates[0].bundle == bundle { try remove(candidates[0]) }
  }

  /// - Returns: how many containers with that id have ended.
  @discardableResult
  public func removeEnded(id: String) throws(Failure) -> Int {
    let ended = AttachedContainer.all(withID: id).filter(\.hasEnded)
    for container in ended { try remove(container) }
    return ended.count
  }

  /// Takes its policy off a container.
  public func remove(_ container: AttachedContainer) throws(Failure) {
    let lock = try lockContainer(on: container.cgroupID)
    try removeLocked(container)
    lock.release()
  }

  private func removeLocked(_ container: AttachedContainer) throws(Failure) {
    container.policyPlace.takeOff()
    try leave(container.pod) { container.removeFile() }
    // Last: while there is an identity file, the agent keeps memory.oom.group as the policy needs it
    if let cgroup = try? Cgroup(path: container.cgroup), cgroup.id == container.cgroupID {
      Parameters.remove(from: cgroup)
      try? Pressure.setLimit(nil, of: cgroup)
      container.oomGroup.restore()
    }
  }

  /// Removes an identity, and with the last one of a pod its policy: at once, so that nobody finds a pod's policy left of
  /// containers that are gone.
  func leave(_ pod: AttachedContainer.PodCgroup?, removing remove: () -> Void) throws(Failure) {
    guard let pod else { return remove() }
    let lock = try self.lock("pods", of: String(pod.id))
    remove()
    if !AttachedContainer.all().contains(where: { $0.pod == pod }) {
      PolicyPlace.pod(pod.path, id: pod.id).takeOff()
      if let cgroup = try? Cgroup(path: pod.path), cgroup.id == pod.id { Parameters.remove(from: cgroup) }
    }
    lock.release()
  }

  private func facts(of container: Container, on cgroup: borrowing Cgroup) -> Parameters.Facts {
    var facts = Parameters.Facts()
    facts.qos = container.place.qos
    facts.memoryRequest = MemoryRequest.bytes(
      qos: container.place.qos, oomScoreAdj: container.oomScoreAdj, limit: cgroup.value(of: "memory.max").flatMap { UInt64($0) },
      capacity: machineMemory().ram)
    // A PID namespace of its own tells the container's PID 1 from anywhere; else its PID here, if that is the kernel's
    if isFirstInPIDNamespace(container.pid) {
      facts.initPIDNamespace = UInt32(truncatingIfNeeded: inode(of: "/proc/\(container.pid)/ns/pid") ?? 0)
    } else if inode(of: "/proc/self/ns/pid") == 0xefff_fffc {
      facts.initPID = UInt32(container.pid)
    }
    return facts
  }
}

/// A container's memory request, which runtimes are not told: in bytes.
enum MemoryRequest {
  /// The kubelet puts a Burstable container's request into its oom_score_adj: 1000 - 1000 * request / capacity, kept in
  /// 3 … 999.
  static func bytes(qos: QoSClass?, oomScoreAdj: Int?, limit: UInt64?, capacity: UInt64) -> UInt64 {
    switch qos {
    case .guaranteed?: return limit ?? 0
    case .burstable?:
      guard let oomScoreAdj, (3..<1000).contains(oomScoreAdj) else { return 0 }
      return capacity / 1000 * UInt64(1000 - oomScoreAdj)
    case .bestEffort?, nil: return 0
    }
  }
}
