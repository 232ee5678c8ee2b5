internal import CLinux
internal import Glibc
public import OomletModel

/// Has 0, 1 and 2 taken: what is opened later would else be written to as stdout or stderr. A write to one that was closed
/// still fails.
public func keepStandardDescriptors() {
  var fd: CInt
  repeat { fd = open("/dev/null", O_RDONLY) } while (0...2).contains(fd)
  close(fd)
}

/// All of a descriptor until its end, or nil and errno; stops with `EFBIG` past `limit` bytes, having read the rest.
public func readAll(_ fd: borrowing OwnedFD, limit: Int = 16 << 20) -> [UInt8]? { readAll(raw: fd.raw, limit: limit) }

/// As ``readAll(_:limit:)``, for a descriptor that stays open.
///
/// - Parameter deadline: in ns of CLOCK_MONOTONIC; `ETIMEDOUT` when the next bytes don't come in time.
public func readAll(raw fd: CInt, limit: Int = 16 << 20, deadline: UInt64? = nil) -> [UInt8]? {
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  var overflow = false
  while true {
    if let deadline {
      var poller = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
      let now = monotonicNanoseconds()
      let ready = poll(&poller, 1, CInt(now < deadline ? (deadline - now) / 1_000_000 + 1 : 0))
      if ready == 0 {
        errno = ETIMEDOUT
        return nil
      }
    }
    let n = read(fd, &chunk, chunk.count)
    if n < 0 && errno == EINTR { continue }
    if n < 0 { return nil }
    if n == 0 { break }
    if all.count + n > limit { overflow = true } else { all += chunk[..<n] }
  }
  if overflow {
    errno = EFBIG
    return nil
  }
  return all
}

/// A whole file, or nil and errno.
public func contents(of path: String, limit: Int = 16 << 20) -> [UInt8]? {
  guard let fd = openFile(path, O_RDONLY) else { return nil }
  return readAll(fd, limit: limit)
}

/// A file that only root can have written: a regular one of root's own that no others may write; nil and errno, `EPERM` for
/// any other.
public func contents(ofRoots path: String, limit: Int) -> [UInt8]? {
  // Without waiting for the other end of a FIFO
  guard let fd = openFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
  var status = stat()
  guard fstat(fd.raw, &status) == 0 else { return nil }
  guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == 0, status.st_mode & 0o022 == 0 else {
    errno = EPERM
    return nil
  }
  return readAll(fd, limit: limit)
}

/// Writes all bytes; false and errno if that failed, possibly after some.
public func writeAll(_ fd: CInt, _ bytes: [UInt8]) -> Bool {
  var done = 0
  while done < bytes.count {
    let n = bytes.withUnsafeBytes { write(fd, $0.baseAddress! + done, bytes.count - done) }
    if n < 0 && errno == EINTR { continue }
    if n < 0 { return false }
    done += n
  }
  return true
}

/// A new file in place of an old one, whole or not at all.
///
/// - Parameter durably: also if the machine stops right after.
public func replaceFile(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644, durably: Bool = false) throws(Failure) {
  try StagedFile(path, with: bytes, mode: mode, durably: durably).commit()
}

/// A new file beside an old one, until it is committed; gone if it is not.
public struct StagedFile: ~Copyable {
  private let path: String
  private let temporary: String

  /// As ``replaceFile(_:with:mode:durably:)``.
  public init(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644, durably: Bool = false) throws(Failure) {
    (self.path, temporary) = (path, "\(path).\(getpid()).tmp")
    guard let fd = openFile(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode) else {
      throw Failure(.failed, systemError("cannot create \(temporary)"))
    }
    guard writeAll(fd.raw, bytes), !durably || fsync(fd.raw) == 0 else {
      throw Failure(.failed, systemError("cannot write \(path)"))
    }
  }

  public consuming func commit() throws(Failure) {
    guard rename(temporary, path) == 0 else { throw Failure(.failed, systemError("cannot write \(path)")) }
  }

  deinit { unlink(temporary) }
}

/// Removes what ``replaceFile(_:with:mode:durably:)`` left when its process was killed.
public func removeTemporaryFiles(in directory: String) {
  for name in namesInDirectory(directory) ?? [] where name.hasSuffix(".tmp") {
    guard let pid = name.split(separator: ".").dropLast().last.flatMap({ pid_t($0) }), kill(pid, 0) != 0, errno == ESRCH
    else { continue }
    unlink("\(directory)/\(name)")
  }
}

/// The directory, made with its parents where missing; `mode` is the last one's.
public func makeDirectory(_ path: String, mode: UInt32 = 0o755) throws(Failure) {
  if let parent = path.lastIndex(of: "/"), parent != path.startIndex, access(String(path[..<parent]), F_OK) != 0 {
    try makeDirectory(String(path[..<parent]))
  }
  guard mkdir(path, mode) == 0 || errno == EEXIST else { throw Failure(.failed, systemError("cannot make directory \(path)")) }
}

/// Makes sure that a directory is root's, and that nobody else may look into it: one that others could only look into becomes so.
///
/// - Returns: false if somebody else could have put something there, or there is no such directory.
public func makeOnlyRoots(_ path: String) -> Bool {
  var status = stat()
  guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == 0, status.st_mode & 0o022 == 0 else {
    return false
  }
  return status.st_mode & 0o077 == 0 || chmod(path, 0o700) == 0
}

/// Names in a directory, sorted, without `.` and `..`; nil and errno if it can't be read.
public func namesInDirectory(_ path: String) -> [String]? { entries(of: path)?.map(\.name) }

/// What is in a directory, by name, without `.` and `..`; a link to a directory is none. Or nil and errno.
func entries(of path: String) -> [(name: String, isDirectory: Bool)]? {
  guard let directory = opendir(path) else { return nil }
  defer { closedir(directory) }
  var entries: [(name: String, isDirectory: Bool)] = []
  while let entry = readdir(directory) {
    let name = withUnsafePointer(to: &entry.pointee.d_name) {
      $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
    }
    guard name != ".", name != ".." else { continue }
    // Not all file systems tell
    let type = Int(entry.pointee.d_type)
    entries.append((name, type == DT_UNKNOWN ? isDirectory("\(path)/\(name)") : type == DT_DIR))
  }
  return entries.sorted { $0.name < $1.name }
}

/// A directory itself, and no link to one.
func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

/// The inode number of what a path leads to, or nil and errno.
public func inode(of path: String) -> UInt64? {
  var status = stat()
  return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
}

/// Whether a process is PID 1 of a PID namespace other than this one's: the line `NSpid:` ends with its PID in its own
/// (proc_pid_status(5)).
public func isFirstInPIDNamespace(_ pid: Int) -> Bool {
  let status = String(decoding: contents(of: "/proc/\(pid)/status") ?? [], as: UTF8.self)
  let line = status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }
  let pids = line?.split(whereSeparator: { $0 == "\t" || $0 == " " }).dropFirst() ?? []
  return pids.count > 1 && pids.last == "1"
}

/// The machine's RAM and swap, in bytes (sysinfo(2)).
public func machineMemory() -> (ram: UInt64, swap: UInt64) {
  var info = sysinfo()
  sysinfo(&info)
  return (UInt64(info.totalram) * UInt64(info.mem_unit), UInt64(info.totalswap) * UInt64(info.mem_unit))
}

/// The share of the machine's RAM that could be had without swapping, in thousandths; nil if the kernel does not say
/// (proc_meminfo(5), MemAvailable).
public func machineMemoryAvailable() -> UInt32? {
  let lines = String(decoding: contents(of: "/proc/meminfo") ?? [], as: UTF8.self).split(separator: "\n")
  func value(_ name: String) -> UInt64? {
    lines.first { $0.hasPrefix(name + ":") }.flatMap { $0.split(separator: " ").dropFirst().first }.flatMap { UInt64($0) }
  }
  guard let total = value("MemTotal"), total > 0, let available = value("MemAvailable") else { return nil }
  return UInt32(min(Double(available) * 1000 / Double(total), 1000))
}

/// CLOCK_MONOTONIC, in ns.
public func monotonicNanoseconds() -> UInt64 { clockNanoseconds(CLOCK_MONOTONIC) }

/// A clock of clock_gettime(2), in ns.
public func clockNanoseconds(_ clock: CInt) -> UInt64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
