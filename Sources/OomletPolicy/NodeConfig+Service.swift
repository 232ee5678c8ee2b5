internal import OomletModel
internal import OomletYAML

// What is about the agent and not about who dies.
extension NodeConfig {
  /// A record and its header take some 3 KiB: the smallest ring holds one, the default 341.
  static let ringSizes: ClosedRange<UInt64> = 4096...(1 << 30)

  static let metricsKeys = ["address"]
  static let journalKeys = ["max-size", "max-age", "max-files", "sync"]
  static let kernelKeys = ["ring-size"]

  mutating func readMetrics(_ node: YAMLNode, _ reader: inout MappingReader) {
    let members = reader.members(node, keys: NodeConfig.metricsKeys, of: "metrics")
    guard let address = members["address"] else { return }
    if address.text == "none" || address.text == "" && address.scalarKind == .text {
      metricsAddress = nil
    } else if let text = reader.text(address, "metrics.address", expected: ListenAddress.form) {
      metricsAddress = ListenAddress(text)
      if metricsAddress == nil {
        reader.add(
          address.problem("metrics.address: \(address.shown): expected \(ListenAddress.form)\(NodeConfig.hint(forAddress: text))")
        )
      }
    }
  }

  /// What was most likely meant, if that is one.
  private static func hint(forAddress text: String) -> String {
    let candidates = [
      text.hasPrefix("/") ? "unix:\(text)" : nil, text.hasPrefix("unix://") ? "unix:\(text.dropFirst(7))" : nil,
      text.hasPrefix(":") ? "0.0.0.0\(text)" : nil, text.hasPrefix("localhost:") ? "127.0.0.1:\(text.dropFirst(10))" : nil,
      text.hasPrefix("http://") ? String(text.dropFirst(7).prefix { $0 != "/" }) : nil, "127.0.0.1:\(text)", "\(text):9644",
    ]
    return candidates.compactMap { $0 }.first { ListenAddress($0) != nil }.map { "; did you mean \(quoted($0))?" }
      ?? OomletModel.hint(for: text, among: ["none"])
  }

  mutating func readJournal(_ node: YAMLNode, _ reader: inout MappingReader) {
    let members = reader.members(node, keys: NodeConfig.journalKeys, of: "journal")
    if let node = members["max-size"] {
      journal.maxSize =
        reader.quantity(node, "journal.max-size", "\(Quantity.sizeForm), from 64Ki to 1Ti") {
          Quantity.size($0).flatMap { (1 << 16...1 << 40).contains($0) ? $0 : nil }
        } ?? journal.maxSize
    }
    if let node = members["max-age"] {
      journal.maxAge =
        reader.quantity(node, "journal.max-age", "\(Quantity.durationForm), from 1s to 87600h") {
          Quantity.duration($0).flatMap { (1_000_000_000...87_600 * 3_600_000_000_000).contains($0) ? $0 : nil }
        } ?? journal.maxAge
    }
    if let node = members["max-files"], let count = reader.integer(node, "journal.max-files", 0...1000) {
      journal.maxFiles = Int(count)
    }
    guard let node = members["sync"] else { return }
    switch node.text {
    case "always"?: journal.sync = .always
    case "never"?: journal.sync = .never
    default:
      let expected = "always, never, or how late it may be: \(Quantity.durationForm), from 10ms to 1h"
      let misspelt = node.text.map { OomletModel.hint(for: $0, among: ["always", "never"]) } ?? ""
      let interval = reader.quantity(node, "journal.sync", expected + misspelt) {
        Quantity.duration($0).flatMap { (10_000_000...3_600_000_000_000).contains($0) ? $0 : nil }
      }
      if let interval { journal.sync = .interval(interval) }
    }
  }

  mutating func readKernel(_ node: YAMLNode, _ reader: inout MappingReader) {
    let members = reader.members(node, keys: NodeConfig.kernelKeys, of: "kernel")
    guard let node = members["ring-size"] else { return }
    let range = NodeConfig.ringSizes
    let size = reader.quantity(node, "kernel.ring-size", Quantity.sizeForm, Quantity.size)
    guard let size else { return }
    if range.contains(size), size.nonzeroBitCount == 1 {
      ringSize = UInt32(size)
    } else {
      // The next power of two that is large enough
      let next = size <= range.lowerBound ? range.lowerBound : min(1 << (64 - (size - 1).leadingZeroBitCount), range.upperBound)
      let shown = next >= 1 << 20 ? "\(next >> 20)Mi" : "\(next >> 10)Ki"
      reader.add(
        node.problem("kernel.ring-size: \(node.shown): expected a power of two from 4Ki to 1Gi; did you mean \"\(shown)\"?"))
    }
  }
}
