public import Glibc

/// A file descriptor that closes once.
public struct OwnedFD: ~Copyable, Sendable {
  public let raw: CInt

  /// Takes over an open descriptor.
  public init(_ raw: CInt) { self.raw = raw }

  deinit { close(raw) }
}

/// `what: strerror(errno)`.
public func systemError(_ what: String, _ number: CInt = errno) -> String {
  "\(what): \(String(cString: strerror(number)))"
}

/// `path` opened, or nil and errno.
public func openFile(_ path: String, _ flags: CInt, mode: mode_t = 0) -> OwnedFD? {
  let fd = open(path, flags | O_CLOEXEC, mode)
  return fd < 0 ? nil : OwnedFD(fd)
}
