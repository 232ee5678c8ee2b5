internal import Glibc
internal import OomletBPF
internal import OomletModel
internal import OomletSystem

extension AttachedContainer {
  /// Removes pins and identity files of containers whose cgroup is gone: their poststop has not come, or came to nothing.
  /// One that is just being attached has its cgroup, and is left alone.
  ///
  /// - Returns: how many containers there was something of.
  public static func removeLeftovers() -> Int {
    var gone: [String: PodCgroup?] = [:]
    for container in all() where !Cgroup.exists(path: container.cgroup, id: container.cgroupID) {
      gone.updateValue(container.pod, forKey: container.identity.fileName)
    }
    for name in namesInDirectory(Pins.links) ?? [] where gone[name] == nil && isDefunct("\(Pins.links)/\(name)") {
      gone.updateValue(nil, forKey: name)
    }
    // The next look comes if somebody else has the lock for long
    let attacher = Attacher(deadline: monotonicNanoseconds() + 100_000_000)
    for (name, pod) in gone {
      if isDefunct("\(Pins.links)/\(name)") { Pins.remove("\(Pins.links)/\(name)") }
      try? attacher.leave(pod) {
        // A container of the same id may have come meanwhile
        if let now = AttachedContainer(fileNamed: "\(name).json"), Cgroup.exists(path: now.cgroup, id: now.cgroupID) { return }
        unlink("\(directory)/\(name).json")
      }
    }
    for name in namesInDirectory(Pins.pods) ?? [] where isDefunct("\(Pins.pods)/\(name)") { Pins.remove("\(Pins.pods)/\(name)") }
    removeTemporaryFiles(in: directory)
    return gone.count
  }

  private static func isDefunct(_ pin: String) -> Bool { PolicyLink(pinned: pin)?.info?.cgroupID == 0 }
}
