internal import Glibc
internal import OomletAttach
internal import OomletBPF
internal import OomletModel
internal import OomletSystem

/// Knows the containers that have a policy, as they come and go, and keeps memory.oom.group as their policies need it:
/// `runc update` and in-place resizes write the runtime's value back.
final class ContainerWatch {
  private let inotify: Inotify
  private let directory: CInt?
  private var containers: [String: (container: AttachedContainer, watches: [CInt], parent: CInt?)] = [:]
  private var fileOfWatch: [CInt: String] = [:]
  /// Of the directories that the containers' cgroups are in: how many containers each has. A cgroup itself does not tell of its end.
  private var parents: [CInt: Int] = [:]
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

  /// Those whose policy has stages before its OOM.
  var relieved: [AttachedContainer] { containers.values.lazy.map(\.container).filter { !$0.relief.isEmpty } }

  /// How many have their policy, as the kernel says.
  var attachedCount: Int { containers.values.count { $0.container.isAttached } }

  /// Of those that have a limit for it by their policy.
  var pressures: [Pressure] { containers.values.compactMap(\.container.pressure).filter { !$0.isByNode } }

  /// Takes in what has happened.
  func handleEvents() {
    for event in inotify.read() {
      if event.overflow { return refresh() }
      if event.watch == directory {
        update(event.name)
      } else if event.ended {
        fileOfWatch[event.watch] = nil
      } else if parents[event.watch] != nil {
        noteEnd()
      } else if let name = fileOfWatch[event.watch] {
        repair(name)
      }
    }
  }

  /// When to ask ``hasLeftovers(now:)``; in ns of CLOCK_MONOTONIC, nil: no cgroup is gone.
  private(set) var deadline: UInt64?

  /// Whether the cgroups of some are gone, and no poststop has come for so long.
  func hasLeftovers(now: UInt64) -> Bool {
    guard let deadline, now >= deadline else { return false }
    let isGone = containers.values.contains { !Cgroup.exists(path: $0.container.cgroup, id: $0.container.cgroupID) }
    self.deadline = isGone ? now + 10 * ContainerWatch.grace : nil
    return isGone
  }

  private static let grace: UInt64 = 1_000_000_000

  private func noteEnd() { if deadline == nil { deadline = monotonicNanoseconds() + ContainerWatch.grace } }

  private func refresh() {
    let names = AttachedContainer.fileNames
    for name in containers.keys where !names.contains(name) { forget(name) }
    for name in names { update(name) }
  }

  private func update(_ name: String) {
    guard name.hasSuffix(".json") else { return }
    guard let container = AttachedContainer(fileNamed: name) else { return forget(name) }
    let watches = OOMGroup.files(of: container.cgroup).compactMap { inotify.watch(file: $0) }
    let parent = container.cgroup.lastIndex(of: "/").flatMap {
      inotify.watch(endsIn: Cgroup.mountPoint + container.cgroup[..<$0])
    }
    if let parent { parents[parent, default: 0] += 1 }
    // It may have gone before
    if !Cgroup.exists(path: container.cgroup, id: container.cgroupID) { noteEnd() }
    for watch in watches { fileOfWatch[watch] = name }
    if let old = containers.updateValue((container, watches, parent), forKey: name) { releaseParent(old.parent) }
    repair(name)
  }

  private func forget(_ name: String) {
    guard let container = containers.removeValue(forKey: name) else { return }
    for watch in container.watches {
      inotify.remove(watch)
      fileOfWatch[watch] = nil
    }
    releaseParent(container.parent)
  }

  private func releaseParent(_ watch: CInt?) {
    guard let watch, let count = parents[watch] else { return }
    parents[watch] = count == 1 ? nil : count - 1
    if count == 1 { inotify.remove(watch) }
  }

  private func repair(_ name: String) {
    guard let container = containers[name]?.container else { return }
    let paths = OOMGroup.repair(container.cgroup, for: container.kill)
    if !paths.isEmpty { repaired(container, paths) }
  }
}
