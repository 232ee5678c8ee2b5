internal import CLibbpf
internal import COomletABI
internal import Glibc
internal import OomletModel
internal import OomletSystem

// Newer than the libbpf and kernel headers that oomlet builds with
let BPF_F_LINK: UInt32 = 1 << 13
private let BPF_F_SLEEPABLE_: UInt32 = 1 << 4

/// The programs that all policies share, loaded and pinned with their maps.
public enum Programs {
  static let handlerPin = "\(Pins.programs)/handle_out_of_memory"
  static let explainPin = "\(Pins.programs)/explain"
  static let pressurePin = "\(Pins.programs)/watch_pressure"
  /// Of the program itself; the other one is its link.
  static let pressureProgramPin = "\(Pins.programs)/watch_pressure_program"
  private static let victimsPin = "\(Pins.programs)/note_victim"

  /// The handler, loaded first if it was not. The caller holds the lock.
  ///
  /// - Parameter ringSize: of the ring buffer, in bytes, if there is none yet.
  /// - Throws: ``ExitStatus/unsupported``, ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  static func load(ringSize: UInt32) throws(Failure) -> OwnedFD {
    try Pins.makeDirectories()
    if let handler = Pins.open(handlerPin) { return handler }
    let style = try KernelSupport.attachStyle()
    // One that was made before this, and not finished
    let madeRingSize: UInt32? = if let map = Pins.open(Ring.pin) { Ring.size(of: map) } else { nil }
    let object = try loadedObject(isPinned: true, ringSize: madeRingSize ?? ringSize)
    let hasPressure = try KernelSupport.hasPressureTracepoint()
    try State.initialize(attachStyle: style, customBTFID: try object.functionID(CustomPolicy.function))
    // The handler last: where it is pinned, everything is
    try object.attach("note_victim", pin: victimsPin)
    if hasPressure { try object.attach("watch_pressure", pin: pressurePin) }
    let pressure = hasPressure ? [("watch_pressure", pressureProgramPin)] : []
    for (name, path) in pressure + [("explain", explainPin), ("handle_out_of_memory", handlerPin)] {
      guard let program = object.program(name) else { throw Failure(.failed, "there is no program \(name)") }
      guard bpf_obj_pin(bpf_program__fd(program), path) == 0 || errno == EEXIST else { throw failure("cannot pin \(path)") }
    }
    guard let handler = Pins.open(handlerPin) else { throw failure("cannot open \(handlerPin)") }
    return handler
  }

  /// Loads and attaches the same programs, and lets go of them.
  ///
  /// - Parameter body: has the handler meanwhile.
  static func tryOut(_ body: (borrowing OwnedFD) throws(Failure) -> Void) throws(Failure) {
    let object = try loadedObject(isPinned: false, ringSize: UInt32(getpagesize()))
    try object.attach("note_victim", pin: nil)
    if try KernelSupport.hasPressureTracepoint() { try object.attach("watch_pressure", pin: nil) }
    guard let program = object.program("handle_out_of_memory") else {
      throw Failure(.failed, "there is no program handle_out_of_memory")
    }
    try body(OwnedFD(dup(bpf_program__fd(program))))
  }

  /// The one that suits this kernel.
  private static func loadedObject(isPinned: Bool, ringSize: UInt32) throws(Failure) -> BPFObject {
    let bytes = decodeBase64(try KernelSupport.hasImplicitArguments() ? programsObjectImplicitArguments : programsObject)
    let object = try BPFObject(bytes, name: "oomlet", isPinned: isPinned)
    object.forEachProgram { program, _ in
      if bpf_program__type(program) != BPF_PROG_TYPE_TRACING { bpf_program__set_flags(program, BPF_F_SLEEPABLE_) }
    }
    object.forEachMap { map, _ in
      if bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS { bpf_map__set_map_flags(map, BPF_F_LINK) }
      if bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF { bpf_map__set_max_entries(map, ringSize) }
    }
    if try !KernelSupport.hasPressureTracepoint(), let program = object.program("watch_pressure") {
      bpf_program__set_autoload(program, false)
    }
    try object.load()
    return object
  }
}
