internal import Glibc
internal import OomletBPF
internal import OomletJSON
public import OomletModel
internal import OomletPolicy
internal import OomletSystem

/// The identity file of a container with a policy: who it is and what was done for it, for people and for the agent.
/// What is attached is what the kernel says, not this.
public struct AttachedContainer: Sendable {
  public static let directory = "/run/oomlet/containers"

  public var identity: ContainerIdentity
  public var cgroup: String
  public var cgroupID: UInt64
  public var policy: String
  public var kill: KillScope
  public var pod: PodCgroup?
  public var oomGroup: OOMGroup
  /// The number of the node's rule that gave it its policy, from 1, as the rules were then; nil: its annotation did.
  public var rule: Int?
  /// What the agent does about its stalls before they are an OOM.
  public var relief: [ReliefStage]
  /// nil: not known.
  public var life: ContainerLife?
  /// "": not known.
  public var bundle: String

  public struct PodCgroup: Equatable, Sendable {
    public let path: String
    public let id: UInt64
  }

  /// An id is unique in its runtime's state directory only, a cgroup's id on the node.
  private static func fileName(_ id: String, _ cgroupID: UInt64) -> String { "\(id)@\(cgroupID).json" }

  private var path: String { "\(AttachedContainer.directory)/\(AttachedContainer.fileName(identity.id, cgroupID))" }

  func write() throws(Failure) {
    try makeDirectory(AttachedContainer.directory)
    var members: [(key: String, value: JSON)] = [
      ("id", .string(identity.id)), ("name", .string(identity.name)), ("pod", .string(identity.pod)),
      ("namespace", .string(identity.namespace)), ("cgroup", .string(cgroup)), ("cgroup_id", .integer(Int64(clamping: cgroupID))),
      ("policy", .string(policy)), ("kill", .string(kill.rawValue)),
      ("rule", rule.map { .integer(Int64($0)) } ?? .null), ("bundle", .string(bundle)),
    ]
    if let life {
      members += [("pid", .integer(Int64(life.pid))), ("pid_start", .integer(Int64(clamping: life.startTime)))]
    }
    if !relief.isEmpty { members.append(("relief", .string(ReliefGrammar.text(of: relief)))) }
    if let pod { members += [("pod_cgroup", .string(pod.path)), ("pod_cgroup_id", .integer(Int64(clamping: pod.id)))] }
    members.append(("oom_group_before", .object(oomGroup.before.map { ($0.path, .string($0.value)) })))
    try replaceFile(path, with: JSON.object(members).encoded() + [UInt8(ascii: "\n")])
  }

  func removeFile() { unlink(path) }

  /// Of the container with that id on that cgroup; nil: there is none that can be read.
  init?(id: String, on cgroupID: UInt64) { self.init(fileNamed: AttachedContainer.fileName(id, cgroupID)) }

  /// One of ``fileNames``, or nil: it can't be read, or not any more.
  public init?(fileNamed name: String) { self.init(file: "\(AttachedContainer.directory)/\(name)") }

  private init?(file: String) {
    guard let bytes = contents(of: file), let json = try? JSON(parsing: bytes), let id = json["id"]?.string,
      let identity = ContainerIdentity(
        id: id, name: json["name"]?.string ?? "", pod: json["pod"]?.string ?? "", namespace: json["namespace"]?.string ?? ""),
      let cgroup = json["cgroup"]?.string, let cgroupID = json["cgroup_id"]?.integer.flatMap({ UInt64(exactly: $0) })
    else { return nil }
    self.identity = identity
    self.cgroup = cgroup
    self.cgroupID = cgroupID
    policy = json["policy"]?.string ?? ""
    kill = json["kill"]?.string.flatMap(KillScope.init(rawValue:)) ?? .process
    rule = json["rule"]?.integer.flatMap { Int(exactly: $0) }
    bundle = json["bundle"]?.string ?? ""
    relief = json["relief"]?.string.flatMap(ReliefGrammar.parse) ?? []
    if let pid = json["pid"]?.integer, let start = json["pid_start"]?.integer {
      life = ContainerLife(pid: Int(clamping: pid), startTime: UInt64(clamping: start))
    }
    if let path = json["pod_cgroup"]?.string, let id = json["pod_cgroup_id"]?.integer {
      pod = PodCgroup(path: path, id: UInt64(clamping: id))
    }
    oomGroup = OOMGroup(
      before: json["oom_group_before"]?.members?.compactMap { key, value in value.string.map { (key, $0) } } ?? [])
  }

  init(
    identity: ContainerIdentity, cgroup: String, cgroupID: UInt64, policy: String, kill: KillScope, pod: PodCgroup?,
    oomGroup: OOMGroup, rule: Int? = nil, relief: [ReliefStage] = [], life: ContainerLife? = nil, bundle: String = ""
  ) {
    (self.identity, self.cgroup, self.cgroupID) = (identity, cgroup, cgroupID)
    (self.policy, self.kill, self.pod, self.oomGroup) = (policy, kill, pod, oomGroup)
    (self.rule, self.relief, self.life, self.bundle) = (rule, relief, life, bundle)
  }

  public static var fileNames: [String] { (namesInDirectory(directory) ?? []).filter { $0.hasSuffix(".json") } }

  /// All identity files that can be read.
  public static func all() -> [AttachedContainer] { fileNames.compactMap(AttachedContainer.init(fileNamed:)) }

  static func all(withID id: String) -> [AttachedContainer] {
    fileNames.filter { $0.hasPrefix("\(id)@") }.compactMap(AttachedContainer.init(fileNamed:))
  }
}

extension AttachedContainer {
  var policyPlace: PolicyPlace { .container(cgroup, id: cgroupID) }

  /// The id of the cgroup that the kernel says its policy is on; 0: none.
  public var attachedCgroupID: UInt64 { policyPlace.attachedCgroupID }

  public var isAttached: Bool { policyPlace.isAttached }

  /// Whether nothing of it runs any more, as far as can be told.
  var hasEnded: Bool {
    guard let cgroup = try? Cgroup(path: cgroup), cgroup.id == cgroupID else { return true }
    return !cgroup.isPopulated || life?.isOver == true
  }

  /// Whether memory.oom.group is as the policy's `kill` needs it.
  public var hasDrifted: Bool { OOMGroup.hasDrifted(cgroup, for: kill) }
}
