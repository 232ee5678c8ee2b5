internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
internal import OomletSystem

/// The reading end of the ring buffer. One process at a time: the position of the reader is the kernel's.
public final class RecordRing {
  private var ring: OpaquePointer?
  private let map: OwnedFD
  /// How far it has been read, in bytes: the first page of the map, which the kernel shares with the reader.
  private let position: UnsafeMutablePointer<UInt>
  private let sink: (KillRecord) -> Bool
  private let bootID: String

  /// - Parameter sink: false to leave this record and those after it in the ring.
  public init(sink: @escaping (KillRecord) -> Bool) throws(Failure) {
    guard let map = Pins.open(Ring.pin) else { throw failure("cannot open map records") }
    let page = mmap(nil, Int(getpagesize()), PROT_READ | PROT_WRITE, MAP_SHARED, map.raw, 0)
    guard let page, page != MAP_FAILED else { throw failure("cannot map the ring buffer") }
    position = page.assumingMemoryBound(to: UInt.self)
    self.map = map
    self.sink = sink
    let boot = contents(of: "/proc/sys/kernel/random/boot_id") ?? []
    bootID = String(decoding: boot.filter { $0 > 32 }, as: UTF8.self)
    ring = ring_buffer__new(
      self.map.raw,
      { context, data, size in
        let ring = Unmanaged<RecordRing>.fromOpaque(context!).takeUnretainedValue()
        return ring.receive(UnsafeRawBufferPointer(start: data, count: size)) ? 0 : -EAGAIN
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
    guard ring != nil else { throw failure("cannot read the ring buffer") }
  }

  deinit {
    ring_buffer__free(ring)
    munmap(position, Int(getpagesize()))
  }

  /// For poll(2): readable when there are records.
  public var pollDescriptor: CInt { ring_buffer__epoll_fd(ring) }

  /// Hands what is there to the sink.
  ///
  /// - Returns: how many it took.
  @discardableResult
  public func drain() -> Int {
    taken = 0
    refusedAt = nil
    ring_buffer__consume(ring)
    // libbpf steps over a record whose callback failed, too
    if let refusedAt { position.pointee = refusedAt }
    return taken
  }

  private var taken = 0
  private var refusedAt: UInt?

  private func receive(_ data: UnsafeRawBufferPointer) -> Bool {
    guard data.count >= MemoryLayout<oomlet_record>.size else { return true }
    let raw = data.loadUnaligned(as: oomlet_record.self)
    guard let record = KillRecord(raw, bootID: bootID) else { return true }
    guard sink(record) else {
      refusedAt = position.pointee
      return false
    }
    taken += 1
    return true
  }
}
