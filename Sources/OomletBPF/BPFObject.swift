internal import CLibbpf
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// An object file's programs and maps, before and after they are loaded.
struct BPFObject: ~Copyable {
  let raw: OpaquePointer
  private let name: String

  /// Maps that are pinned by name are looked for, and made, in `Pins.maps`, unless nothing is to stay of it.
  init(_ bytes: [UInt8], name: String, isPinned: Bool = true) throws(Failure) {
    LibbpfWords.listen()
    var options = bpf_object_open_opts()
    options.sz = MemoryLayout<bpf_object_open_opts>.size
    let object = Pins.maps.withCString { maps in
      name.withCString { name in
        options.pin_root_path = maps
        options.object_name = name
        return bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
      }
    }
    guard let object else { throw failure("\(name) is no BPF object file") }
    (raw, self.name) = (object, name)
    if !isPinned { forEachMap { map, _ in bpf_map__set_pin_path(map, nil) } }
  }

  deinit { bpf_object__close(raw) }

  func program(_ name: String) -> OpaquePointer? { bpf_object__find_program_by_name(raw, name) }

  /// - Throws: ``ExitStatus/unsupported`` if the kernel refuses what it is, with what libbpf says of that and the last lines of
  ///   the verifier's log; ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  func load() throws(Failure) {
    guard bpf_object__load(raw) != 0 else { return }
    let number = errno
    let error = failure("cannot load \(name)", number)
    // EACCES, too, is of the verifier
    let isRefused = LibbpfWords.hasRefusal && ![EPERM, ENOMEM].contains(number)
    throw Failure(isRefused ? .unsupported : error.status, LibbpfWords.added(to: error))
  }

  /// Attaches a tracing program where its section says, for as long as the pin is there; without one, to see whether that works.
  func attach(_ programName: String, pin: String?) throws(Failure) {
    guard let program = program(programName) else { throw Failure(.failed, "there is no program \(programName) in \(name)") }
    guard let link = bpf_program__attach_trace(program) else {
      let error = failure("cannot attach \(programName) of \(name)")
      throw Failure(error.status, LibbpfWords.added(to: error))
    }
    defer { bpf_link__destroy(link) }
    guard let pin else { return }
    Pins.remove(pin)
    guard bpf_obj_pin(bpf_link__fd(link), pin) == 0 else { throw failure("cannot pin \(pin)") }
  }

  /// What its types call a function.
  func functionID(_ name: String) throws(Failure) -> UInt32 {
    let function: Int32 = BTF_KIND_FUNC
    let id = btf__find_by_name_kind(bpf_object__btf(raw), name, UInt32(function))
    guard id > 0 else { throw Failure(.failed, "there is no function \(name) in \(self.name)") }
    return UInt32(id)
  }

  /// Calls `body` with each map.
  func forEachMap(_ body: (OpaquePointer, String) -> Void) {
    var map = bpf_object__next_map(raw, nil)
    while let at = map {
      body(at, String(cString: bpf_map__name(at)))
      map = bpf_object__next_map(raw, at)
    }
  }

  func forEachProgram(_ body: (OpaquePointer, String) -> Void) {
    var program = bpf_object__next_program(raw, nil)
    while let at = program {
      body(at, String(cString: bpf_program__name(at)))
      program = bpf_object__next_program(raw, at)
    }
  }
}
