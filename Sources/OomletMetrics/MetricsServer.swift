internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
public import OomletModel
internal import OomletSystem

/// What a client may take: none can keep the agent from its work.
enum Limits {
  static let connections = 32
  /// Bytes of a request.
  static let request = 8192
  /// A connection is for one request, and lasts no longer than this.
  static let connection = TimeAmount.seconds(10)
  /// How long the agent's loop may take to answer.
  static let loopAnswer = TimeAmount.seconds(2)
}

/// `/metrics`, `/healthz` and `/readyz` over HTTP, by a thread of its own.
public final class MetricsServer: Sendable {
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let channel: any Channel

  /// Where it is.
  public let address: ListenAddress

  /// Listens when it returns. A socket file that an earlier agent left is replaced.
  ///
  /// - Throws: ``ExitStatus/failed``, with the address.
  public init(
    _ address: ListenAddress, registry: PrometheusRegistry, readiness: Readiness, probe: LoopProbe
  ) throws(Failure) {
    self.address = address
    let endpoints = Endpoints(registry: registry, readiness: readiness)
    let clients = NIOLoopBoundBox.makeBoxSendingValue(Clients(), eventLoop: group.next())
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 64)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 4096))
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = RequestHandler(endpoints: endpoints, probe: probe)
          clients.value.add(channel, handler)
          let end = channel.eventLoop.scheduleTask(in: Limits.connection) { channel.close(promise: nil) }
          channel.closeFuture.whenComplete { _ in
            clients.value.remove(channel)
            end.cancel()
          }
          let pipeline = channel.pipeline.syncOperations
          try pipeline.addHandler(RequestSize())
          try pipeline.configureHTTPServerPipeline()
          try pipeline.addHandler(handler)
        }
      }
    do {
      switch address {
      case .tcp(let host, let port):
        channel = try bootstrap.bind(to: SocketAddress(ipAddress: host, port: Int(port))).wait()
      case .unix(let path):
        channel = try bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
        chmod(path, 0o660)
      }
    } catch {
      group.shutdownGracefully { _ in }
      let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
      throw Failure(.failed, "cannot offer metrics at \(address): \(reason)")
    }
  }

  /// Ends it, and removes its socket file.
  public func stop() {
    try? channel.close().wait()
    if case .unix(let path) = address { unlink(path) }
    group.shutdownGracefully { _ in }
  }
}

/// Who is connected, in the order in which they came.
private struct Clients {
  private var all: [(channel: any Channel, handler: RequestHandler)] = []

  /// Where there are too many, who has not asked for anything for the longest time goes: idle ones keep nobody out.
  mutating func add(_ channel: any Channel, _ handler: RequestHandler) {
    if all.count >= Limits.connections {
      all.remove(at: all.firstIndex { !$0.handler.hasAsked } ?? 0).channel.close(promise: nil)
    }
    all.append((channel, handler))
  }

  mutating func remove(_ channel: any Channel) { all.removeAll { $0.channel === channel } }
}

/// Ends a connection that sends more than a request may have.
private final class RequestSize: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private var received = 0

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytes
    guard received <= Limits.request else { return context.close(promise: nil) }
    context.fireChannelRead(data)
  }
}

/// Answers one request, then closes.
private final class RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let endpoints: Endpoints
  private let probe: LoopProbe
  private var head: HTTPRequestHead?
  private(set) var hasAsked = false
  private var isAnswered = false

  init(endpoints: Endpoints, probe: LoopProbe) { (self.endpoints, self.probe) = (endpoints, probe) }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body: break
    case .end: if let head { ask(head, context) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func ask(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    hasAsked = true
    guard let wish = Endpoints.wish(head.method, head.uri) else { return answer(head, context, loopAnswers: true) }
    let promise = context.eventLoop.makePromise(of: Void.self)
    let timeout = context.eventLoop.assumeIsolated().scheduleTask(in: Limits.loopAnswer) {
      self.answer(head, context, loopAnswers: false)
    }
    promise.futureResult.assumeIsolated().whenSuccess {
      timeout.cancel()
      self.answer(head, context, loopAnswers: true)
    }
    probe.ask(for: wish, promise)
  }

  private func answer(_ request: HTTPRequestHead, _ context: ChannelHandlerContext, loopAnswers: Bool) {
    guard !isAnswered, context.channel.isActive else { return }
    isAnswered = true
    let answer = endpoints.answer(request.method, request.uri, loopAnswers: loopAnswers)
    let body = context.channel.allocator.buffer(string: answer.body)
    var headers = HTTPHeaders([
      ("content-type", answer.contentType), ("content-length", "\(body.readableBytes)"), ("connection", "close"),
    ])
    if answer.status == .methodNotAllowed { headers.add(name: "allow", value: "GET, HEAD") }
    let head = HTTPResponseHead(version: request.version, status: answer.status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if request.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated().whenComplete { _ in context.close(promise: nil) }
  }
}
