internal import Glibc
internal import OomletJSON
public import OomletModel
internal import OomletSystem

/// Appends records to the journal, a JSON object a line, and begins a new file when the old one is large or old enough.
/// One writer at a time.
public final class JournalWriter {
  public static let defaultPath = "/var/lib/oomlet/kills.jsonl"

  public var settings: JournalSettings
  /// Of all records, also of those in files that were removed; known once the journal has been opened.
  public private(set) var totals: JournalTotals?
  /// How many files have been put aside.
  public private(set) var rotations: UInt64 = 0

  private let files: JournalFiles
  private var file: OwnedFD?
  /// Of the file, in bytes; and the time of its first record.
  private var size: UInt64 = 0
  private var begun: Int64?
  /// The number of the last file put aside.
  private var number: UInt64 = 0
  /// The only one that the ring buffer may hand out again, after a crash: others may come late, but come once
  private var last: String?
  private let complain: (Failure) -> Void
  /// When to bring it to the disk, in ns of CLOCK_MONOTONIC; nil: it is there.
  public private(set) var syncDue: UInt64?

  /// - Parameter complain: called with what can't be read of files that are counted.
  public init(
    path: String = defaultPath, settings: JournalSettings = JournalSettings(), complain: @escaping (Failure) -> Void = { _ in }
  ) {
    (files, self.settings, self.complain) = (JournalFiles(path: path), settings, complain)
  }

  /// Repairs the end first: a crash in the middle of a write leaves a line without end, whose record is still in the
  /// ring buffer. Nothing to do if the journal is open.
  public func open() throws(Failure) {
    if let raw = file?.raw, FileIdentity(open: raw) == FileIdentity(path: files.path) { return }
    // Or somebody has moved or removed it
    file = nil
    if files.path.contains("/") { try makeDirectory(files.directory, mode: 0o750) }
    guard let opened = openFile(files.path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o640) else {
      throw Failure(.failed, systemError("cannot open \(files.path)"))
    }
    let (whole, lastLine) = JournalWriter.end(of: opened.raw)
    guard ftruncate(opened.raw, whole) == 0 else { throw Failure(.failed, systemError("cannot repair \(files.path)")) }
    try count()
    size = UInt64(whole)
    begun = whole > 0 ? JournalWriter.firstLine(of: opened.raw).flatMap { KillRecord(line: $0)?.time } : nil
    if let record = lastLine.flatMap({ KillRecord(line: $0) }) { last = record.fullID }
    file = consume opened
  }

  /// Totals, once; what is in files put aside is written down first, so that these can be removed.
  private func count() throws(Failure) {
    guard totals == nil else { return }
    var stored = StoredTotals(files.totals, complain: complain)
    var closed = stored.through
    var counted = stored.totals
    for number in files.aside where number > stored.through {
      try forEachRecord(files.path(number), isClosed: true) { counted.add($0) }
      closed = number
    }
    // The last record is in the newest of them, if the writer was killed before it began the next file
    if let newest = files.aside.last, let file = openFile(files.path(newest), O_RDONLY | O_NOFOLLOW),
      let record = JournalWriter.end(of: file.raw).lastLine.flatMap({ KillRecord(line: $0) })
    {
      last = record.fullID
    }
    if closed != stored.through {
      (stored.through, stored.totals) = (closed, counted)
      // If not now, then with the next file
      try? stored.write(files.totals)
    }
    number = max(closed, files.aside.last ?? 0)
    removeOldest()
    try forEachRecord(files.path, isClosed: false) { counted.add($0) }
    removeTemporaryFiles(in: files.directory)
    totals = counted
  }

  private func forEachRecord(_ path: String, isClosed: Bool, _ body: (KillRecord) -> Void) throws(Failure) {
    guard var file = RecordFile(path) else { throw Failure(.failed, systemError("cannot read \(path)")) }
    while let records = try file.next() { for record in records { body(record) } }
    if isClosed { file.close() }
    if let failure = file.damage.failure { complain(failure) }
  }

  /// - Returns: false if the journal has it already.
  @discardableResult
  public func append(_ record: KillRecord) throws(Failure) -> Bool {
    try open()
    guard record.fullID != last else { return false }
    let line = record.json.encoded() + [UInt8(ascii: "\n")]
    let isOld = begun.map { elapsed(since: $0, now: record.time) >= settings.maxAge } ?? false
    if size > 0, size + UInt64(line.count) > settings.maxSize || isOld { try rotate() }
    guard let fd = file?.raw else { throw Failure(.failed, "\(files.path) is not open") }
    guard writeAll(fd, line) else {
      let message = systemError("cannot write \(files.path)")
      ftruncate(fd, off_t(size))
      throw Failure(.failed, message)
    }
    size += UInt64(line.count)
    begun = begun ?? record.time
    last = record.fullID
    totals?.add(record)
    if syncDue == nil {
      switch settings.sync {
      case .always: syncDue = 0
      case .interval(let delay): syncDue = monotonicNanoseconds() + delay
      case .never: break
      }
    }
    return true
  }

  /// Onto the disk with what was appended, if it is time.
  public func sync() throws(Failure) {
    guard let due = syncDue, monotonicNanoseconds() >= due else { return }
    try flush()
  }

  /// Onto the disk with what was appended.
  public func flush() throws(Failure) {
    syncDue = nil
    guard settings.sync != .never, let fd = file?.raw, fdatasync(fd) != 0 else { return }
    throw Failure(.failed, systemError("cannot bring \(files.path) to the disk"))
  }

  /// Why nothing could be appended now, as far as can be known without trying; nil if it could.
  public var obstacle: String? {
    do throws(Failure) { try open() } catch { return error.description }
    var status = statvfs()
    guard let fd = file?.raw, fstatvfs(fd, &status) == 0 else { return systemError("cannot ask for \(files.path)") }
    if status.f_flag & UInt(ST_RDONLY) != 0 { return "\(files.path) is on a file system that is read-only" }
    return status.f_bfree == 0 && status.f_blocks > 0 ? "\(files.path) is on a file system without free space" : nil
  }

  /// Puts the file aside by one rename, then writes down what has been counted, then removes files: whenever this ends
  /// early, nothing is counted twice and nothing is left out.
  private func rotate() throws(Failure) {
    try flush()
    let aside = files.path(number + 1)
    guard rename(files.path, aside) == 0 else { throw Failure(.failed, systemError("cannot rename \(files.path) to \(aside)")) }
    number += 1
    rotations += 1
    (size, begun) = (0, nil)
    do throws(Failure) { try storeTotals() } catch {
      // For want of space: what would go next gives it
      if let oldest = files.aside.dropLast(settings.maxFiles).first { unlink(files.path(oldest)) }
      try? storeTotals()
    }
    removeOldest()
    try open()
  }

  private func storeTotals() throws(Failure) {
    guard let totals else { return }
    var stored = StoredTotals(files.totals)
    (stored.through, stored.totals) = (number, totals)
    try stored.write(files.totals)
  }

  /// Only files whose records are in the totals.
  private func removeOldest() {
    let counted = StoredTotals(files.totals).through
    for number in files.aside.dropLast(settings.maxFiles) where number <= counted { unlink(files.path(number)) }
  }

  private static func firstLine(of fd: CInt) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let n = pread(fd, &bytes, bytes.count, 0)
    guard n > 0, let end = bytes[..<n].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return Array(bytes[..<end])
  }

  /// How long the file is up to the end of its last whole line, and that line.
  private static func end(of fd: CInt) -> (whole: off_t, lastLine: [UInt8]?) {
    let size = lseek(fd, 0, SEEK_END)
    var tail: [UInt8] = []
    var start = size
    // Backwards, until there are two line ends or the file begins
    while start > 0, tail.count(where: { $0 == UInt8(ascii: "\n") }) < 2 {
      let chunk = min(start, 1 << 16)
      start -= chunk
      var bytes = [UInt8](repeating: 0, count: Int(chunk))
      guard pread(fd, &bytes, bytes.count, start) == bytes.count else { return (size, nil) }
      tail = bytes + tail
    }
    guard let end = tail.lastIndex(of: UInt8(ascii: "\n")) else { return (0, nil) }
    let begin = tail[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (start + off_t(end) + 1, Array(tail[begin..<end]))
  }
}

extension KillRecord {
  /// Which it is of all there ever are.
  fileprivate var fullID: String { "\(bootID) \(bootTime)" }
}
