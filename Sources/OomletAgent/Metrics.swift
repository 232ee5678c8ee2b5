internal import OomletJournal
internal import OomletMetrics

/// The metrics that there are. Labels come from closed sets: no container, pod or process.
enum Metrics {
  static let kills = "oomlet_kills_total"
  static let decisions = "oomlet_decision_seconds"
  static let recordsLost = "oomlet_kill_records_lost_total"
  static let ringWaiting = "oomlet_kill_records_waiting_bytes"
  static let ringSize = "oomlet_kill_records_ring_bytes"
  static let journalFailures = "oomlet_journal_write_failures_total"
  static let rotations = "oomlet_journal_rotations_total"
  static let attached = "oomlet_attached_containers"
  static let watched = "oomlet_pressure_limits"
  static let above = "oomlet_pressure_limits_exceeded"
  static let stalls = "oomlet_system_pressure_ratio"
  static let stallLimit = "oomlet_system_pressure_limit_ratio"
  static let relief = "oomlet_relief_total"
  static let reliefFreed = "oomlet_relief_freed_bytes_total"
  static let degraded = "oomlet_degraded"
  static let kernelSupport = "oomlet_kernel_support"
  static let reloadSuccess = "oomlet_config_reload_successful"
  static let reloadTime = "oomlet_config_last_reload_success_timestamp_seconds"
  static let build = "oomlet_build_info"
  static let memory = "process_resident_memory_bytes"
  static let descriptors = "process_open_fds"

  static let families: [MetricFamily] = [
    .init(kills, .counter, "Decisions on this node, of all its time: what became of each is the outcome."),
    .init(decisions, .histogram(bounds: JournalTotals.decisionBounds), "Time in the kernel until a victim was known."),
    .init(recordsLost, .counter, "Decisions without a record, because the ring buffer was full; since the programs were loaded."),
    .init(ringWaiting, .gauge, "What waits in the ring buffer to be written to the journal."),
    .init(ringSize, .gauge, "Size of the ring buffer."),
    .init(journalFailures, .counter, "Attempts to write to the journal that failed; the record waits in the ring buffer."),
    .init(rotations, .counter, "Journal files put aside."),
    .init(attached, .gauge, "Containers that have a policy, as the kernel says."),
    .init(watched, .gauge, "Cgroups whose stalls have a limit: containers, and what the configuration names."),
    .init(above, .gauge, "Those of them that are above it now."),
    .init(stalls, .gauge, "Share of the last 10 s in which some, or all, tasks of the node stalled for want of memory (PSI)."),
    .init(stallLimit, .gauge, "Share of the time from which on stalls of the node are an OOM; 0 if there is no limit."),
    .init(relief, .counter, "Stages of relief that have been carried out: what each came to is the outcome."),
    .init(reliefFreed, .counter, "What they have freed, at least."),
    .init(degraded, .gauge, "Whether oomlet does less than it should, for that reason."),
    .init(kernelSupport, .gauge, "Whether the kernel has it."),
    .init(reloadSuccess, .gauge, "Whether the configuration was valid when it was last read."),
    .init(reloadTime, .gauge, "When a valid configuration was last read."),
    .init(build, .gauge, "Always 1; the version is a label."),
    .init(memory, .gauge, "Resident memory of the agent."),
    .init(descriptors, .gauge, "Open file descriptors of the agent."),
  ]
}
