internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

private let BPF_STRUCT_OPS = bpf_attach_type(rawValue: 44)
private let BPF_F_CGROUP_FD: UInt32 = 1 << 7

/// A policy attached to a cgroup, in force while somebody holds the link: a descriptor or a pin.
public struct PolicyLink: ~Copyable {
  public let fd: OwnedFD

  /// Attaches a policy's map to a cgroup, the way this kernel wants it.
  ///
  /// - Throws: ``ExitStatus/occupied`` if the cgroup has a policy, with its name.
  public init(policy map: borrowing OwnedFD, to cgroup: borrowing Cgroup) throws(Failure) {
    try self.init(policy: map, to: cgroup, style: State.attachStyle)
  }

  init(policy map: borrowing OwnedFD, to cgroup: borrowing Cgroup, style: oomlet_attach_style?) throws(Failure) {
    var options = bpf_link_create_opts()
    options.sz = MemoryLayout<bpf_link_create_opts>.size
    switch style {
    case OOMLET_ATTACH_CGROUP_FLAG: options.flags = BPF_F_CGROUP_FD
    case OOMLET_ATTACH_CGROUP_TARGET: break
    default: throw Failure(.unsupported, "it is not known how this kernel attaches policies")
    }
    let fd = bpf_link_create(map.raw, cgroup.fd.raw, BPF_STRUCT_OPS, &options)
    guard fd >= 0 else {
      let number = errno
      let path = printable(cgroup.path)
      switch number {
      case EEXIST:
        let name = PolicyLink.namesOfPolicies(on: cgroup.id).first.map { " (\(quoted($0)))" } ?? ""
        throw Failure(.occupied, "cgroup \(path) has another OOM policy\(name), which stays")
      case ENOENT: throw Failure(.notFound, "cgroup \(path) is gone: the container ended before its policy was attached")
      case ENODEV: throw Failure(.unsupported, "cgroup \(path) has no memory controller: see its parent's cgroup.subtree_control")
      default:
        errno = number
        throw failure("cannot attach a policy to cgroup \(path)")
      }
    }
    self.fd = OwnedFD(fd)
  }

  /// A link that is pinned, or nil and errno.
  public init?(pinned path: String) {
    guard let fd = Pins.open(path) else { return nil }
    self.fd = fd
  }

  public func pin(_ path: String) throws(Failure) {
    guard bpf_obj_pin(fd.raw, path) == 0 else { throw failure("cannot pin \(printable(path))") }
  }

  /// Takes the policy off its cgroup at once, whoever still holds the link; that the last pin goes takes a moment to do so.
  public func detach() throws(Failure) {
    guard bpf_link_detach(fd.raw) == 0 else { throw failure("cannot detach a policy") }
  }

  public struct Info: Sendable {
    public let id: UInt32
    /// 0: detached.
    public let mapID: UInt32
    /// Of the cgroup it is attached to; 0: detached, or no cgroup.
    public let cgroupID: UInt64
  }

  /// What the kernel says of it (BPF_OBJ_GET_INFO_BY_FD); nil if it is no struct_ops link.
  public var info: Info? { PolicyLink.info(fd.raw) }

  /// The names of all policies on a cgroup, whoever attached them.
  public static func namesOfPolicies(on cgroupID: UInt64) -> [String] {
    var names: [String] = []
    var id: UInt32 = 0
    while bpf_link_get_next_id(id, &id) == 0 {
      let link = bpf_link_get_fd_by_id(id)
      guard link >= 0 else { continue }
      defer { close(link) }
      guard let info = info(link), info.cgroupID == cgroupID, let name = policy(info.mapID)?.name else { continue }
      names.append(name)
    }
    return names
  }

  static func info(_ fd: CInt) -> Info? {
    // union at 16: struct_ops.map_id, and struct_ops.cgroup_id at 24, which the headers don't have
    var bytes = [UInt8](repeating: 0, count: 128)
    var length = UInt32(bytes.count)
    return bytes.withUnsafeMutableBytes { buffer in
      guard bpf_obj_get_info_by_fd(fd, buffer.baseAddress, &length) == 0,
        buffer.load(as: UInt32.self) == BPF_LINK_TYPE_STRUCT_OPS.rawValue
      else { return nil }
      return Info(
        id: buffer.load(fromByteOffset: 4, as: UInt32.self), mapID: buffer.load(fromByteOffset: 16, as: UInt32.self),
        cgroupID: buffer.load(fromByteOffset: 24, as: UInt64.self))
    }
  }

  /// What the kernel's OOM report prints, else the name of the map, at most 15 characters; and the type of the map's value.
  static func policy(_ id: UInt32) -> (name: String, typeID: UInt32)? {
    let fd = bpf_map_get_fd_by_id(id)
    guard fd >= 0 else { return nil }
    let map = OwnedFD(fd)
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    guard bpf_obj_get_info_by_fd(map.raw, &info, &length) == 0 else { return nil }
    var value = [UInt8](repeating: 0, count: Int(info.value_size))
    var key: UInt32 = 0
    if let layout = try? KernelSupport.policyLayout(), value.count >= layout.nameOffset + layout.nameSize,
      bpf_map_lookup_elem(map.raw, &key, &value) == 0
    {
      let name = value[layout.nameOffset..<layout.nameOffset + layout.nameSize].prefix { $0 != 0 }
      if !name.isEmpty { return (String(decoding: name, as: UTF8.self), info.btf_vmlinux_value_type_id) }
    }
    let name = withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return (name, info.btf_vmlinux_value_type_id)
  }
}
