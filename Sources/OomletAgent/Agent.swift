internal import CLinux
internal import Glibc
public import Logging
internal import OomletAttach
internal import OomletBPF
internal import OomletMetrics
public import OomletModel
internal import OomletPolicy
internal import OomletSystem

/// The node agent: takes records out of the kernel's ring buffer into the journal. Decides nothing: policies go on
/// without it.
public struct Agent {
  public static let lockPath = "\(Attacher.runDirectory)/agent.lock"

  private let logger: Logger

  public init(logger: Logger) { self.logger = logger }

  /// Whether an agent runs on this node.
  public static var isRunning: Bool { FileLock.isHeld(lockPath) }

  /// Runs until SIGTERM or SIGINT.
  public func run() throws(Failure) {
    var stopping: [CInt] = [SIGTERM, SIGINT]
    let signals = OwnedFD(clinux_signalfd(&stopping, CInt(stopping.count)))
    try makeDirectory(Attacher.runDirectory)
    let lock: FileLock
    // Those who ask whether an agent runs have it for a moment
    do throws(Failure) { lock = try FileLock(Agent.lockPath, deadline: monotonicNanoseconds() + 500_000_000) } catch {
      throw error.status == .deadline ? Failure(.failed, "another agent is running on this node") : error
    }
    let config = try NodeConfig.load()
    let telemetry = try Telemetry()
    telemetry.configLoaded(successfully: true)

    var ring: RecordRing?
    var keeper: RecordKeeper
    do throws(Failure) {
      try loadPolicies(config, telemetry)
      keeper = RecordKeeper(config.journal, telemetry: telemetry, logger: logger)
      ring = try RecordRing { [keeper] record in keeper.keep(record) }
      telemetry.set(kernelSupported: true)
      warnOfRingSize(config)
    } catch {
      guard error.status == .unsupported else { throw error }
      logger.warning("degraded: \(error)")
      keeper = RecordKeeper(config.journal, telemetry: telemetry, logger: logger)
      telemetry.set(kernelSupported: false)
    }
    // Also where there can't be any: an agent that never gets ready would help nobody
    telemetry.readiness.set(.policies, missing: nil)
    adopt()
    let containers = try ContainerWatch { [logger] container, paths in
      logger.notice(
        "container \(container.identity.id): memory.oom.group set again for kill: \(container.kill.rawValue)",
        metadata: ["cgroups": "\(paths.joined(separator: " "))"])
    }
    do throws(Failure) { try telemetry.offer(at: config.metricsAddress) } catch { logger.error("\(error)") }
    logger.info("agent \(oomletVersion) is running")

    var waiting = [signals.raw, containers.pollDescriptor, telemetry.pollDescriptor, -1].map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    repeat {
      if waiting[1].revents != 0 { containers.handleEvents() }
      // Once before the first wait: records of a time without agent raise no event
      ring?.drain()
      keeper.settle()
      if waiting[2].revents != 0 {
        keeper.report()
        telemetry.set(attached: containers.attachedCount)
        telemetry.measureProcess()
        telemetry.answer()
      }
      // Records that must wait would wake it at once, again and again: until the journal is written, time does
      waiting[3].fd = keeper.hasFailed ? -1 : ring?.pollDescriptor ?? -1
      poll(&waiting, nfds_t(waiting.count), keeper.timeout)
    } while waiting[0].revents == 0
    ring?.drain()
    keeper.finish()
    telemetry.stop()
    logger.info("agent ends; policies stay in force")
    lock.release()
  }

  private func warnOfRingSize(_ config: NodeConfig) {
    guard let size = Ring.current?.size, size != UInt64(config.ringSize) else { return }
    logger.warning(
      "kernel.ring-size: the ring buffer has \(size) bytes, not \(config.ringSize): it was made earlier, and stays until the next boot"
    )
  }

  /// So that hooks find them; also the node's own policies, of which one that doesn't load is named and left out.
  private func loadPolicies(_ config: NodeConfig, _ telemetry: Telemetry) throws(Failure) {
    let attacher = Attacher(deadline: monotonicNanoseconds() + 10_000_000_000, ringSize: config.ringSize)
    try attacher.loadAll { error in
      logger.error("\(error)")
      telemetry.set(.customPolicy, true)
    }
    do throws(Failure) { try attacher.attachSystem(order: config.order) } catch {
      telemetry.set(.systemPolicy, true)
      logger.warning("OOMs of slices and of the system are left to the kernel: \(error)")
    }
  }

  /// What an earlier agent or a hook left: containers that are attached stay so, what is left of those that are gone
  /// goes.
  private func adopt() {
    let leftovers = AttachedContainer.removeLeftovers()
    if leftovers > 0 { logger.info("removed what was left of \(count(leftovers, "container"))") }
    let attached = AttachedContainer.all().count { $0.isAttached }
    if attached > 0 { logger.info("adopted \(count(attached, "container"))") }
  }
}
