internal import OomletBPF
public import OomletModel
public import OomletOCI
internal import OomletSystem

extension Attacher {
  /// A container as its runtime describes it.
  public struct Container: Sendable {
    public let identity: ContainerIdentity
    public let annotations: ContainerAnnotations
    /// Of its first process.
    let life: ContainerLife
    /// process.oomScoreAdj of its configuration, or nil.
    let oomScoreAdj: Int?
    /// "": not known.
    let bundle: String
    let place: Placement

    var pid: Int { life.pid }

    /// One that is running.
    ///
    /// - Parameter cgroup: what its runtime made for it; its first process may be further down.
    init(
      identity: ContainerIdentity, annotations: ContainerAnnotations, life: ContainerLife, oomScoreAdj: Int?, bundle: String,
      cgroup: String
    ) {
      (self.identity, self.annotations, self.life) = (identity, annotations, life)
      (self.oomScoreAdj, self.bundle) = (oomScoreAdj, bundle)
      place = Placement(cgroup: cgroup, annotations: annotations)
    }

    /// One that is starting: its first process has been put where it belongs, and has run nothing yet.
    ///
    /// - Parameter pid: in this process's PID namespace; nil: its runtime has not said it.
    /// - Throws: ``ExitStatus/notFound``, ``ExitStatus/unsupported``.
    public init(
      starting pid: Int?, identity: ContainerIdentity, annotations: ContainerAnnotations, oomScoreAdj: Int?, bundle: String
    ) throws(Failure) {
      guard let pid else {
        throw Failure(.notFound, "the container's state has no \"pid\": there is no process whose cgroup could get a policy")
      }
      let cgroup = try Cgroup.path(ofProcess: pid)
      guard let life = ContainerLife(of: pid) else { throw Container.isGone(pid) }
      self.init(
        identity: identity, annotations: annotations, life: life, oomScoreAdj: oomScoreAdj, bundle: bundle, cgroup: cgroup)
    }

    /// What is attached to its cgroup for it, or nil.
    public var attached: AttachedContainer? {
      guard let id = Cgroup.id(ofPath: place.container), let attached = AttachedContainer(id: identity.id, on: id),
        attached.isAttached
      else { return nil }
      return attached
    }

    /// To be asked under a lock: the number of its process, and its cgroup, may be another's by now.
    func checkItRuns() throws(Failure) { if life.isOver { throw Container.isGone(pid) } }

    static func isGone(_ pid: Int) -> Failure {
      Failure(.notFound, "process \(pid) is gone: the container ended before its policy was attached")
    }
  }
}
