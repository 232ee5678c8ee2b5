internal import Glibc
internal import OomletBPF
internal import OomletModel
internal import OomletSystem

/// What is left of containers whose cgroup is gone: their poststop has not come, or came to nothing.
public enum Leftovers {
  /// Removes pins and identity files. Of a container that is just being attached there is the cgroup, and it is left alone.
  ///
  /// - Returns: how many containers there was something of.
  @discardableResult
  public static func remove() -> Int {
    let pinned = Set(namesInDirectory(Pins.links) ?? [])
    var (gone, pods) = Attachment.defunctPins()
    // Most have a pin, and need not be read
    let files = AttachedContainer.fileNames.filter { !pinned.contains(cgroupID($0)) || gone.contains(cgroupID($0)) }
    let containers = files.compactMap(AttachedContainer.init(fileNamed:)).filter {
      !Cgroup.exists(path: $0.cgroup, id: $0.cgroupID)
    }
    // The next look comes if somebody else has a lock for long
    let attacher = Attacher(deadline: monotonicNanoseconds() + 100_000_000)
    for container in containers {
      try? attacher.remove(container)
      gone.insert(String(container.cgroupID))
    }
    for pin in gone.map({ "\(Pins.links)/\($0)" }) + pods.map({ "\(Pins.pods)/\($0)" }) { Pins.remove(pin) }
    removeTemporaryFiles(in: AttachedContainer.directory)
    return gone.count
  }

  private static func cgroupID(_ fileName: String) -> String {
    fileName.lastIndex(of: "@").map { String(fileName[fileName.index(after: $0)...].dropLast(".json".count)) } ?? ""
  }
}
