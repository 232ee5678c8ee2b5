internal import Glibc
public import OomletModel
internal import OomletSystem

/// Reads the journal from its oldest file on, as far as it goes; more when there is more. Files may be put aside and
/// removed meanwhile: no record comes twice, and none is left out that was not removed before it was read.
public struct JournalReader: ~Copyable {
  private let files: JournalFiles
  /// All up to this number have been read, or are gone.
  private var done: UInt64 = 0
  private var file: RecordFile?
  /// Of `file`; nil: the one that is written.
  private var number: UInt64?
  private let complain: (Failure) -> Void
  /// Lines of the file that have been complained of.
  private var told = 0

  /// - Parameter complain: called with what can't be read of a file, when it is read to its end.
  public init(path: String = JournalWriter.defaultPath, complain: @escaping (Failure) -> Void = { _ in }) {
    (files, self.complain) = (JournalFiles(path: path), complain)
  }

  /// Some of the records that came since the last call; none if there are no more, or there is no journal yet. A line
  /// that is no record is left out and complained of, and so is the last one until it is whole.
  ///
  /// - Throws: ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  public mutating func next() throws(Failure) -> [KillRecord] {
    while true {
      if file == nil { try openNext() }
      if file == nil { return [] }
      // Asked first: what was written before the file was put aside must not be missed
      let isComplete = number != nil || FileIdentity(path: files.path) != file?.identity
      if let records = try file?.next() {
        if !records.isEmpty { return records }
      } else if isComplete {
        finish()
      } else {
        tell()
        return []
      }
    }
  }

  /// All up to the end.
  public mutating func all() throws(Failure) -> [KillRecord] {
    var all: [KillRecord] = []
    while case let records = try next(), !records.isEmpty { all += records }
    return all
  }

  /// The file is read to its end, and nobody writes to it any more.
  private mutating func finish() {
    file?.close()
    tell()
    told = 0
    if let number {
      done = number
    } else {
      let aside = files.aside.filter { $0 > done }
      let identity = file?.identity
      // If it is gone, so are all before it
      done = aside.first { FileIdentity(path: files.path($0)) == identity } ?? aside.first.map { $0 - 1 } ?? done
    }
    file = nil
    number = nil
  }

  private mutating func tell() {
    guard let damage = file?.damage, damage.lines > told, let failure = damage.failure else { return }
    told = damage.lines
    complain(failure)
  }

  private mutating func openNext() throws(Failure) {
    while true {
      let next = files.aside.first { $0 > done }
      let path = next.map(files.path) ?? files.path
      guard let opened = RecordFile(path) else {
        // Removed meanwhile
        if errno == ENOENT, next != nil { continue }
        guard errno == ENOENT else {
          let isRights = errno == EACCES
          throw Failure(isRights ? .notPermitted : .failed, systemError("cannot read \(path)") + (isRights ? ": root may" : ""))
        }
        return
      }
      let identity = opened.identity
      // One may have been put aside between the two
      if next == nil, files.aside.contains(where: { $0 > done && FileIdentity(path: files.path($0)) != identity }) { continue }
      file = consume opened
      number = next
      return
    }
  }
}
