internal import Glibc
internal import OomletJSON
public import OomletModel
internal import OomletBPF
internal import OomletSystem

/// The identity file of a container with a policy: who it is, for people and for the agent. What is attached is what the
/// kernel says, not this.
public struct AttachedContainer: Sendable {
  public static let directory = "/run/oomlet/containers"

  public let identity: ContainerIdentity
  public let cgroup: String
  public let cgroupID: UInt64
  public let policy: String

  public init(identity: ContainerIdentity, cgroup: String, cgroupID: UInt64, policy: String) {
    (self.identity, self.cgroup, self.cgroupID, self.policy) = (identity, cgroup, cgroupID, policy)
  }

  static func path(_ identity: ContainerIdentity) -> String { "\(directory)/\(identity.fileName).json" }

  func write() throws(Failure) {
    try makeDirectory(AttachedContainer.directory)
    let members: [(key: String, value: JSON)] = [
      ("id", .string(identity.id)), ("name", .string(identity.name)), ("pod", .string(identity.pod)),
      ("namespace", .string(identity.namespace)), ("cgroup", .string(cgroup)), ("cgroup_id", .integer(Int64(cgroupID))),
      ("policy", .string(policy)),
    ]
    try replaceFile(AttachedContainer.path(identity), with: JSON.object(members).encoded() + [UInt8(ascii: "\n")])
  }

  @discardableResult
  static func remove(_ identity: ContainerIdentity) -> Bool { unlink(path(identity)) == 0 }

  /// All identity files that can be read.
  public static func all() -> [AttachedContainer] {
    (namesInDirectory(directory) ?? []).filter { $0.hasSuffix(".json") }.compactMap { name in
      guard let bytes = contents(of: "\(directory)/\(name)"), let json = try? JSON(parsing: bytes),
        let id = json["id"]?.string,
        let identity = ContainerIdentity(
          id: id, name: json["name"]?.string ?? "", pod: json["pod"]?.string ?? "",
          namespace: json["namespace"]?.string ?? ""),
        let cgroupID = json["cgroup_id"]?.integer
      else { return nil }
      return AttachedContainer(
        identity: identity, cgroup: json["cgroup"]?.string ?? "", cgroupID: UInt64(cgroupID),
        policy: json["policy"]?.string ?? "")
    }
  }
}

extension AttachedContainer {
  /// The id of the cgroup that the kernel says its pinned link is on; 0: none.
  public var linkedCgroupID: UInt64 {
    guard let link = PolicyLink(pinned: Pins.link(of: identity)), let info = link.info else { return 0 }
    return info.cgroupID
  }

  public var isAttached: Bool { linkedCgroupID == cgroupID }

  /// Removes pins and identity files of containers whose cgroup is gone: their poststop has not come, or came to nothing.
  /// One that is just being attached has its cgroup, and is left alone.
  ///
  /// - Returns: how many containers there was something of.
  public static func removeLeftovers() -> Int {
    var gone = Set<String>()
    for container in all() where !Cgroup.exists(path: container.cgroup, id: container.cgroupID) {
      gone.insert(container.identity.fileName)
    }
    for name in namesInDirectory(Pins.links) ?? [] {
      if let link = PolicyLink(pinned: "\(Pins.links)/\(name)"), link.info?.cgroupID == 0 { gone.insert(name) }
    }
    for name in gone {
      Pins.remove("\(Pins.links)/\(name)")
      unlink("\(directory)/\(name).json")
    }
    removeTemporaryFiles(in: directory)
    return gone.count
  }
}
