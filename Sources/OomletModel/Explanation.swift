extension KillRecord {
  /// Why this victim, in a few words.
  public var why: String {
    let processes = candidates == 1 ? "the only process" : "of \(candidates) processes"
    let place = "in container \(containerName)"
    switch outcome {
    case .stoodAside: return "no process \(place) may be killed: left to the kernel"
    case .failed: return "the kernel refused to kill the victim (errno \(errorNumber)): left to the kernel"
    case .killed, .dryRun:
      guard candidates > 1 else { return "\(processes) \(place)" }
      switch policy {
      case "largest-rss": return "largest resident memory \(processes) \(place)"
      case "youngest": return "started last \(processes) \(place)"
      default: return "first choice of policy \(policy) \(processes) \(place)"
      }
    }
  }

  /// The record as one sentence.
  public var sentence: String {
    let limitText = limit.map { " of \(binarySize($0))" } ?? ""
    let cause =
      switch trigger {
      case .limit: "\(level) \(containerName) reached its limit\(limitText)"
      case .system: "the node ran out of memory"
      case .pressure: "memory pressure in \(containerName)"
      }
    guard let victim else { return "\(cause); policy \(policy) stood aside: \(why)." }
    let process = "\(printable(victim.comm)) (pid \(victim.pid), \(binarySize(victim.memory.rss)) resident)"
    let verb =
      switch outcome {
      case .killed: "killed"
      case .dryRun: "would have killed"
      case .stoodAside: "spared"
      case .failed: "failed to kill"
      }
    return "\(cause); policy \(policy) \(verb) \(process): \(why)."
  }

  /// What people call the container: `pod/name`, name, or the id's beginning.
  public var containerName: String {
    let name = container.name.isEmpty ? String(container.id.prefix(24)) : container.name
    return printable(container.pod.isEmpty ? name : "\(container.pod)/\(name)")
  }
}

/// Bytes in the largest binary unit that leaves at least 1, with one digit after the point below 10: `1.5Gi`, `256Mi`.
public func binarySize(_ bytes: UInt64) -> String {
  var unit = ""
  var divisor: UInt64 = 1
  for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] where bytes / divisor >= 1024 {
    unit = next
    divisor *= 1024
  }
  let tenths = (Double(bytes) / Double(divisor) * 10).rounded()
  let whole = UInt64(tenths) / 10
  let digit = UInt64(tenths) % 10
  return whole < 10 && digit != 0 ? "\(whole).\(digit)\(unit)" : "\(UInt64((Double(bytes) / Double(divisor)).rounded()))\(unit)"
}
