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
  private let telemetry: Telemetry
  private let logger: Logger
  private(set) var hasFailed = false
  private var hasCounted = false
  private var lost: UInt64 = 0

  init(_ settings: JournalSettings, telemetry: Telemetry, logger: Logger) {
    journal = JournalWriter(settings: settings)
    (self.telemetry, self.logger) = (telemetry, logger)
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
    journal.sync()
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

  /// In how many ms ``settle()`` is to be called, in any case; -1: not before there is something.
  var timeout: CInt {
    guard !hasFailed else { return 1000 }
    guard let due = journal.syncDue else { return -1 }
    let now = monotonicNanoseconds()
    return due <= now ? 0 : CInt(clamping: (due - now) / 1_000_000 + 1)
  }

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
  func finish() { journal.flush() }

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
      set(failed: true)
      return false
    }
    if hasFailed { logger.notice("the journal is written again") }
    set(failed: false)
    return true
  }

  private func set(failed: Bool) {
    hasFailed = failed
    telemetry.set(.journal, failed)
  }
}
