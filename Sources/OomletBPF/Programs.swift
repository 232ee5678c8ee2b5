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
  /// Of whichever program decides at a limit.
  static let handlerPin = "\(Pins.programs)/handle_out_of_memory"
  static let explainPin = "\(Pins.programs)/explain"
  static let pressurePin = "\(Pins.programs)/watch_pressure"
  private static let victimsPin = "\(Pins.programs)/note_victim"
  /// Of programs besides the handler that decide.
  static var otherDeciders: [(name: String, pin: String)] {
    let pins = (namesInDirectory(Pins.programs) ?? []).filter { $0.hasSuffix("_program") }.sorted()
    return [("explain", explainPin)] + pins.map { ($0, "\(Pins.programs)/\($0)") }
  }

  /// The handler, loaded first if it was not. The caller holds the lock.
  ///
  /// - Parameter ringSize: of the ring buffer, in bytes, if there is none yet.
  /// - Throws: ``ExitStatus/unsupported``, ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  static func load(ringSize: UInt32) throws(Failure) -> OwnedFD {
    try Pins.makeDirectories()
    if let handler = Pins.open(handlerPin) { return handler }
    let mechanism = try KernelSupport.mechanism()
    // One that was made before this, and not finished
    let madeRingSize: UInt32? = if let map = Pins.open(Ring.pin) { Ring.size(of: map) } else { nil }
    let object = try loadedObject(mechanism, isPinned: true, ringSize: madeRingSize ?? ringSize)
    try State.initialize(attachStyle: mechanism.attachStyle, customBTFID: try object.functionID(CustomPolicy.function))
    try object.attach("note_victim", pin: victimsPin)
    for (name, pin) in mechanism.attached { try object.attach(name, pin: "\(Pins.programs)/\(pin)") }
    // The handler last: where it is pinned, everything is
    let handler = (mechanism.deciders[0].program, handlerPin)
    let others = mechanism.deciders.dropFirst().map { ($0.program, "\(Pins.programs)/\($0.pin)") }
    for (name, path) in others + [("explain", explainPin), handler] {
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
    let mechanism = try KernelSupport.mechanism()
    let object = try loadedObject(mechanism, isPinned: false, ringSize: UInt32(getpagesize()))
    for name in ["note_victim"] + mechanism.attached.map(\.program) { try object.attach(name, pin: nil) }
    let handler = mechanism.deciders[0].program
    guard let program = object.program(handler) else { throw Failure(.failed, "there is no program \(handler)") }
    try body(OwnedFD(dup(bpf_program__fd(program))))
  }

  private static func loadedObject(_ mechanism: any Mechanism, isPinned: Bool, ringSize: UInt32) throws(Failure) -> BPFObject {
    let object = try BPFObject(decodeBase64(mechanism.object), name: "oomlet", isPinned: isPinned)
    object.forEachProgram { program, _ in
      if bpf_program__type(program) != BPF_PROG_TYPE_TRACING { bpf_program__set_flags(program, BPF_F_SLEEPABLE_) }
    }
    object.forEachMap { map, _ in
      if bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF { bpf_map__set_max_entries(map, ringSize) }
    }
    mechanism.prepare(object)
    try object.load()
    return object
  }
}
