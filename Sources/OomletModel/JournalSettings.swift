/// How the journal is kept.
public struct JournalSettings: Equatable, Sendable {
  /// When records are known to be on the disk: they survive the agent in any case, this is about the machine.
  public enum Sync: Equatable, Sendable {
    /// Before the agent waits for more.
    case always
    /// At most so many ns later.
    case interval(UInt64)
    /// When the kernel writes them by itself.
    case never
  }

  /// Bytes after which a file is put aside, and the next begins.
  public var maxSize: UInt64 = 16 << 20
  /// ns after its first record when a file is put aside, with the next record.
  public var maxAge: UInt64 = 7 * 24 * 3_600_000_000_000
  /// How many files put aside are kept.
  public var maxFiles = 8
  public var sync = Sync.always

  public init() {}
}
