internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
internal import OomletSystem

/// The reading end of the ring buffer. One process at a time: the position of the reader is the kernel's.
public final class RecordRing {
  private var ring: OpaquePointer?
  private let map: OwnedFD
  /// How far it has been read, in bytes: the first page of the map, which the kernel shares with the reader.
  private let position: UnsafeMutablePointer<UInt>
  private let sink: (KillRecord) -> Bool
  private let bootID: String

  /// - Parameter sink: false to leave this record and those after it in the ring.
  public init(sink: @escaping (KillRecord) -> Bool) throws(Failure) {
    guard let map = Pins.open("\(Pins.maps)/records") else { throw failure("cannot open map records") }
    let page = mmap(nil, Int(getpagesize()), PROT_READ | PROT_WRITE, MAP_SHARED, map.raw, 0)
    guard let page, page != MAP_FAILED else { throw failure("cannot map the ring buffer") }
    position = page.assumingMemoryBound(to: UInt.self)
    self.map = map
    self.sink = sink
    let boot = contents(of: "/proc/sys/kernel/random/boot_id") ?? []
    bootID = String(decoding: boot.filter { $0 > 32 }, as: UTF8.self)
    ring = ring_buffer__new(
      self.map.raw,
      { context, data, size in
        let ring = Unmanaged<RecordRing>.fromOpaque(context!).takeUnretainedValue()
        return ring.receive(UnsafeRawBufferPointer(start: data, count: size)) ? 0 : -EAGAIN
      }, Unmanaged.passUnretained(self).toOpaque(), nil)
    guard ring != nil else { throw failure("cannot read the ring buffer") }
  }

  deinit {
    ring_buffer__free(ring)
    munmap(position, Int(getpagesize()))
  }

  /// For poll(2): readable when there are records.
  public var pollDescriptor: CInt { ring_buffer__epoll_fd(ring) }

  /// Hands what is there to the sink.
  ///
  /// - Returns: how many it took.
  @discardableResult
  public func drain() -> Int {
    taken = 0
    refusedAt = nil
    ring_buffer__consume(ring)
    // libbpf steps over a record whose callback failed, too
    if let refusedAt { position.pointee = refusedAt }
    return taken
  }

  private var taken = 0
  private var refusedAt: UInt?

  private func receive(_ data: UnsafeRawBufferPointer) -> Bool {
    guard data.count >= MemoryLayout<oomlet_record>.size else { return true }
    let raw = data.loadUnaligned(as: oomlet_record.self)
    guard let record = KillRecord(raw, bootID: bootID) else { return true }
    guard sink(record) else {
      refusedAt = position.pointee
      return false
    }
    taken += 1
    return true
  }
}

extension KillRecord {
  init?(_ raw: oomlet_record, bootID: String) {
    guard raw.abi_version == OOMLET_ABI_VERSION, let trigger = Trigger(raw.trigger), let level = Level(raw.level),
      let outcome = Outcome(raw.outcome)
    else { return nil }
    let epoch = Int64(clockNanoseconds(CLOCK_REALTIME)) - Int64(clockNanoseconds(CLOCK_BOOTTIME))
    self.init(
      time: epoch + Int64(raw.boottime_ns), bootTime: raw.boottime_ns, bootID: bootID, trigger: trigger, level: level,
      policy: text(raw.policy), outcome: outcome, errorNumber: -raw.error,
      container: Container(
        id: text(raw.container.id), name: text(raw.container.name), pod: text(raw.container.pod),
        namespace: text(raw.container.pod_namespace), cgroup: text(raw.container_cgroup)),
      limitCgroup: text(raw.limit_cgroup), victim: Process(raw.victim, epoch: epoch),
      runnerUp: Process(raw.runner_up, epoch: epoch), candidates: raw.candidates, usage: raw.usage_bytes,
      limit: raw.limit_bytes == .max ? nil : raw.limit_bytes, decisionNanoseconds: raw.decision_ns)
  }
}

extension KillRecord.Process {
  init?(_ raw: oomlet_process, epoch: Int64) {
    guard raw.tgid != 0 else { return nil }
    self.init(
      pid: raw.tgid, comm: text(raw.comm), uid: raw.uid, oomScoreAdj: raw.oom_score_adj,
      startTime: epoch + Int64(raw.start_boottime_ns),
      memory: KillRecord.Memory(
        anon: raw.memory.anon_bytes, file: raw.memory.file_bytes, shmem: raw.memory.shmem_bytes,
        swap: raw.memory.swap_bytes, pageTables: raw.memory.pgtables_bytes))
  }
}

extension KillRecord.Trigger {
  fileprivate init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_TRIGGER_LIMIT.rawValue: self = .limit
    case OOMLET_TRIGGER_SYSTEM.rawValue: self = .system
    case OOMLET_TRIGGER_PRESSURE.rawValue: self = .pressure
    default: return nil
    }
  }
}

extension KillRecord.Level {
  fileprivate init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_LEVEL_CONTAINER.rawValue: self = .container
    case OOMLET_LEVEL_POD.rawValue: self = .pod
    case OOMLET_LEVEL_SLICE.rawValue: self = .slice
    case OOMLET_LEVEL_SYSTEM.rawValue: self = .system
    default: return nil
    }
  }
}

extension KillRecord.Outcome {
  fileprivate init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_OUTCOME_KILLED.rawValue: self = .killed
    case OOMLET_OUTCOME_DRY_RUN.rawValue: self = .dryRun
    case OOMLET_OUTCOME_STOOD_ASIDE.rawValue: self = .stoodAside
    case OOMLET_OUTCOME_FAILED.rawValue: self = .failed
    default: return nil
    }
  }
}

/// Bytes up to the first NUL; what is no UTF-8 becomes U+FFFD.
private func text<T>(_ field: T) -> String {
  withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
