internal import CLibbpf
internal import OomletModel

/// The kernel's types.
final class KernelTypes {
  private let btf: OpaquePointer

  init() throws(Failure) {
    guard let btf = btf__load_vmlinux_btf() else {
      throw Failure(
        .unsupported, "the kernel offers no BTF (/sys/kernel/btf/vmlinux): oomlet needs CONFIG_DEBUG_INFO_BTF")
    }
    self.btf = btf
  }

  deinit { btf__free(btf) }

  func structure(_ name: String) -> (id: UInt32, size: UInt32)? {
    let id = btf__find_by_name_kind(btf, name, UInt32(BTF_KIND_STRUCT))
    guard id > 0, let type = btf__type_by_id(btf, UInt32(id)) else { return nil }
    return (UInt32(id), type.pointee.size)
  }

  func hasTypedef(_ name: String) -> Bool { btf__find_by_name_kind(btf, name, UInt32(BTF_KIND_TYPEDEF)) > 0 }

  func hasFunction(_ name: String) -> Bool {
    let function: Int32 = BTF_KIND_FUNC
    return btf__find_by_name_kind(btf, name, UInt32(function)) > 0
  }

  /// In bytes.
  func member(_ name: String, of structure: String) -> (offset: Int, size: Int)? {
    guard let (id, _) = self.structure(structure), let type = btf__type_by_id(btf, id) else { return nil }
    let members = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self)
    for i in 0..<Int(type.pointee.info & 0xffff) where string(members[i].name_off) == name {
      // The offset in bits; of a bit field its lower 24 bits
      return (Int(members[i].offset & 0xff_ffff) / 8, Int(btf__resolve_size(btf, members[i].type)))
    }
    return nil
  }

  private func string(_ offset: UInt32) -> String? { btf__name_by_offset(btf, offset).map { String(cString: $0) } }
}
