internal import CLibbpf
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// A pinned map of cgroup storage (BPF_MAP_TYPE_CGRP_STORAGE): a value for each cgroup, which goes with it.
struct CgroupStorage<Value: BitwiseCopyable> {
  /// Of the map.
  let name: String

  /// What is stored on a cgroup; nil: nothing, or there is no such map yet.
  func value(on cgroup: borrowing Cgroup) -> Value? {
    guard let map = Pins.open("\(Pins.maps)/\(name)") else { return nil }
    var key = cgroup.fd.raw
    return withUnsafeTemporaryAllocation(of: Value.self, capacity: 1) { value in
      bpf_map_lookup_elem(map.raw, &key, value.baseAddress) == 0 ? value[0] : nil
    }
  }

  /// - Parameter what: what can't be stored, should it be so.
  func store(_ value: Value, on cgroup: borrowing Cgroup, _ what: @autoclosure () -> String) throws(Failure) {
    guard let map = Pins.open("\(Pins.maps)/\(name)") else { throw failure("cannot open map \(name)") }
    var (key, value) = (cgroup.fd.raw, value)
    guard bpf_map_update_elem(map.raw, &key, &value, UInt64(BPF_ANY)) == 0 else { throw failure(what()) }
  }

  /// Nothing there is fine.
  func remove(from cgroup: borrowing Cgroup) throws(Failure) {
    guard let map = Pins.open("\(Pins.maps)/\(name)") else { throw failure("cannot open map \(name)") }
    var key = cgroup.fd.raw
    bpf_map_delete_elem(map.raw, &key)
  }
}
