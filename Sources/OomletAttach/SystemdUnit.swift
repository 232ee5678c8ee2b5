internal import OomletModel
internal import OomletSystem

extension AttachedContainer {
  /// What to say of units that systemd ends after a kill that was to be of a process alone.
  public static var endings: [String] {
    Set(all().filter { $0.kill == .process }.compactMap { SystemdUnit.ending(cgroup: $0.cgroup)?.warning }).sorted()
  }
}

/// What systemd does with a unit in which, or below which, the OOM killer has killed anything (OOMPolicy=; systemd.service(5),
/// systemd.scope(5)).
enum SystemdUnit {
  /// A unit that a container is in.
  struct Ending: Equatable {
    let unit: String
    let policy: String

    var warning: String {
      let remedy =
        unit.hasSuffix(".scope")
        ? "set annotation org.systemd.property.OOMPolicy to 'continue'"
        : "set OOMPolicy=continue in its section [Service] (of a quadlet, too)"
      return "systemd ends \(printable(unit)) after any OOM kill (OOMPolicy=\(printable(policy))): \(remedy)"
    }
  }

  /// Where unit files are: what comes first hides the others (systemd.unit(5)).
  private static let directories = [
    "etc/systemd/system", "run/systemd/transient", "run/systemd/system", "run/systemd/generator", "usr/local/lib/systemd/system",
    "usr/lib/systemd/system", "lib/systemd/system",
  ]

  /// The nearest unit above or of a cgroup that systemd ends, so that `kill: process` comes to nothing; nil: none, or not known.
  static func ending(cgroup path: String, root: String = "/") -> Ending? {
    let units = path.split(separator: "/").map(String.init).filter { $0.hasSuffix(".scope") || $0.hasSuffix(".service") }
    for unit in units.reversed() {
      guard let policy = oomPolicy(of: unit, root), policy == "kill" || policy == "stop" else { continue }
      return Ending(unit: unit, policy: policy)
    }
    return nil
  }

  private static func oomPolicy(of unit: String, _ root: String) -> String? {
    let names = [unit, template(of: unit)].compactMap(\.self)
    let places = directories.map { "\(root)/\($0)" }
    let file = names.lazy.flatMap { name in places.lazy.map { "\($0)/\(name)" } }.compactMap { contents(of: $0) }.first
    // Of drop-ins of one name, too, the first directory's counts; they are read by name
    var dropIns: [String: String] = [:]
    for directory in names.flatMap({ name in places.map { "\($0)/\(name).d" } }) {
      for name in namesInDirectory(directory) ?? [] where name.hasSuffix(".conf") && dropIns[name] == nil {
        dropIns[name] = "\(directory)/\(name)"
      }
    }
    guard file != nil || !dropIns.isEmpty else { return nil }
    var settings: [Substring: Substring] = [:]
    for text in [file].compactMap(\.self) + dropIns.sorted(by: { $0.key < $1.key }).compactMap({ contents(of: $0.value) }) {
      read(text, into: &settings)
    }
    if let policy = settings["OOMPolicy"], !policy.isEmpty { return String(policy) }
    // Who delegates leaves what is below to others. Of a scope the default is as its maker has it.
    let isDelegated = settings["Delegate"].map { !["no", "false", "off", "0", ""].contains($0) } ?? false
    guard unit.hasSuffix(".service"), !isDelegated else { return nil }
    let defaults = (namesInDirectory("\(root)/etc/systemd/system.conf.d") ?? []).map { "system.conf.d/\($0)" }
    for file in ["system.conf"] + defaults { read(contents(of: "\(root)/etc/systemd/\(file)") ?? [], into: &settings) }
    return settings["DefaultOOMPolicy"].map(String.init) ?? "stop"
  }

  private static func read(_ text: [UInt8], into settings: inout [Substring: Substring]) {
    for line in String(decoding: text, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !line.hasPrefix("#"), !line.hasPrefix(";") else { continue }
      settings[trimmed(parts[0])] = trimmed(parts[1])
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }

  /// `a@.service` of `a@b.service`.
  private static func template(of unit: String) -> String? {
    guard let at = unit.firstIndex(of: "@"), let dot = unit.lastIndex(of: "."), at < dot else { return nil }
    return String(unit[...at]) + String(unit[dot...])
  }
}
