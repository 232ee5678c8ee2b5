internal import CLinux
internal import Glibc

/// Tells the service manager how it stands (sd_notify(3)); without NOTIFY_SOCKET nobody is told.
public struct ServiceManager: ~Copyable {
  /// -1: nobody.
  private let socket: OwnedFD

  public init() { socket = OwnedFD(getenv("NOTIFY_SOCKET").map { clinux_unix_connect_datagrams($0) } ?? -1) }

  public func ready() { send("READY=1") }
  public func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(monotonicNanoseconds() / 1000)") }
  public func stopping() { send("STOPPING=1") }
  public func alive() { send("WATCHDOG=1") }

  private func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Glibc.send(socket.raw, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
  }
}
