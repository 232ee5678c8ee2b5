internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
internal import OomletSystem

/// What all policies share: the map `state`, which user space writes, and the map `counts`, which the kernel side does.
public enum State {
  /// Decisions whose record found the ring buffer full, since the maps were made; nil if there are none.
  public static var recordsLost: UInt64? {
    guard let map = Pins.open("\(Pins.maps)/counts") else { return nil }
    var key: UInt32 = 0
    var counts = oomlet_counts()
    return bpf_map_lookup_elem(map.raw, &key, &counts) == 0 ? counts.records_lost : nil
  }

  static var attachStyle: oomlet_attach_style? { value.map { oomlet_attach_style($0.attach_style) } }

  /// Of the function that custom policies attach to, in the types of the programs.
  static var customBTFID: UInt32? { value.map(\.custom_btf_id) }

  /// By what containers are compared at slices and the system.
  public static func set(order: [OrderKey]) throws(Failure) { try change { setOrder(&$0.order, order) } }

  static func initialize(attachStyle: oomlet_attach_style, customBTFID: UInt32) throws(Failure) {
    let memory = machineMemory()
    try change { state in
      state.attach_style = attachStyle.rawValue
      state.custom_btf_id = customBTFID
      (state.ram_bytes, state.swap_bytes) = (memory.ram, memory.swap)
      // What each processor may keep back of a counter (lib/percpu_counter.c), in the four kinds of memory
      let processors = UInt64(max(1, sysconf(CInt(_SC_NPROCESSORS_CONF))))
      state.inexact_bytes = 4 * processors * max(32, 2 * processors) * UInt64(getpagesize())
      // Until the agent says otherwise, who alone attaches there
      setOrder(&state.order, [.usage])
    }
  }

  private static func change(_ body: (inout oomlet_state) -> Void) throws(Failure) {
    guard var state = value, let map = Pins.open("\(Pins.maps)/state") else { throw failure("cannot open map state") }
    var key: UInt32 = 0
    body(&state)
    guard bpf_map_update_elem(map.raw, &key, &state, UInt64(BPF_ANY)) == 0 else { throw failure("cannot write map state") }
  }

  private static var value: oomlet_state? {
    guard let map = Pins.open("\(Pins.maps)/state") else { return nil }
    var key: UInt32 = 0
    var state = oomlet_state()
    return bpf_map_lookup_elem(map.raw, &key, &state) == 0 ? state : nil
  }
}

func orderKeys<Field>(_ field: Field) -> [OrderKey] {
  withUnsafeBytes(of: field) { $0.prefix { $0 != UInt8(OOMLET_ORDER_END.rawValue) }.compactMap { OrderKey(UInt32($0)) } }
}

func setOrder<Field>(_ field: inout Field, _ order: [OrderKey]) {
  withUnsafeMutableBytes(of: &field) { bytes in
    for i in bytes.indices { bytes[i] = UInt8(OOMLET_ORDER_END.rawValue) }
    for (i, key) in order.enumerated() where i < bytes.count { bytes[i] = UInt8(key.raw.rawValue) }
  }
}
