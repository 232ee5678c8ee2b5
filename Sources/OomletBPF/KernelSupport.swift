internal import CLibbpf
internal import COomletABI
public import OomletModel

/// What the running kernel can do, read from its types (BTF): the interface is a proposal on the move, so nothing of it
/// is assumed.
public enum KernelSupport {
  /// Whether the kernel has what policies need, as far as its types say: see ``tryOut()`` for whether they work.
  ///
  /// - Throws: ``ExitStatus/unsupported`` with what it lacks.
  public static func check() throws(Failure) { _ = try facts.get() }

  /// How a policy is attached to a cgroup.
  ///
  /// - Throws: ``ExitStatus/unsupported``.
  static func attachStyle() throws(Failure) -> oomlet_attach_style { try facts.get().attachStyle }

  static func policyLayout() throws(Failure) -> PolicyLayout { try facts.get().policyLayout }

  /// Whether BPF programs can watch stalls (PSI) here.
  static func hasPressureTracepoint() throws(Failure) -> Bool { try facts.get().hasPressureTracepoint }

  /// Whether kfuncs get arguments that programs do not name, as in kernels from 7.0 on.
  static func hasImplicitArguments() throws(Failure) -> Bool { try facts.get().hasImplicitArguments }

  /// Where in a policy's map what stands; in bytes.
  struct PolicyLayout: Sendable {
    let typeID: UInt32
    let size: UInt32
    let handlerOffset: Int
    let nameOffset: Int
    let nameSize: Int
  }

  private struct Facts: Sendable {
    let attachStyle: oomlet_attach_style
    let policyLayout: PolicyLayout
    let hasPressureTracepoint: Bool
    let hasImplicitArguments: Bool

    init(_ types: KernelTypes) throws(Failure) {
      guard let handler = types.member("handle_out_of_memory", of: "bpf_oom_ops") else {
        throw Failure(.unsupported, "this kernel has no BPF OOM policies (no struct bpf_oom_ops): its own OOM killer decides")
      }
      if types.member("cgroup_atype", of: "bpf_struct_ops") != nil {
        attachStyle = OOMLET_ATTACH_CGROUP_TARGET
      } else if types.member("cgroup", of: "bpf_struct_ops_link") != nil {
        attachStyle = OOMLET_ATTACH_CGROUP_FLAG
      } else {
        throw Failure(
          .unsupported, "this kernel's BPF OOM policies attach in a way that oomlet does not know: its own OOM killer decides")
      }
      guard let value = types.structure("bpf_struct_ops_bpf_oom_ops"),
        let data = types.member("data", of: "bpf_struct_ops_bpf_oom_ops"), let name = types.member("name", of: "bpf_oom_ops")
      else { throw Failure(.unsupported, "this kernel's struct bpf_oom_ops is not as oomlet knows it") }
      policyLayout = PolicyLayout(
        typeID: value.id, size: value.size, handlerOffset: data.offset + handler.offset, nameOffset: data.offset + name.offset,
        nameSize: name.size)
      hasPressureTracepoint = types.hasTypedef("btf_trace_psi_avgs_work")
      hasImplicitArguments = types.hasFunction("bpf_wq_set_callback")
    }
  }

  /// Read once: that takes milliseconds.
  private static let facts = Result<Facts, Failure> { () throws(Failure) in try Facts(try KernelTypes()) }
}

/// The kernel's types.
private final class KernelTypes {
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
