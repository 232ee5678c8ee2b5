internal import Glibc
public import Logging
internal import OomletAttach
internal import OomletBPF
internal import OomletJSON
internal import OomletJournal
internal import OomletMetrics
public import OomletModel
internal import OomletPolicy
public import OomletPrivileges
internal import OomletSystem

/// The node agent: takes records out of the kernel's ring buffer into the journal, applies the node's configuration. Decides
/// nothing: policies go on without it.
public final class Agent {
  /// What the agent may do once it has started: docs/agent.md says what for.
  public static let capabilities: [Capability] = [.bpf, .perfmon, .syslog, .dacOverride]

  /// In ns: how often it looks at what tells nobody of its changes.
  private static let roundInterval: UInt64 = 10_000_000_000
  /// In ns: how long records wait that come right after others. Where many containers run out at once, they need the processors more.
  private static let recordInterval: UInt64 = 200_000_000

  private let logger: Logger
  private let state = AgentState()
  private let serviceManager = ServiceManager()
  private var config = NodeConfig()
  private var node: NodePolicy?
  private var ring: RecordRing?
  /// The node's as the start sees them: later it has no right to look.
  private let stateDirectories = StateDirectories()
  private let telemetry: Telemetry
  private var keeper: RecordKeeper?
  private let reliefJournal = ReliefJournal()
  private var systemPolicy: Attachment?
  private var rounds = 0

  public init(logger: Logger) throws(Failure) {
    self.logger = logger
    telemetry = try Telemetry()
  }

  /// Whether an agent runs on this node.
  public static var isRunning: Bool { FileLock.isHeld(Attacher.agentLock) }

  /// Runs until SIGTERM or SIGINT.
  public func run() throws(Failure) {
    let signals = AgentSignals()
    try makeDirectory(Attacher.runDirectory)
    let lock: FileLock
    // Those who ask whether an agent runs have it for a moment
    do throws(Failure) { lock = try FileLock(Attacher.agentLock, deadline: monotonicNanoseconds() + 500_000_000) } catch {
      throw error.status == .deadline ? Failure(.failed, "another agent is running on this node") : error
    }
    protectSelf { () throws(Failure) in try OwnMemory.makeLastVictim() }
    // Before the configuration is read: what changes from here on is seen
    let configWatch = ConfigWatch()
    try loadConfiguration()
    let keeper = RecordKeeper(config.journal, state: state, telemetry: telemetry, logger: logger)
    self.keeper = keeper

    if state.degraded[.kernel] == nil { node = NodePolicy(logger: logger) }
    try takeUp()
    // Not before: what loading takes, the verifier's memory with it, has to fit beside what is locked
    protectSelf { () throws(Failure) in try OwnMemory.lock() }
    nameOthers()
    adopt()
    applyConfiguration()
    let containers = try ContainerWatch { [logger] container, paths in
      logger.notice(
        "container \(container.identity.id): memory.oom.group set again for kill: \(container.kill.rawValue)",
        metadata: ["cgroups": "\(paths.joined(separator: " "))"])
    }
    let control = try ControlSocket(group: groupID(ControlSocket.group)) { [unowned self] method in
      switch method {
      case .status: .success(state.json(relief: config.systemRelief))
      case .reload: reload(because: "root asked for it")
      }
    }
    let relief = try ReliefWatch { [unowned self] in keep($0) }
    dropCapabilities(of: relief)
    offerMetrics()
    filterSystemCalls()
    logger.info("agent \(oomletVersion) is running")
    serviceManager.ready()

    var nextRound: UInt64 = 0
    // When to take records; nil: when there is one
    var recordsDue: UInt64?
    func takeRecords() {
      recordsDue = ring?.drain() ?? 0 > 0 ? monotonicNanoseconds() + Agent.recordInterval : nil
      keeper.settle()
    }
    var isStopping = false
    while !isStopping {
      let now = monotonicNanoseconds()
      // Also before the first wait: records of a time without agent raise no event
      if keeper.hasFailed || now >= recordsDue ?? 0 { takeRecords() } else { keeper.settle() }
      if now >= nextRound {
        nextRound = now + Agent.roundInterval
        makeRound()
        lookAgain(configWatch, containers)
      }
      if containers.hasLeftovers(now: now) { removeLeftovers() }
      if configWatch.isChanged(now: now) { _ = reload(because: "its files have changed") }
      relief.handle(containers.relieved, system: config.systemRelief, now: now)
      degrade(.relief, relief.lost)
      reportRefusedCalls()

      var waiting = [
        signals.pollDescriptor, containers.pollDescriptor, configWatch.pollDescriptor, telemetry.pollDescriptor,
        relief.pollDescriptor,
      ].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      waiting += control.polled
      waiting += (node?.pollDescriptors ?? []).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      // Records that must wait would wake it at once, again and again: until the journal is written, time does
      if let ring, !keeper.hasFailed, recordsDue == nil {
        waiting.append(pollfd(fd: ring.pollDescriptor, events: Int16(POLLIN), revents: 0))
      }
      var deadline = nextRound
      for other in [
        configWatch.deadline, control.deadline, containers.deadline, keeper.deadline, relief.deadline, recordsDue,
      ] {
        deadline = min(deadline, other ?? .max)
      }
      poll(&waiting, nfds_t(waiting.count), milliseconds(until: deadline))

      if waiting[1].revents != 0 { containers.handleEvents() }
      if waiting[2].revents != 0 { configWatch.handleEvents() }
      if waiting[3].revents != 0 {
        // Who asks is told of all there are
        telemetry.answer {
          takeRecords()
          report()
        } measure: {
          measure(containers)
        }
      }
      node?.handleEvents()
      control.handle()
      while let order = signals.next() {
        if order == .stop { isStopping = true } else { _ = reload(because: "SIGHUP") }
      }
    }
    serviceManager.stopping()
    ring?.drain()
    keeper.finish()
    telemetry.stop()
    unlink(ControlSocket.path)
    logger.info("agent ends; policies stay in force")
    lock.release()
  }

  /// Whether the kernel takes policies, and there is a place to pin them.
  private var hasPolicies: Bool { state.degraded[.kernel] == nil && state.degraded[.bpffs] == nil }

  /// What comes of policies, once they are loaded.
  private func takeUp() throws(Failure) {
    // Also where there can't be any: an agent that never gets ready would help nobody
    telemetry.readiness.set(.policies, missing: state.degraded[.bpffs])
    guard hasPolicies, ring == nil, let keeper else { return }
    ring = try RecordRing { record in keeper.keep(record) }
    warnOfRingSize()
  }

  /// Rounded up, so as not to wake before.
  private func milliseconds(until deadline: UInt64) -> CInt {
    let now = monotonicNanoseconds()
    return now < deadline ? CInt(min((deadline - now + 999_999) / 1_000_000, 60_000)) : 0
  }

  private func warnOfRingSize() {
    guard let size = Ring.current?.size, size != UInt64(config.ringSize) else { return }
    logger.warning(
      "kernel.ring-size: the ring buffer has \(size) bytes, not \(config.ringSize): it was made earlier, and stays until the next boot"
    )
  }
}

// MARK: - Metrics

extension Agent {
  private func offerMetrics() {
    do throws(Failure) {
      try telemetry.offer(at: config.metricsAddress)
      degrade(.metrics, nil)
    } catch {
      degrade(.metrics, "metrics are not offered: \(error)")
    }
  }

  private func report() {
    keeper?.report()
    for reason in Degradation.allCases { telemetry.set(reason, state.degraded[reason] != nil) }
    telemetry.set(tier: state.degraded[.kernel] == nil ? try? KernelSupport.tier() : nil)
    telemetry.set(state.reload)
  }

  private func measure(_ containers: ContainerWatch) {
    telemetry.set(attached: containers.attachedCount)
    telemetry.set(limits: containers.pressures + (node?.pressures ?? []), ofSystem: Pressure.ofSystem)
    telemetry.measureProcess()
  }
}

// MARK: - Relief

extension Agent {
  private func keep(_ record: ReliefRecord) {
    telemetry.kept(record)
    logger.notice("\(record.sentence)", metadata: ["outcome": "\(record.outcome.rawValue)"])
    do throws(Failure) { try reliefJournal.append(record, maxSize: config.journal.maxSize) } catch {
      logger.error("not on record: \(error)")
    }
  }
}

// MARK: - Configuration

extension Agent {
  /// All or nothing: what is wrong is on record until it is right.
  private func reload(because cause: String) -> Result<JSON, Failure> {
    serviceManager.reloading()
    defer { serviceManager.ready() }
    do throws(Failure) {
      try loadConfiguration()
      try takeUp()
      keeper?.settings = config.journal
      applyConfiguration()
      offerMetrics()
      logger.notice("configuration loaded again: \(cause)")
      return .success(state.json(relief: config.systemRelief))
    } catch {
      state.reload.failures += 1
      state.reload.failure = (Int64(clockNanoseconds(CLOCK_REALTIME)), error.description)
      state.set(.config, "\(error); what was loaded before stays in force")
      logger.error("configuration not loaded again: \(error); what was loaded before stays in force")
      return .failure(error)
    }
  }

  private func applyConfiguration() {
    if hasPolicies { node?.apply(config) }
  }

  /// With the policies; until these are loaded, what was loaded before is in force, for hooks, too.
  private func loadConfiguration() throws(Failure) {
    var broken: [String] = []
    config = try NodeConfig.loadForNode { config throws(Failure) in
      if ring == nil { lookForFilesystem() }
      guard hasPolicies else { return }
      do throws(Failure) { broken = try loadPolicies(for: config) } catch {
        guard ring == nil, error.status == .unsupported else { throw error }
        degrade(.kernel, error.description)
      }
    }
    state.set(.customPolicy, broken.isEmpty ? nil : broken.joined(separator: "; "))
    if hasPolicies { attachSystem() }
    lookForMissingParts()
    state.reload.loaded = Int64(clockNanoseconds(CLOCK_REALTIME))
    state.reload.successes += 1
    state.reload.failure = nil
    state.set(.config, nil)
  }

  /// Whether there is a place to pin policies; it may be mounted later.
  private func lookForFilesystem() {
    do throws(Failure) {
      try Pins.check()
      degrade(.bpffs, nil)
    } catch {
      degrade(.bpffs, "\(error); until then no OOM is decided (looked at again every 10 s)")
    }
  }

  /// So that hooks find them; also the node's own policies.
  ///
  /// - Returns: what is wrong with those of the node's own that don't load.
  private func loadPolicies(for config: NodeConfig) throws(Failure) -> [String] {
    let attacher = Attacher(deadline: monotonicNanoseconds() + 10_000_000_000, ringSize: config.ringSize)
    var broken: [String] = []
    try attacher.loadAll { error in
      logger.error("\(error)")
      broken.append(error.description)
    }
    try attacher.setSystemPressure(config.systemPressure)
    return broken
  }

  private func lookForMissingParts() {
    let missing = hasPolicies ? (try? KernelSupport.missing()) ?? [] : []
    guard !missing.isEmpty else { return _ = state.set(.tier, nil) }
    degrade(.tier, "left to the kernel here: \(missing.joined(separator: "; "))")
  }

  private func attachSystem() {
    let attacher = Attacher(deadline: monotonicNanoseconds() + 1_000_000_000)
    do throws(Failure) {
      try attacher.attachSystem(order: config.order, holding: &systemPolicy)
      if state.set(.systemPolicy, nil) { logger.notice("OOMs of slices and of the system are decided again") }
    } catch {
      // The first time it had the right to ask for the name of what is there
      guard state.degraded[.systemPolicy] == nil || error.status != .occupied else { return }
      degrade(.systemPolicy, "OOMs of slices and of the system are left to the kernel: \(error) (oomlet doctor says what to do)")
    }
  }
}

// MARK: - The node

extension Agent {
  /// What an earlier agent or a hook left: containers that are attached stay so, what is left of those that are gone
  /// goes.
  private func adopt() {
    removeLeftovers()
    let attached = AttachedContainer.all().count { $0.isAttached }
    if attached > 0 { logger.info("adopted \(count(attached, "container"))") }
  }

  private func removeLeftovers() {
    let leftovers = Leftovers.remove()
    if leftovers > 0 { logger.info("removed what was left of \(count(leftovers, "container"))") }
  }

  private func makeRound() {
    serviceManager.alive()
    if state.degraded[.bpffs] != nil, (try? Pins.check()) != nil { _ = reload(because: "\(Pins.filesystem) is mounted") }
    if hasPolicies { attachSystem() }
    degrade(.runtimes, stateDirectories.problem.map { "\($0): \(StateDirectories.remedy)" })
    degrade(.psi, Node.pressureProblem()?.description)
    degrade(.memoryController, Node.memoryProblem()?.description)
    degrade(.oomSysctl, Node.sysctlProblem()?.description)
    degrade(.systemdOomd, Node.systemdOomdProblem()?.description)
    // It takes a look at each process
    if rounds % 6 == 0 || state.degraded[.oomKiller] != nil { degrade(.oomKiller, Node.killersProblem()?.description) }
    rounds += 1
    let others = OtherVersion.all()
    degrade(
      .otherVersion,
      others.isEmpty
        ? nil
        : "another version of oomlet (\(others.map(\.name).joined(separator: ", "))) has left policies: once its containers have ended, oomlet cleanup removes them"
    )
  }

  /// At what could not be watched.
  private func lookAgain(_ config: ConfigWatch, _ containers: ContainerWatch) {
    if config.problem != nil { config.lookAgain() }
    node?.lookAgain(now: monotonicNanoseconds())
    containers.lookAgain()
    degrade(.watches, (config.problem ?? node?.problem ?? containers.problem)?.description)
  }

  /// Foreign policies on containers: their hooks say so too, but not everybody reads that.
  private func nameOthers() {
    guard let foreign = try? ForeignPolicy.all(), !foreign.isEmpty else { return }
    let paths = Cgroup.paths(ofIDs: Set(foreign.map(\.cgroupID)))
    for policy in foreign {
      guard let path = paths[policy.cgroupID], path != "/" else { continue }
      logger.warning("cgroup \(printable(path)) has another OOM policy (\(quoted(policy.name))), which stays")
    }
  }

  private func degrade(_ reason: Degradation, _ message: String?) {
    guard state.set(reason, message) else { return }
    if let message { logger.warning("degraded: \(message)") } else { logger.notice("no longer degraded: \(reason.rawValue)") }
  }
}

// MARK: - Itself

extension Agent {
  private func protectSelf(_ protect: () throws(Failure) -> Void) {
    do throws(Failure) { try protect() } catch {
      degrade(.privileges, "\(error): it needs CAP_SYS_RESOURCE and CAP_IPC_LOCK to start")
    }
  }

  /// Each thread has its own: those for relief have dropped theirs, and there is no other yet.
  private func dropCapabilities(of relief: ReliefWatch) {
    if let problem = relief.problem { degrade(.privileges, "relief's threads keep more rights than they need: \(problem)") }
    do throws(Failure) { try Capability.keepOnly(Agent.capabilities) } catch {
      degrade(.privileges, "the agent keeps more rights than it needs: \(error)")
    }
  }

  /// After all that opens sockets and starts threads.
  private func filterSystemCalls() {
    OwnMemory.returnFree()
    do throws(Failure) { try SystemCallFilter.install() } catch {
      degrade(.privileges, "the agent's system calls are not filtered: \(error)")
    }
  }

  private func reportRefusedCalls() {
    let names = SystemCallFilter.refused()
    guard !names.isEmpty else { return }
    let message = "system calls were refused (seccomp): \(Set(names).sorted().joined(separator: ", ")); please report this"
    state.set(.systemCall, message)
    logger.error("\(message)")
  }
}
