internal import CLinux
internal import Glibc
public import Logging
internal import OomletAttach
internal import OomletBPF
internal import OomletJournal
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
    let journal = try JournalWriter()

    var ring: RecordRing?
    var node: NodePolicy?
    do throws(Failure) {
      try loadPolicies()
      node = try NodePolicy(logger: logger)
      ring = try RecordRing { record in keep(record, in: journal) }
    } catch {
      guard error.status == .unsupported else { throw error }
      logger.warning("degraded: \(error)")
    }
    if config.systemPressure != nil, !Pressure.isWatched {
      logger.warning("system.pressure is not watched: this kernel does not tell of pressure (PSI); is it booted with psi=0?")
    }
    adopt()
    node?.apply(config)
    let containers = try ContainerWatch { [logger] container, paths in
      logger.notice(
        "container \(container.identity.id): memory.oom.group set again for kill: \(container.kill.rawValue)",
        metadata: ["cgroups": "\(paths.joined(separator: " "))"])
    }
    logger.info("agent \(oomletVersion) is running")

    var waiting = [signals.raw, containers.pollDescriptor].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    if let node { waiting.append(pollfd(fd: node.pollDescriptor, events: Int16(POLLIN), revents: 0)) }
    if let ring { waiting.append(pollfd(fd: ring.pollDescriptor, events: Int16(POLLIN), revents: 0)) }
    repeat {
      if let node, waiting[2].revents != 0 { node.handleEvents() }
      if waiting[1].revents != 0 { containers.handleEvents() }
      // Once before the first wait: records of a time without agent raise no event
      if let ring, ring.drain() > 0 { journal.sync() }
      // A journal that could not be written is tried again
      poll(&waiting, nfds_t(waiting.count), journalFailed.value ? 1000 : -1)
    } while waiting[0].revents == 0
    if let ring, ring.drain() > 0 { journal.sync() }
    logger.info("agent ends; policies stay in force")
    lock.release()
  }

  private final class Flag {
    var value = false
  }
  private let journalFailed = Flag()

  private func keep(_ record: KillRecord, in journal: JournalWriter) -> Bool {
    do throws(Failure) {
      if try journal.append(record) {
        logger.notice("\(record.sentence)", metadata: ["id": "\(record.id)", "outcome": "\(record.outcome.rawValue)"])
      }
      if journalFailed.value { logger.notice("the journal is written again") }
      journalFailed.value = false
      return true
    } catch {
      if !journalFailed.value { logger.error("\(error); records wait in the ring buffer") }
      journalFailed.value = true
      return false
    }
  }

  /// So that hooks find them; also the node's own policies, of which one that doesn't load is named and left out.
  private func loadPolicies() throws(Failure) {
    let attacher = Attacher(deadline: monotonicNanoseconds() + 10_000_000_000)
    try attacher.loadAll { error in logger.error("\(error)") }
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
