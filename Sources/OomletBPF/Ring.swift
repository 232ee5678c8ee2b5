internal import CLibbpf
internal import COomletABI
internal import Glibc
internal import OomletSystem

/// The ring buffer that records wait in, as far as anybody may see it.
public struct Ring: Equatable, Sendable {
  /// Bytes of it, and of what waits in it.
  public let size: UInt64
  public let waiting: UInt64

  public static let defaultSize = UInt32(OOMLET_RING_BYTES)

  /// The ring of the loaded programs; nil and errno if there is none.
  public static var current: Ring? {
    guard let map = Pins.open(pin), let size = size(of: map) else { return nil }
    // The kernel shares how far has been read, and how far written: a page each (kernel/bpf/ringbuf.c)
    let page = Int(getpagesize())
    guard let pages = mmap(nil, 2 * page, PROT_READ, MAP_SHARED, map.raw, 0), pages != MAP_FAILED else { return nil }
    defer { munmap(pages, 2 * page) }
    let read = pages.load(as: UInt.self)
    let written = pages.load(fromByteOffset: page, as: UInt.self)
    return Ring(size: UInt64(size), waiting: UInt64(written &- read))
  }

  /// How many records wait.
  public var records: UInt64 { waiting / UInt64(MemoryLayout<oomlet_record>.size + Int(BPF_RINGBUF_HDR_SZ)) }

  static let pin = "\(Pins.maps)/records"

  static func size(of map: borrowing OwnedFD) -> UInt32? {
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    return bpf_obj_get_info_by_fd(map.raw, &info, &length) == 0 ? info.max_entries : nil
  }
}
