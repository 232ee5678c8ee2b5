internal import Glibc
internal import Logging
internal import OomletAttach
internal import OomletBPF
internal import OomletModel
internal import OomletPolicy
internal import OomletSystem

/// Carries out the node's configuration: the cgroups that are protected there, and the
/// policies of containers that no hook has been called for. What it has done stays without it.
final class NodePolicy {
  /// Of runtimes' state directories and pods' cgroups; of cgroups that the configuration names: their number may be a tenant's word.
  private let watch = PathWatch()
  private let namedWatch = PathWatch(limit: 4096)
  private let logger: Logger
  private var config = NodeConfig()
  /// By the directory that their runtime keeps of them.
  private var containers: [String: Attacher.Container] = [:]
  /// The cgroups whose stalls have a limit by a rule.
  private var limited: Set<String> = []
  /// What has been said of a container, so that it is said once.
  private var complaints: [String: [String]] = [:]

  /// In ns of CLOCK_MONOTONIC: when to look again at what is not watched.
  private var nextLook: UInt64 = 0

  init(logger: Logger) { self.logger = logger }

  /// For poll(2).
  var pollDescriptors: [CInt] { [watch.pollDescriptor, namedWatch.pollDescriptor] }

  /// Why it does not see all changes: then ``lookAgain(now:)`` from time to time.
  var problem: Failure? { watch.problem ?? namedWatch.problem }

  /// In at most a tenth of the time.
  func lookAgain(now: UInt64) {
    guard problem != nil, now >= nextLook else { return }
    // Of what is not watched nobody tells that it is gone
    limited = limited.filter { Cgroup.exists(path: $0) }
    lookAt(watch.lookAgain() + namedWatch.lookAgain())
    for directory in containers.keys where access(directory, F_OK) != 0 { lookAtContainer(directory) }
    let end = monotonicNanoseconds()
    nextLook = end + 10 * (end - now)
  }

  /// Makes the node as the configuration says: what is so already stays untouched, and what was so by an earlier one is
  /// taken back last. Containers keep what their annotations gave them.
  func apply(_ config: NodeConfig) {
    self.config = config
    lookAt(watch.watch(NodePolicy.kubepods + RunningContainers.directories + RunningContainers.files) + namedWatch.watch(named))
    takeBackOthers()
  }

  /// Of the cgroups that have a limit by a rule.
  var pressures: [Pressure] {
    limited.compactMap { path in
      guard let cgroup = try? Cgroup(path: path), let pressure = Pressure(of: cgroup), pressure.isByNode else { return nil }
      return pressure
    }
  }

  /// Takes in what has happened.
  func handleEvents() { lookAt(watch.changes() + namedWatch.changes()) }

  private var attacher: Attacher { Attacher(deadline: monotonicNanoseconds() + 10_000_000_000, isAgent: true) }

  private func lookAt(_ paths: [String]) {
    // Several files have changed of most containers
    var directories = Set<String>()
    for path in paths {
      if path.hasPrefix(Cgroup.mountPoint + "/") {
        lookAtCgroup(String(path.dropFirst(Cgroup.mountPoint.count)))
      } else if RunningContainers.directories.contains(where: { $0.matches(path) }) {
        directories.insert(path)
      } else if let end = path.lastIndex(of: "/") {
        directories.insert(String(path[..<end]))
      }
    }
    for directory in directories.sorted() { lookAtContainer(directory) }
  }

  // MARK: cgroups

  private static let kubepods = ["*kubepods*", "*kubepods*/*", "*/*kubepods*", "*/*kubepods*/*"].compactMap { try? PathGlob($0) }
    .map { $0.below(Cgroup.mountPoint) }

  private var named: [PathGlob] { (config.protect + config.cgroups.map(\.cgroup)).map { $0.below(Cgroup.mountPoint) } }

  private func lookAtCgroup(_ path: String) {
    guard Cgroup.exists(path: path) else {
      limited.remove(path)
      return
    }
    QoSSlices.mark(above: path)
    protect(path)
    watchPressure(path)
  }

  private func protect(_ path: String) {
    guard config.protect.contains(where: { $0.matches(path) }) else { return }
    do throws(Failure) {
      let cgroup = try Cgroup(path: path)
      guard !Mark.isOn(cgroup) else { return }
      try Mark.protect(cgroup)
      logger.info("protected: cgroup \(printable(path))")
    } catch {
      if error.status != .notFound { logger.warning("not protected: \(error)") }
    }
  }

  private func watchPressure(_ path: String) {
    guard let rule = config.cgroups.first(where: { $0.cgroup.matches(path) }) else { return }
    limited.insert(path)
    do throws(Failure) {
      let cgroup = try Cgroup(path: path)
      if let there = Pressure(of: cgroup) {
        guard there.isByNode, there.limit != rule.pressure || there.dryRun != rule.dryRun else { return }
      }
      try Pressure.setLimit(rule.pressure, dryRun: rule.dryRun, byNode: true, of: cgroup)
      logger.info("pressure of cgroup \(printable(path)): \(rule.pressure.summary)")
      if let problem = Node.pressureProblem(ofCgroup: path) { logger.warning("\(problem)") }
    } catch {
      if error.status != .notFound { logger.warning("its pressure has no limit: \(error)") }
    }
  }

  /// What an earlier configuration, maybe an earlier agent's, has asked for.
  private func takeBackOthers() {
    guard let root = try? Cgroup(path: "/") else { return }
    for path in root.descendants {
      guard let cgroup = try? Cgroup(path: path) else { continue }
      if Mark.isOn(cgroup), !config.protect.contains(where: { $0.matches(path) }) {
        Mark.remove(from: cgroup)
        logger.info("protected no more: cgroup \(printable(path))")
      }
      if Pressure(of: cgroup)?.isByNode == true, !config.cgroups.contains(where: { $0.cgroup.matches(path) }) {
        try? Pressure.setLimit(nil, byNode: true, of: cgroup)
        limited.remove(path)
        logger.info("pressure of cgroup \(printable(path)): no limit any more")
      }
    }
  }

  // MARK: containers

  private func lookAtContainer(_ directory: String) {
    do throws(Failure) {
      guard let container = try RunningContainers.container(in: directory) else { return try forget(directory) }
      containers[directory] = container
      complain(try attach(container).map { "container \(container.identity.id): \($0)" }, of: directory)
    } catch {
      guard error.status != .notFound else { return }
      complain(["container \(printable(directory)) gets no policy: \(error)"], of: directory)
    }
  }

  private func complain(_ complaints: [String], of directory: String) {
    guard self.complaints.updateValue(complaints, forKey: directory) != complaints else { return }
    for complaint in complaints { logger.warning("\(complaint)") }
  }

  /// - Returns: what the user should know.
  private func attach(_ container: Attacher.Container) throws(Failure) -> [String] {
    let id = container.identity.id
    let attached = container.attached
    if let attached, attached.rule == nil { return [] }
    let asked = try AskedPolicy(container.annotations)
    guard let choice = try PolicyChoice(of: container, asking: asked, on: config) else {
      if let attached {
        try attacher.remove(attached)
        logger.notice("container \(id): no rule gives it a policy any more")
      }
      if !container.annotations.isSandbox { try attacher.note(container) }
      return asked.warnings
    }
    let warnings = try attacher.attach(choice.request, to: container, rule: choice.rule)
    let source = choice.rule.map { "rule \($0)" } ?? "its annotation"
    if attached == nil || attached?.rule != choice.rule || attached?.policy != choice.request.victim.description {
      logger.info("container \(id): policy \(choice.request.victim) by \(source)")
    }
    return asked.warnings + choice.warnings + warnings
  }

  /// Where no hook is called at a container's start, none is at its end.
  private func forget(_ directory: String) throws(Failure) {
    complaints[directory] = nil
    guard let container = containers.removeValue(forKey: directory) else { return }
    try attacher.removeEnded(id: container.identity.id)
  }
}
