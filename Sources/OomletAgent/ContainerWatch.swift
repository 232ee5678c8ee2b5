internal import Glibc
internal import OomletAttach
internal import OomletModel
internal import OomletSystem

/// Knows the containers that have a policy, as they come and go, and keeps memory.oom.group as their policies need it:
/// `runc update` and in-place resizes write the runtime's value back.
final class ContainerWatch {
  private let inotify: Inotify
  private let directory: CInt?
  private var containers: [String: (container: AttachedContainer, watches: [CInt])] = [:]
  private var fileOfWatch: [CInt: String] = [:]
  private let repaired: (AttachedContainer, [String]) -> Void

  /// - Parameter repaired: called with the cgroups whose memory.oom.group has been set again.
  init(repaired: @escaping (AttachedContainer, [String]) -> Void) throws(Failure) {
    self.repaired = repaired
    inotify = try Inotify()
    try makeDirectory(AttachedContainer.directory)
    directory = inotify.watch(directory: AttachedContainer.directory)
    refresh()
  }

  var pollDescriptor: CInt { inotify.fd.raw }

  /// How many have their policy, as the kernel says.
  var attachedCount: Int { containers.values.count { $0.container.isAttached } }

  /// Takes in what has happened.
  func handleEvents() {
    for event in inotify.read() {
      if event.overflow { return refresh() }
      if event.watch == directory {
        update(event.name)
      } else if event.ended {
        fileOfWatch[event.watch] = nil
      } else if let name = fileOfWatch[event.watch] {
        repair(name)
      }
    }
  }

  private func refresh() {
    let names = AttachedContainer.fileNames
    for name in containers.keys where !names.contains(name) { forget(name) }
    for name in names { update(name) }
  }

  private func update(_ name: String) {
    guard name.hasSuffix(".json") else { return }
    guard let container = AttachedContainer(fileNamed: name) else { return forget(name) }
    let watches = OOMGroup.files(of: container.cgroup).compactMap { inotify.watch(file: $0) }
    for watch in watches { fileOfWatch[watch] = name }
    containers[name] = (container, watches)
    repair(name)
  }

  private func forget(_ name: String) {
    for watch in containers.removeValue(forKey: name)?.watches ?? [] {
      inotify.remove(watch)
      fileOfWatch[watch] = nil
    }
  }

  private func repair(_ name: String) {
    guard let container = containers[name]?.container else { return }
    let paths = OOMGroup.repair(container.cgroup, for: container.kill)
    if !paths.isEmpty { repaired(container, paths) }
  }
}
