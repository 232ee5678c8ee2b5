internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
internal import OomletSystem

/// What would be decided now, by the very code that decides.
public struct Explanation: Sendable {
  /// A process that could be chosen.
  public struct Candidate: Sendable {
    public let process: KillRecord.Process
    public let `class`: KillRecord.Class
    /// The victim rule's measure: bytes, or for youngest and oldest a time.
    public let score: UInt64
  }

  /// As if it had happened; the outcome is dry-run, or stood-aside.
  public let record: KillRecord
  /// Of the container that was asked for, who dies first at the top; at most ``OOMLET_EXPLAINED``.
  public let candidates: [Candidate]
  /// The cgroup whose container would give way; 0: none.
  public let containerCgroupID: UInt64

  /// - Parameters:
  ///   - cgroup: the id of the cgroup that is supposed to be out of memory; 1: the system.
  ///   - container: the id of the cgroup whose candidates to list; 0: nobody's.
  ///   - byPressure: its tasks stall for want of memory, so that who causes that comes first.
  /// - Throws: ``ExitStatus/notFound``, ``ExitStatus/failed``. The caller holds the lock.
  public init(outOfMemory cgroup: UInt64, listing container: UInt64, byPressure: Bool = false) throws(Failure) {
    guard let program = Pins.open(Programs.explainPin) else { throw failure("cannot open \(Programs.explainPin)") }
    var question = oomlet_question(
      cgroup_id: cgroup, container_cgroup_id: container, by_pressure: byPressure ? 1 : 0, reserved: 0, error: 0, explained: 0)
    var options = bpf_test_run_opts()
    options.sz = MemoryLayout<bpf_test_run_opts>.size
    let ran = withUnsafeMutableBytes(of: &question) { context in
      options.ctx_in = UnsafeRawPointer(context.baseAddress!)
      options.ctx_size_in = UInt32(context.count)
      return bpf_prog_test_run_opts(program.raw, &options)
    }
    guard ran == 0 else { throw failure("cannot run \(Programs.explainPin)") }
    guard question.error == 0 else { throw Failure(.notFound, "there is no cgroup with id \(cgroup)") }
    guard let map = Pins.open("\(Pins.maps)/explanation") else { throw failure("cannot open map explanation") }
    var key: UInt32 = 0
    var raw = oomlet_record()
    guard bpf_map_lookup_elem(map.raw, &key, &raw) == 0, let record = KillRecord(raw, bootID: "") else {
      throw failure("cannot read map explanation")
    }
    self.record = record
    containerCgroupID = raw.container_cgroup_id
    candidates = try Explanation.candidates(count: min(question.explained, UInt32(OOMLET_EXPLAINED)))
  }

  private static func candidates(count: UInt32) throws(Failure) -> [Candidate] {
    guard let map = Pins.open("\(Pins.maps)/explained") else { throw failure("cannot open map explained") }
    let epoch = Int64(clockNanoseconds(CLOCK_REALTIME)) - Int64(clockNanoseconds(CLOCK_BOOTTIME))
    var all: [oomlet_candidate] = []
    for i in 0..<count {
      var key = i
      var raw = oomlet_candidate()
      guard bpf_map_lookup_elem(map.raw, &key, &raw) == 0 else { throw failure("cannot read map explained") }
      all.append(raw)
    }
    // As rank_before() does
    func key(_ c: oomlet_rank) -> (UInt64, UInt64, UInt64, UInt64, UInt32) {
      (c.class_, c.score, c.size_bytes, c.start_boottime_ns, c.tgid)
    }
    return all.sorted { key($0.rank) > key($1.rank) }.compactMap { raw in
      guard let process = KillRecord.Process(raw.process, epoch: epoch), let kind = KillRecord.Class(raw: raw.rank.class_)
      else { return nil }
      return Candidate(process: process, class: kind, score: raw.rank.score)
    }
  }
}
