internal import Glibc
internal import OomletAttach
internal import OomletBPF
internal import OomletModel
internal import OomletSystem

/// Knows the containers that have a policy, as they come and go, and keeps memory.oom.group as their policies need it:
/// `runc update` and in-place resizes write the runtime's value back. One that writes it again and again is looked at less and
/// less often: its file may be its own.
final class ContainerWatch {
  private let inotify = Inotify()
  private var directory: CInt?
  private var containers: [String: (container: AttachedContainer, watches: [CInt], parent: CInt?)] = [:]
  private var fileOfWatch: [CInt: String] = [:]
  /// Of the directories that the containers' cgroups are in: how many containers each has. A cgroup itself does not tell of its end.
  private var parents: [CInt: Int] = [:]
  private let repaired: (AttachedContainer, [String]) -> Void
  /// Those that have been repaired and are not watched for a while: until when, and how long that is; in ns of CLOCK_MONOTONIC.
  private var resting: [String: (until: UInt64, pause: UInt64)] = [:]

  /// - Parameter repaired: called with the cgroups whose memory.oom.group has been set again.
  init(repaired: @escaping (AttachedContainer, [String]) -> Void) throws(Failure) {
    self.repaired = repaired
    try makeDirectory(AttachedContainer.directory)
    refresh()
  }

  var pollDescriptor: CInt { inotify.pollDescriptor }

  /// Why it does not see all changes.
  var problem: Failure? { inotify.problem }

  /// What may have changed unseen; from time to time.
  func lookAgain() {
    if inotify.problem != nil {
      inotify.tryAgain()
      refresh()
      noteEnd()
    } else {
      for name in crowded { repair(name) }
    }
  }

  /// Containers with more cgroups than are watched of one: how many it has is its own affair.
  private var crowded: Set<String> = []
  private static let watchesOfOne = 64

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

  /// When to call ``hasLeftovers(now:)``; in ns of CLOCK_MONOTONIC, nil: there is nothing to do.
  var deadline: UInt64? { [leftoversAt, resting.values.map(\.until).min()].compactMap(\.self).min() }

  /// nil: no cgroup is gone.
  private var leftoversAt: UInt64?

  /// Whether the cgroups of some are gone, and no poststop has come for so long. Looks at those that have rested, too.
  func hasLeftovers(now: UInt64) -> Bool {
    for (name, rest) in resting where now >= rest.until { watchAgain(name, after: rest.pause) }
    guard let leftoversAt, now >= leftoversAt else { return false }
    let isGone = containers.values.contains { !Cgroup.exists(path: $0.container.cgroup, id: $0.container.cgroupID) }
    self.leftoversAt = isGone ? now + 10 * ContainerWatch.grace : nil
    return isGone
  }

  private static let grace: UInt64 = 1_000_000_000

  private func noteEnd() { if leftoversAt == nil { leftoversAt = monotonicNanoseconds() + ContainerWatch.grace } }

  private func refresh() {
    directory = inotify.watch(directory: AttachedContainer.directory)
    let names = AttachedContainer.fileNames
    for name in containers.keys where !names.contains(name) { forget(name) }
    for name in names { update(name) }
  }

  private func update(_ name: String) {
    guard name.hasSuffix(".json") else { return }
    guard let container = AttachedContainer(fileNamed: name) else { return forget(name) }
    let watches = watchFiles(of: container, name)
    let parent = container.cgroup.lastIndex(of: "/").flatMap {
      inotify.watch(endsIn: Cgroup.mountPoint + container.cgroup[..<$0])
    }
    if let parent { parents[parent, default: 0] += 1 }
    // It may have gone before
    if !Cgroup.exists(path: container.cgroup, id: container.cgroupID) { noteEnd() }
    resting[name] = nil
    if let old = containers.updateValue((container, watches, parent), forKey: name) { releaseParent(old.parent) }
    repair(name)
  }

  private func forget(_ name: String) {
    guard let container = containers.removeValue(forKey: name) else { return }
    resting[name] = nil
    crowded.remove(name)
    unwatch(container.watches)
    releaseParent(container.parent)
  }

  private func watchFiles(of container: AttachedContainer, _ name: String) -> [CInt] {
    let files = OOMGroup.files(of: container.cgroup)
    if files.count > ContainerWatch.watchesOfOne { crowded.insert(name) } else { crowded.remove(name) }
    let watches = files.prefix(ContainerWatch.watchesOfOne).compactMap { inotify.watch(file: $0) }
    for watch in watches { fileOfWatch[watch] = name }
    return watches
  }

  private func unwatch(_ watches: [CInt]) {
    for watch in watches {
      inotify.remove(watch)
      fileOfWatch[watch] = nil
    }
  }

  private func releaseParent(_ watch: CInt?) {
    guard let watch, let count = parents[watch] else { return }
    parents[watch] = count == 1 ? nil : count - 1
    if count == 1 { inotify.remove(watch) }
  }

  private static let pauses: ClosedRange<UInt64> = 1_000_000_000...64_000_000_000

  /// - Parameter pause: how long it had rested until now, in ns; 0: it had not.
  private func repair(_ name: String, after pause: UInt64 = 0) {
    guard let (container, watches, _) = containers[name], resting[name] == nil else { return }
    let paths = OOMGroup.repair(container.cgroup, for: container.kill)
    guard !paths.isEmpty else { return }
    repaired(container, paths)
    unwatch(watches)
    containers[name]?.watches = []
    let next = min(max(2 * pause, ContainerWatch.pauses.lowerBound), ContainerWatch.pauses.upperBound)
    resting[name] = (monotonicNanoseconds() + next, next)
  }

  private func watchAgain(_ name: String, after pause: UInt64) {
    resting[name] = nil
    guard let container = containers[name]?.container else { return }
    containers[name]?.watches = watchFiles(of: container, name)
    repair(name, after: pause)
  }
}
