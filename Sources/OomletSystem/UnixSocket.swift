internal import CLinux
internal import Glibc
public import OomletModel

/// A listening socket at a path. Whoever makes it sees to it that there is no other.
public struct UnixListener: ~Copyable {
  /// For poll(2).
  public let fd: OwnedFD

  /// In place of what is at the path, which nobody listens at any more.
  ///
  /// - Parameter group: whose members may connect besides its owner, or nil; nobody's without CAP_CHOWN.
  public init(_ path: String, group: UInt32?) throws(Failure) {
    // Nobody connects before its mode is right: renamed then
    let temporary = "\(path).tmp"
    unlink(temporary)
    let raw = clinux_unix_listen(temporary, 16)
    guard raw >= 0 else { throw Failure(.failed, systemError("cannot listen at \(path)")) }
    let fd = OwnedFD(raw)
    let hasGroup = group.map { chown(temporary, uid_t.max, $0) == 0 } ?? false
    guard chmod(temporary, hasGroup ? 0o660 : 0o600) == 0, rename(temporary, path) == 0
    else {
      let failure = Failure(.failed, systemError("cannot listen at \(path)"))
      unlink(temporary)
      throw failure
    }
    self.fd = fd
  }

  /// The next who has connected, or nil.
  public func accept() -> UnixConnection? {
    let raw = clinux_accept(fd.raw)
    return raw < 0 ? nil : UnixConnection(OwnedFD(raw))
  }
}

/// A connection that does not block.
public final class UnixConnection {
  /// For poll(2).
  public let fd: OwnedFD

  init(_ fd: consuming OwnedFD) { self.fd = fd }

  /// To who listens at the path, or nil and errno.
  public convenience init?(to path: String) {
    let raw = clinux_unix_connect(path)
    guard raw >= 0 else { return nil }
    self.init(OwnedFD(raw))
  }

  /// The user who had connected, by the kernel's word; nil and errno.
  public var peer: UInt32? {
    var peer = clinux_peer()
    return clinux_peer(fd.raw, &peer) == 0 ? peer.uid : nil
  }

  public enum Input {
    case bytes([UInt8])
    /// Nothing yet.
    case nothing
    /// No more will come.
    case end
  }

  public func receive() -> Input {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(fd.raw, &buffer, buffer.count, 0)
    guard count >= 0 else { return errno == EAGAIN || errno == EINTR ? .nothing : .end }
    return count == 0 ? .end : .bytes(Array(buffer[..<count]))
  }

  /// How many of the bytes it has taken; nil: the other end is gone.
  public func send(_ bytes: ArraySlice<UInt8>) -> Int? {
    let count = bytes.withUnsafeBytes { Glibc.send(fd.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
    guard count >= 0 else { return errno == EAGAIN || errno == EINTR ? 0 : nil }
    return count
  }

  /// Waits until it can be read or written; false when that does not come in time.
  ///
  /// - Parameter deadline: in ns of CLOCK_MONOTONIC.
  public func wait(for events: Int32, deadline: UInt64) -> Bool {
    var poller = pollfd(fd: fd.raw, events: Int16(events), revents: 0)
    let now = monotonicNanoseconds()
    return poll(&poller, 1, CInt(now < deadline ? (deadline - now) / 1_000_000 + 1 : 0)) > 0
  }
}

/// The id of a group by /etc/group, or nil. (A static program can't ask the name service.)
public func groupID(_ name: String, file: String = "/etc/group") -> UInt32? {
  for line in String(decoding: contents(of: file) ?? [], as: UTF8.self).split(separator: "\n") {
    let fields = line.split(separator: ":", omittingEmptySubsequences: false)
    if fields.count >= 3, fields[0] == name { return UInt32(fields[2]) }
  }
  return nil
}
