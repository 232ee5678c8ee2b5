internal import Logging
internal import OomletBPF
internal import OomletJournal
internal import OomletMetrics
internal import OomletModel
internal import OomletSystem

/// Takes records to the journal, the log and the metrics. What can't be written waits in the ring buffer, and is tried
/// again; what finds no room there is counted as lost, by the kernel.
final class RecordKeeper {
  private let journal: JournalWriter
  private let state: AgentState
  private let telemetry: Telemetry
  private let logger: Logger
  private(set) var hasFailed = false
  private var hasCounted = false
  private var lost: UInt64 = 0

  init(_ settings: JournalSettings, state: AgentState, telemetry: Telemetry, logger: Logger) {
    journal = JournalWriter(settings: settings) { logger.warning("\($0)") }
    (self.state, self.telemetry, self.logger) = (state, telemetry, logger)
    attempt { () throws(Failure) in try journal.open() }
  }

  var settings: JournalSettings {
    get { journal.settings }
    set { journal.settings = newValue }
  }

  /// - Returns: false if the record must wait.
  func keep(_ record: KillRecord) -> Bool {
    attempt { () throws(Failure) in
      guard try journal.append(record) else { return }
      telemetry.kept(record)
      logger.notice("\(record.sentence)", metadata: ["id": "\(record.id)", "outcome": "\(record.outcome.rawValue)"])
    }
  }

  /// What is to be done after records have been taken, and from time to time.
  func settle() {
    keepSafe { () throws(Failure) in try journal.sync() }
    let all = State.recordsLost ?? 0
    if all > lost {
      logger.error(
        "\(count(Int(clamping: all - lost), "record")) lost: the ring buffer was full (\(all) since the policies were loaded)")
    }
    lost = all
    // Nothing waits, and the next could be written
    if hasFailed, Ring.current?.waiting ?? 0 == 0, journal.obstacle == nil {
      attempt { () throws(Failure) in try journal.open() }
    }
  }

  /// In ns of CLOCK_MONOTONIC: when ``settle()`` is to be called, in any case; nil: not before there is something.
  var deadline: UInt64? { hasFailed ? monotonicNanoseconds() + 1_000_000_000 : journal.syncDue }

  /// Tells how things stand.
  func report() {
    let ring = Ring.current
    telemetry.set(ring: ring, lost: State.recordsLost ?? 0)
    telemetry.set(rotations: journal.rotations)
    let obstacle = hasFailed ? journal.obstacle ?? "writing has failed" : journal.obstacle
    telemetry.readiness.set(.journal, missing: obstacle)
    telemetry.readiness.set(
      .ring, missing: (ring?.records).flatMap { $0 > 0 ? "\(count(Int(clamping: $0), "record")) wait" : nil })
  }

  /// Everything onto the disk.
  func finish() { keepSafe { () throws(Failure) in try journal.flush() } }

  private func keepSafe(_ body: () throws(Failure) -> Void) {
    do throws(Failure) { try body() } catch {
      telemetry.journalWriteFailed()
      let message = "\(error): records may be lost if the machine stops"
      if state.set(.journal, message) { logger.error("\(message)") }
    }
  }

  @discardableResult
  private func attempt(_ body: () throws(Failure) -> Void) -> Bool {
    do throws(Failure) {
      try journal.open()
      if !hasCounted, let totals = journal.totals {
        hasCounted = true
        telemetry.add(totals)
      }
      try body()
    } catch {
      telemetry.journalWriteFailed()
      if !hasFailed { logger.error("\(error); records wait in the ring buffer") }
      hasFailed = true
      state.set(.journal, "\(error); records wait in the ring buffer")
      return false
    }
    if hasFailed { logger.notice("the journal is written again") }
    hasFailed = false
    state.set(.journal, nil)
    return true
  }
}
