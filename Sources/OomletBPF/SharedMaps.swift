internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

/// What all policies share: the map `state`.
public enum State {
  /// Decisions whose record found the ring buffer full, since the maps were made; nil if there are none.
  public static var recordsLost: UInt64? { value?.records_lost }

  static var attachStyle: oomlet_attach_style? { value.map { oomlet_attach_style($0.attach_style) } }

  static func set(attachStyle: oomlet_attach_style) throws(Failure) {
    guard var state = value, let map = Pins.open("\(Pins.maps)/state") else { throw failure("cannot open map state") }
    guard state.attach_style != attachStyle.rawValue else { return }
    var key: UInt32 = 0
    state.attach_style = attachStyle.rawValue
    guard bpf_map_update_elem(map.raw, &key, &state, UInt64(BPF_ANY)) == 0 else { throw failure("cannot write map state") }
  }

  private static var value: oomlet_state? {
    guard let map = Pins.open("\(Pins.maps)/state") else { return nil }
    var key: UInt32 = 0
    var state = oomlet_state()
    return bpf_map_lookup_elem(map.raw, &key, &state) == 0 ? state : nil
  }
}

/// What a container asked for, in storage on its cgroup: the map `params`.
public struct Parameters {
  private var value: oomlet_params

  public init(_ identity: ContainerIdentity) {
    value = oomlet_params()
    value.abi_version = UInt32(OOMLET_ABI_VERSION)
    Parameters.fill(&value.identity.id, identity.id)
    Parameters.fill(&value.identity.name, identity.name)
    Parameters.fill(&value.identity.pod, identity.pod)
    Parameters.fill(&value.identity.pod_namespace, identity.namespace)
  }

  /// What is stored on a cgroup, or nil.
  public init?(on cgroup: borrowing Cgroup) {
    guard let map = Pins.open("\(Pins.maps)/params") else { return nil }
    var key = cgroup.fd.raw
    value = oomlet_params()
    guard bpf_map_lookup_elem(map.raw, &key, &value) == 0 else { return nil }
  }

  public func store(on cgroup: borrowing Cgroup) throws(Failure) {
    guard let map = Pins.open("\(Pins.maps)/params") else { throw failure("cannot open map params") }
    var key = cgroup.fd.raw
    var value = value
    guard bpf_map_update_elem(map.raw, &key, &value, UInt64(BPF_ANY)) == 0 else {
      throw failure("cannot store the parameters of \(printable(cgroup.path))")
    }
  }

  public static func remove(from cgroup: borrowing Cgroup) {
    guard let map = Pins.open("\(Pins.maps)/params") else { return }
    var key = cgroup.fd.raw
    bpf_map_delete_elem(map.raw, &key)
  }

  /// NUL-terminated, cut between characters if too long.
  private static func fill<T>(_ field: inout T, _ text: String) {
    withUnsafeMutableBytes(of: &field) { buffer in
      var at = 0
      for character in text where at + character.utf8.count < buffer.count && character != "\0" {
        for byte in character.utf8 {
          buffer[at] = byte
          at += 1
        }
      }
    }
  }
}
