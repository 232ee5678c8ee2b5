internal import Glibc
internal import OomletJSON
public import OomletModel
internal import OomletSystem

/// Reads the journal from its beginning on, as far as it goes; more when there is more.
public struct JournalReader: ~Copyable {
  private let path: String
  private var file: OwnedFD?
  private var partial: [UInt8] = []

  public init(path: String = JournalWriter.defaultPath) { self.path = path }

  /// The records that came since the last call; none if there is no journal yet. A line that is no record is left out,
  /// and so is the last one until it is whole.
  ///
  /// - Throws: ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  public mutating func next() throws(Failure) -> [KillRecord] {
    if file == nil {
      file = openFile(path, O_RDONLY)
      guard file != nil || errno == ENOENT else {
        let isRights = errno == EACCES
        throw Failure(isRights ? .notPermitted : .failed, systemError("cannot read \(path)") + (isRights ? ": root may" : ""))
      }
    }
    guard let fd = file?.raw else { return [] }
    guard let bytes = readAll(raw: fd, limit: .max) else { throw Failure(.failed, systemError("cannot read \(path)")) }
    partial += bytes
    guard let end = partial.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
    let lines = partial[..<end].split(separator: UInt8(ascii: "\n"))
    partial.removeSubrange(...end)
    return lines.compactMap { line in (try? JSON(parsing: Array(line))).flatMap(KillRecord.init(json:)) }
  }
}
