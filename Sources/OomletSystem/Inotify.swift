internal import Glibc
public import OomletModel

/// Watches files and directories for changes (inotify(7)), as far as the node lets it: how many there are is limited for all of a
/// user's programs together.
public final class Inotify {
  /// For poll(2); -1: nothing will come.
  public private(set) var pollDescriptor: CInt = -1
  /// Why it does not see all that it was asked to; nil: it does.
  public private(set) var problem: Failure?

  public struct Event: Sendable {
    /// Which watch.
    public let watch: CInt
    /// In a watched directory; "" for a watched file.
    public let name: String
    /// Events have been lost: look at everything.
    public let overflow: Bool
    /// The watch is gone with its file.
    public let ended: Bool
  }

  public init() { open() }

  deinit { if pollDescriptor >= 0 { close(pollDescriptor) } }

  /// Forgets ``problem``, to see whether it is there still.
  public func tryAgain() {
    problem = nil
    if pollDescriptor < 0 { open() }
  }

  private func open() {
    pollDescriptor = inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK))
    if pollDescriptor < 0 { fail("max_user_instances") }
  }

  private func fail(_ name: String) {
    let reason = systemError("files can't be watched")
    let limit = contents(of: "/proc/sys/fs/inotify/\(name)").flatMap { Int(String(decoding: $0.dropLast(), as: UTF8.self)) } ?? 0
    problem = Failure(
      .failed,
      "\(reason): changes are seen later; of all root's programs together: sysctl -w fs.inotify.\(name)=\(max(2 * limit, 128))")
  }

  /// Names that come and go.
  ///
  /// - Returns: the watch, or nil and errno.
  public func watch(directory path: String) -> CInt? { watch(path, UInt32(IN_MOVED_TO | IN_CREATE | IN_DELETE)) }

  /// Names that come and go, and files below a directory that have been written.
  ///
  /// - Returns: the watch, or nil and errno.
  public func watch(contentsOf path: String) -> CInt? {
    watch(path, UInt32(IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR))
  }

  /// Names that go.
  ///
  /// - Returns: the watch, or nil and errno.
  public func watch(endsIn path: String) -> CInt? { watch(path, UInt32(IN_DELETE | IN_ONLYDIR)) }

  /// Writes to a file.
  ///
  /// - Returns: the watch, or nil and errno.
  public func watch(file path: String) -> CInt? { watch(path, UInt32(IN_MODIFY)) }

  private func watch(_ path: String, _ mask: UInt32) -> CInt? {
    guard pollDescriptor >= 0 else { return nil }
    let watch = inotify_add_watch(pollDescriptor, path, mask)
    if watch < 0, errno == ENOSPC || errno == ENOMEM { fail("max_user_watches") }
    return watch < 0 ? nil : watch
  }

  public func remove(_ watch: CInt) { inotify_rm_watch(pollDescriptor, watch) }

  /// What has happened; empty if nothing has.
  public func read() -> [Event] {
    var events: [Event] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = Glibc.read(pollDescriptor, &buffer, buffer.count), count > 0 {
      buffer.withUnsafeBytes { bytes in
        var at = 0
        while at + MemoryLayout<inotify_event>.size <= count {
          let header = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
          let start = at + MemoryLayout<inotify_event>.size
          let name = bytes[start..<start + Int(header.len)].prefix { $0 != 0 }
          events.append(
            Event(
              watch: header.wd, name: String(decoding: name, as: UTF8.self), overflow: header.mask & UInt32(IN_Q_OVERFLOW) != 0,
              ended: header.mask & UInt32(IN_IGNORED) != 0))
          at = start + Int(header.len)
        }
      }
    }
    return events
  }
}
