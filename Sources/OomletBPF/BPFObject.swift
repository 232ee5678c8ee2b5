internal import CLibbpf
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// An object file's programs and maps, before and after they are loaded.
struct BPFObject: ~Copyable {
  let raw: OpaquePointer
  private let log: UnsafeMutableBufferPointer<CChar>
  private let name: String

  /// Maps that are pinned by name are looked for, and made, in `Pins.maps`.
  init(_ bytes: [UInt8], name: String) throws(Failure) {
    libbpf_set_print(nil)
    let log = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 1 << 16)
    log.initialize(repeating: 0)
    var options = bpf_object_open_opts()
    options.sz = MemoryLayout<bpf_object_open_opts>.size
    options.kernel_log_buf = log.baseAddress
    options.kernel_log_size = log.count
    let object = Pins.maps.withCString { maps in
      name.withCString { name in
        options.pin_root_path = maps
        options.object_name = name
        return bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
      }
    }
    guard let object else {
      let error = failure("\(name) is no BPF object file")
      log.deallocate()
      throw error
    }
    (raw, self.log, self.name) = (object, log, name)
  }

  deinit {
    bpf_object__close(raw)
    log.deallocate()
  }

  func program(_ name: String) -> OpaquePointer? { bpf_object__find_program_by_name(raw, name) }

  /// - Throws: with the last lines of the verifier's log, if it was that.
  func load() throws(Failure) {
    guard bpf_object__load(raw) != 0 else { return }
    let error = failure("cannot load \(name)")
    let text = String(decoding: log.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    // The last but the statistics
    let lines = text.split(separator: "\n").filter {
      !$0.hasPrefix("processed ") && !$0.hasPrefix("verification time") && !$0.hasPrefix("stack depth")
    }
    guard !lines.isEmpty else { throw error }
    throw Failure(
      error.status,
      "\(error.description); the verifier says: \(lines.suffix(4).map { printable(String($0), limit: 160) }.joined(separator: " | "))"
    )
  }

  /// Attaches a tracing program where its section says, for as long as the pin is there.
  func attach(_ programName: String, pin: String) throws(Failure) {
    guard let program = program(programName) else { throw Failure(.failed, "there is no program \(programName) in \(name)") }
    guard let link = bpf_program__attach_trace(program) else { throw failure("cannot attach \(programName) of \(name)") }
    defer { bpf_link__destroy(link) }
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
