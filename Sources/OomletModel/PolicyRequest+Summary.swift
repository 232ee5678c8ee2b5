extension PolicyRequest {
  /// What it means, for people: `largest-rss, kill process, protect init`. Defaults other than rule and scope are left out.
  public var summary: String {
    var parts = ["\(victim)", "kill \(kill.rawValue)"]
    if !protect.isEmpty { parts.append("protect " + list(protect)) }
    if !prefer.isEmpty { parts.append("prefer " + list(prefer)) }
    if minSize > 0 { parts.append("spare below \(binarySize(minSize))") }
    if let order, order != PolicyRequest.defaultOrder {
      parts.append("order \(order.map(\.rawValue).joined(separator: " then "))")
    }
    if priority != 0 { parts.append("priority \(priority)") }
    if let pressure { parts.append(pressure.summary) }
    if !relief.isEmpty { parts.append("before that " + relief.map(\.summary).joined(separator: ", then ")) }
    if dryRun { parts.append("dry run") }
    if require { parts.append("required") }
    return parts.joined(separator: ", ")
  }

  private func list(_ patterns: [ProcessPattern]) -> String { patterns.map { printable($0.description) }.joined(separator: " ") }
}

extension PressureRequest {
  /// `at full stall of 40% over 10s for 20s, then 60s of rest`
  public var summary: String {
    let available = availablePermille > 0 ? " while less than \(percentage(availablePermille)) of RAM is available" : ""
    return
      "at \(kind.rawValue) stall of \(percentage(permille)) over \(seconds(window)) for \(seconds(holdFor))\(available), "
      + "then \(seconds(cooldown)) of rest"
  }
}

/// Thousandths as people write them: `40%`, `12.5%`.
public func percentage(_ permille: UInt32) -> String { "\(permille / 10)\(permille % 10 == 0 ? "" : ".\(permille % 10)")%" }

/// `20s`, `500ms`.
public func seconds(_ nanoseconds: UInt64) -> String {
  nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000)s" : "\(nanoseconds / 1_000_000)ms"
}
