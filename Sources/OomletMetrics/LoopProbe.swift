internal import CLinux
internal import Glibc
internal import NIOCore
internal import OomletSystem
public import OomletModel
internal import Synchronization

/// Asks the agent's loop, from the thread of the HTTP server, to show that it runs, and maybe to bring its figures up to date.
public final class LoopProbe: Sendable {
  private let event: OwnedFD
  private let waiting = Mutex<[(wish: Wish, promise: EventLoopPromise<Void>)]>([])

  enum Wish { case signOfLife, figures }

  public init() throws(Failure) {
    let raw = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard raw >= 0 else { throw Failure(.failed, systemError("cannot make an event descriptor")) }
    event = OwnedFD(raw)
  }

  /// For the loop's poll(2): readable when somebody asks.
  public var pollDescriptor: CInt { event.raw }

  /// In the loop.
  ///
  /// - Parameter measure: called if somebody wants figures: once for all who do.
  public func answer(measure: () -> Void = {}) {
    var count: UInt64 = 0
    read(event.raw, &count, 8)
    let all = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for (wish, promise) in all where wish == .signOfLife { promise.succeed() }
    guard all.contains(where: { $0.wish == .figures }) else { return }
    measure()
    for (wish, promise) in all where wish == .figures { promise.succeed() }
  }

  func ask(for wish: Wish, _ promise: EventLoopPromise<Void>) {
    waiting.withLock { $0.append((wish, promise)) }
    var one: UInt64 = 1
    write(event.raw, &one, 8)
  }
}
