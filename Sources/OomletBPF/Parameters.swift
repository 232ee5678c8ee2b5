internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

/// What a container asked for, or its pod, in storage on its cgroup: the map `params`.
public struct Parameters {
  private var value = oomlet_params()

  /// What is known of a container besides its request.
  public struct Facts: Sendable {
    public var qos: QoSClass?
    /// In bytes; 0: none, or not known.
    public var memoryRequest: UInt64 = 0
    /// The container's PID 1 in the initial PID namespace; 0: not known.
    public var initPID: UInt32 = 0
    /// The inode number of the PID namespace that it is 1 of; 0: none of its own.
    public var initPIDNamespace: UInt32 = 0

    public init() {}
  }

  /// - Parameter customID: of the map of the custom policy, if it is one.
  public init(_ request: PolicyRequest, _ identity: ContainerIdentity, _ facts: Facts, customID: UInt32 = 0) {
    value.abi_version = UInt32(OOMLET_ABI_VERSION)
    value.kind = OOMLET_KIND_CONTAINER.rawValue
    value.victim = request.victim.raw.rawValue
    value.kill = request.kill.raw.rawValue
    value.custom_id = customID
    value.qos = facts.qos.raw.rawValue
    value.priority = request.priority
    value.init_tgid = facts.initPID
    value.init_pid_namespace = facts.initPIDNamespace
    value.min_size_bytes = request.minSize
    value.request_bytes = facts.memoryRequest
    if request.dryRun { value.flags |= OOMLET_DRY_RUN.rawValue }
    if request.protect.contains(.initProcess) { value.flags |= OOMLET_PROTECT_INIT.rawValue }
    if request.prefer.contains(.initProcess) { value.flags |= OOMLET_PREFER_INIT.rawValue }
    value.protect_count = setPatterns(&value.protect, request.protect)
    value.prefer_count = setPatterns(&value.prefer, request.prefer)
    setText(&value.policy, request.victim.description)
    set(identity)
  }

  /// By what a pod's containers are compared; of a container: nothing.
  public var order: [OrderKey] { orderKeys(value.order) }

  /// Whether they are those of a container with a policy.
  public var isPolicy: Bool { value.kind == OOMLET_KIND_CONTAINER.rawValue }

  /// The id of the container they are of; of a pod, of one of its containers.
  public var containerID: String { text(value.identity.id) }

  /// Of the policy, as the kernel's OOM report has it.
  public var policyName: String { PolicyMap.name(text(value.policy)) }

  /// Whether all is the same, byte by byte.
  public func isSame(as other: Parameters) -> Bool {
    withUnsafeBytes(of: value) { mine in withUnsafeBytes(of: other.value) { mine.elementsEqual($0) } }
  }

  /// Of a container without policy, for its comparison with others.
  public init(known identity: ContainerIdentity, _ facts: Facts) {
    value.abi_version = UInt32(OOMLET_ABI_VERSION)
    value.kind = OOMLET_KIND_KNOWN.rawValue
    value.qos = facts.qos.raw.rawValue
    value.request_bytes = facts.memoryRequest
    setOrder(&value.order, [])
    set(identity)
  }

  /// Of a pod, for the choice among its containers.
  public init(pod identity: ContainerIdentity, qos: QoSClass?, order: [OrderKey]) {
    value.abi_version = UInt32(OOMLET_ABI_VERSION)
    value.kind = OOMLET_KIND_POD.rawValue
    value.qos = qos.raw.rawValue
    setOrder(&value.order, order)
    set(identity)
  }

  /// Of the slice of a QoS class, for the containers below it that have no policy.
  public init(slice qos: QoSClass) {
    value.abi_version = UInt32(OOMLET_ABI_VERSION)
    value.kind = OOMLET_KIND_SLICE.rawValue
    value.qos = Optional(qos).raw.rawValue
    setOrder(&value.order, [])
  }

  private mutating func set(_ identity: ContainerIdentity) {
    setText(&value.identity.id, identity.id)
    setText(&value.identity.name, identity.name)
    setText(&value.identity.pod, identity.pod)
    setText(&value.identity.pod_namespace, identity.namespace)
  }

  private static var storage: CgroupStorage<oomlet_params> { CgroupStorage(name: "params") }

  /// What is stored on a cgroup, or nil.
  public init?(on cgroup: borrowing Cgroup) {
    guard let value = Parameters.storage.value(on: cgroup) else { return nil }
    self.value = value
  }

  public func store(on cgroup: borrowing Cgroup) throws(Failure) {
    let path = cgroup.path
    try Parameters.storage.store(value, on: cgroup, "cannot store the parameters of \(printable(path))")
  }

  public static func remove(from cgroup: borrowing Cgroup) { try? storage.remove(from: cgroup) }
}

/// NUL-terminated, cut between characters if too long.
private func setText<Field>(_ field: inout Field, _ text: String) {
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

/// - Returns: how many there are.
private func setPatterns<Field>(_ field: inout Field, _ patterns: [ProcessPattern]) -> UInt32 {
  var count = 0
  withUnsafeMutableBytes(of: &field) { buffer in
    let size = MemoryLayout<oomlet_pattern>.stride
    for case .comm(let pattern) in patterns where (count + 1) * size <= buffer.count {
      var raw = oomlet_pattern(literals: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), stars: pattern.stars, accept: 0)
      raw.accept = 1 << UInt32(pattern.literals.count)
      withUnsafeMutableBytes(of: &raw.literals) { $0.copyBytes(from: pattern.literals) }
      buffer.storeBytes(of: raw, toByteOffset: count * size, as: oomlet_pattern.self)
      count += 1
    }
  }
  return UInt32(count)
}
