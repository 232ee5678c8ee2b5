internal import CLinux
internal import Glibc
internal import NIOCore
internal import OomletSystem
public import OomletModel
internal import Synchronization

/// Asks the agent's loop, from the thread of the HTTP server, to show that it runs and to bring its gauges up to date.
public final class LoopProbe: Sendable {
  private let event: OwnedFD
  private let waiting = Mutex<[EventLoopPromise<Void>]>([])

  public init() throws(Failure) {
    let raw = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard raw >= 0 else { throw Failure(.failed, systemError("cannot make an event descriptor")) }
    event = OwnedFD(raw)
  }

  /// For the loop's poll(2): readable when somebody asks.
  public var pollDescriptor: CInt { event.raw }

  /// In the loop, when it has done its work.
  public func answer() {
    var count: UInt64 = 0
    read(event.raw, &count, 8)
    let promises = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for promise in promises { promise.succeed() }
  }

  func ask(_ promise: EventLoopPromise<Void>) {
    waiting.withLock { $0.append(promise) }
    var one: UInt64 = 1
    write(event.raw, &one, 8)
  }
}
