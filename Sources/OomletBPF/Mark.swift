internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

/// What the node's configuration says of a cgroup and all below it: the map `marks`. It goes with the cgroup.
public enum Mark {
  /// Gives way last at the OOM of a slice or the system.
  public static func protect(_ cgroup: borrowing Cgroup) throws(Failure) {
    guard let map = Pins.open("\(Pins.maps)/marks") else { throw failure("cannot open map marks") }
    var key = cgroup.fd.raw
    var mark = oomlet_mark(protect: 1, pad: 0)
    guard bpf_map_update_elem(map.raw, &key, &mark, UInt64(BPF_ANY)) == 0 else {
      throw failure("cannot mark cgroup \(printable(cgroup.path))")
    }
  }

  public static func isOn(_ cgroup: borrowing Cgroup) -> Bool {
    guard let map = Pins.open("\(Pins.maps)/marks") else { return false }
    var key = cgroup.fd.raw
    var mark = oomlet_mark()
    return bpf_map_lookup_elem(map.raw, &key, &mark) == 0
  }

  public static func remove(from cgroup: borrowing Cgroup) {
    guard let map = Pins.open("\(Pins.maps)/marks") else { return }
    var key = cgroup.fd.raw
    bpf_map_delete_elem(map.raw, &key)
  }
}
