internal import CLibbpf
internal import COomletABI
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// The node's own policies: `NAME.bpf.o` files, made with bpf/include/oomlet/policy.bpf.h.
public enum CustomPolicy {
  public static let directory = "/etc/oomlet/policies"
  /// Of the handler and of `explain`: where these programs attach.
  static let function = "oomlet_custom"
  private static let suffix = ".bpf.o"
  private static let reserved = ["pod", "system", "none"] + VictimRule.allCases.map(\.rawValue)

  /// The names there are files for, sorted.
  public static var names: [String] { names(in: directory) ?? [] }

  /// The same in another directory; nil and errno if it can't be read.
  public static func names(in directory: String) -> [String]? {
    namesInDirectory(directory)?.filter { $0.hasSuffix(suffix) }.map { String($0.dropLast(suffix.count)) }
      .filter { PolicyName($0) != nil && !reserved.contains($0) }
  }

  /// Loads the policy's program, once for each program that asks it, and pins that.
  ///
  /// - Parameter id: by which it is asked.
  static func load(_ name: PolicyName, id: UInt32) throws(Failure) {
    let path = "\(directory)/\(name)\(suffix)"
    let bytes = try trustedContents(path)
    let pins = "\(Pins.custom)/\(name)"
    try makeDirectory(pins, mode: 0o700)
    let first = try attach(bytes, path, id, to: Programs.handlerPin, pin: "\(pins)/handler", sharing: nil)
    do throws(Failure) {
      for (name, target) in Programs.otherDeciders {
        _ = try attach(bytes, path, id, to: target, pin: "\(pins)/\(name)", sharing: first.raw)
      }
    } catch {
      for name in namesInDirectory(pins) ?? [] { Pins.remove("\(pins)/\(name)") }
      throw error
    }
  }

  private static func attach(
    _ bytes: [UInt8], _ path: String, _ id: UInt32, to target: String, pin: String, sharing other: OpaquePointer?
  ) throws(Failure) -> BPFObject {
    guard let targetProgram = Pins.open(target) else { throw failure("cannot open \(target)") }
    guard let functionID = State.customBTFID else { throw failure("cannot open map state") }
    FunctionHandler.setTarget(program: targetProgram, functionID: functionID)
    let object = try BPFObject(bytes, name: path)
    guard object.program("oomlet_answer") != nil else {
      throw Failure(.failed, "\(path) has no policy: expected OOMLET_POLICY of oomlet/policy.bpf.h in it")
    }
    object.forEachProgram { program, name in bpf_program__set_autoload(program, name == "oomlet_answer") }
    var hasID = false
    object.forEachMap { map, name in
      if name.hasSuffix(".rodata.oomlet") {
        var id = id
        hasID = bpf_map__set_initial_value(map, &id, MemoryLayout<UInt32>.size) == 0
      } else if let other, bpf_map__is_internal(map) == false, bpf_map__pin_path(map) == nil,
        let twin = bpf_object__find_map_by_name(other, name)
      {
        bpf_map__reuse_fd(map, bpf_map__fd(twin))
      }
    }
    guard hasID else { throw Failure(.failed, "\(path) was not made with this version's oomlet/policy.bpf.h") }
    try object.load()
    try object.attach("oomlet_answer", pin: pin)
    return object
  }

  /// A file that only root can have written.
  private static func trustedContents(_ path: String) throws(Failure) -> [UInt8] {
    guard let file = openFile(path, O_RDONLY | O_NOFOLLOW) else {
      throw Failure(errno == ENOENT ? .notFound : .failed, systemError("cannot read policy \(path)"))
    }
    var status = stat()
    guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw Failure(.failed, "\(path) is no file") }
    guard status.st_uid == 0, status.st_mode & 0o022 == 0 else {
      throw Failure(.failed, "\(path) can be written by others than root: expected owner root and mode 0644 or less")
    }
    guard let bytes = readAll(file) else { throw Failure(.failed, systemError("cannot read policy \(path)")) }
    return bytes
  }
}

/// Has libbpf attach programs `fentry/…` to a function of a pinned program, by its id in that program's types. libbpf would look
/// that up by name, for which the kernel wants CAP_SYS_ADMIN.
private enum FunctionHandler {
  private struct Target {
    var program: CInt = -1
    var functionID: UInt32 = 0
  }

  /// Registered once and for good: libbpf before 1.3 frees twice after the last handler goes.
  private static let target: Int = {
    let target = UnsafeMutablePointer<Target>.allocate(capacity: 1)
    target.initialize(to: Target())
    var options = libbpf_prog_handler_opts()
    options.sz = MemoryLayout<libbpf_prog_handler_opts>.size
    options.cookie = Int(bitPattern: target)
    options.prog_prepare_load_fn = { _, options, cookie in
      guard let options, let target = UnsafePointer<Target>(bitPattern: cookie) else { return -EINVAL }
      options.pointee.attach_prog_fd = UInt32(target.pointee.program)
      options.pointee.attach_btf_id = target.pointee.functionID
      return 0
    }
    libbpf_register_prog_handler("fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, &options)
    return options.cookie
  }()

  /// - Parameter program: open until what is attached to it is loaded.
  static func setTarget(program: borrowing OwnedFD, functionID: UInt32) {
    UnsafeMutablePointer<Target>(bitPattern: target)?.pointee = Target(program: program.raw, functionID: functionID)
  }
}
