internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
internal import OomletSystem

/// The reading end of the ring buffer. One process at a time: the position of the reader is the kernel's.
///
/// Read by ourselves: libbpf moves the reader on before it knows whether a record has been taken, and what is behind the reader
/// the kernel writes over.
public final class RecordRing {
  private let map: OwnedFD
  /// How far it has been read, in bytes: the first page of the map, which the kernel shares with the reader.
  private let position: UnsafeMutablePointer<UInt>
  /// How far it has been written, a page; then the records, twice in a row, so that none is cut at the end
  /// (kernel/bpf/ringbuf.c).
  private let written: UnsafeMutableRawPointer
  private let size: Int
  private let sink: (KillRecord) -> Bool
  private let bootID: String

  /// - Parameter sink: false to leave this record and those after it in the ring.
  public init(sink: @escaping (KillRecord) -> Bool) throws(Failure) {
    guard let map = Pins.open(Ring.pin), let size = Ring.size(of: map) else { throw failure("cannot open map records") }
    let page = Int(getpagesize())
    guard let reader = mmap(nil, page, PROT_READ | PROT_WRITE, MAP_SHARED, map.raw, 0), reader != MAP_FAILED else {
      throw failure("cannot map the ring buffer")
    }
    guard let written = mmap(nil, page + 2 * Int(size), PROT_READ, MAP_SHARED, map.raw, page), written != MAP_FAILED else {
      let error = failure("cannot map the ring buffer")
      munmap(reader, page)
      throw error
    }
    position = reader.assumingMemoryBound(to: UInt.self)
    self.written = written
    self.size = Int(size)
    self.map = map
    self.sink = sink
    let boot = contents(of: "/proc/sys/kernel/random/boot_id") ?? []
    bootID = String(decoding: boot.filter { $0 > 32 }, as: UTF8.self)
  }

  deinit {
    let page = Int(getpagesize())
    munmap(position, page)
    munmap(written, page + 2 * size)
  }

  /// For poll(2): readable when there are records.
  public var pollDescriptor: CInt { map.raw }

  /// Hands what is there to the sink.
  ///
  /// - Returns: how many it took.
  @discardableResult
  public func drain() -> Int {
    var taken = 0
    var at = position.pointee
    let records = written + Int(getpagesize())
    while at < clibbpf_load_position(written) {
      let header = records + Int(at % UInt(size))
      let length = clibbpf_load_length(header)
      // The kernel is just writing it
      guard length & BPF_RINGBUF_BUSY_BIT == 0 else { break }
      let bytes = Int(length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))
      if length & BPF_RINGBUF_DISCARD_BIT == 0 {
        guard receive(UnsafeRawBufferPointer(start: header + Int(BPF_RINGBUF_HDR_SZ), count: bytes)) else { break }
        taken += 1
      }
      at += UInt(bytes + Int(BPF_RINGBUF_HDR_SZ) + 7) & ~7
      clibbpf_store_position(position, at)
    }
    return taken
  }

  private func receive(_ data: UnsafeRawBufferPointer) -> Bool {
    guard data.count >= MemoryLayout<oomlet_record>.size,
      let record = KillRecord(data.loadUnaligned(as: oomlet_record.self), bootID: bootID)
    else { return true }
    return sink(record)
  }
}
