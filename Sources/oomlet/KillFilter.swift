import ArgumentParser
import OomletModel

/// Which kills to show.
struct KillFilter: ParsableArguments {
  @Option(help: ArgumentHelp("Those of the last so much time, such as 90s, 15m or 1h.", valueName: "duration"))
  var since: String?

  @Option(
    help: ArgumentHelp(
      "Those in this container: its name, its id, or the first 12 or more characters of that.", valueName: "container"))
  var container: String?

  @Option(help: ArgumentHelp("Those in this pod.", valueName: "pod"))
  var pod: String?

  @Option(help: ArgumentHelp("Those in this Kubernetes namespace.", valueName: "namespace"))
  var namespace: String?

  func validate() throws {
    if let since, Quantity.duration(since) == nil {
      let unit =
        since.utf8.allSatisfy { (48...57).contains($0) } && !since.isEmpty ? "; did you mean \(quoted(since + "s"))?" : ""
      throw ValidationError("--since \(quoted(since)): expected \(Quantity.durationForm)\(unit)")
    }
    for (name, value) in [("container", container), ("pod", pod), ("namespace", namespace)] where value == "" {
      throw ValidationError("--\(name) \"\": expected a name")
    }
  }

  /// - Parameter now: in ns since the epoch.
  func matcher(now: Int64) -> (KillRecord) -> Bool {
    let since = since.flatMap(Quantity.duration).map { now &- Int64(clamping: $0) }
    return { record in
      if let since, record.time < since { return false }
      if let pod, record.container.pod != pod { return false }
      if let namespace, record.container.namespace != namespace { return false }
      guard let container else { return true }
      let id = record.container.id
      return record.container.name == container || id == container || container.utf8.count >= 12 && id.hasPrefix(container)
    }
  }
}

/// The names that the journal has, for the one that was meant. Not more of them than anybody could mean.
struct SeenNames {
  private var containers: Set<String> = []
  private var pods: Set<String> = []
  private var namespaces: Set<String> = []

  mutating func add(_ records: [KillRecord]) {
    guard containers.count + pods.count + namespaces.count < 10_000 else { return }
    for container in records.map(\.container) {
      containers.formUnion([container.name, container.id])
      pods.insert(container.pod)
      namespaces.insert(container.namespace)
    }
  }

  /// For a filter that names what there is not.
  func hint(for filter: KillFilter) -> String? {
    for (value, names) in [(filter.container, containers), (filter.pod, pods), (filter.namespace, namespaces)] {
      guard let value, !names.contains(value) else { continue }
      if let nearest = nearestSpelling(to: value, among: names.filter { !$0.isEmpty }.sorted()) {
        return "; did you mean \(quoted(nearest))?"
      }
    }
    return nil
  }
}
