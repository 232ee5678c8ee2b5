internal import CLibbpf
internal import Glibc
internal import OomletModel

/// What libbpf complains of while it works on an object: which program, function or map, and the verifier's log. Objects are
/// loaded by one thread at a time.
enum LibbpfWords {
  /// The verifier's log is one text.
  nonisolated(unsafe) private static var texts: [String] = []

  /// From now on.
  static func listen() {
    texts = []
    libbpf_set_print { level, format, arguments in
      guard level == LIBBPF_WARN, let arguments, let text = clibbpf_text(format, arguments) else { return 0 }
      LibbpfWords.texts.append(String(cString: text))
      free(text)
      return 0
    }
  }

  /// A failure, and what was said since then.
  static func added(to failure: Failure) -> String {
    let words = summary(of: texts)
    return words.isEmpty ? failure.description : "\(failure.description); \(words)"
  }

  /// For people: what failed, and the verifier's last lines; "": nothing.
  static func summary(of texts: [String]) -> String {
    var complaints: [Substring] = []
    var log: [Substring] = []
    for text in texts {
      if text.contains("-- BEGIN PROG LOAD LOG --") {
        // Kernels from 7.2 on explain at length what these lines say already
        log = text.split(separator: "\n").prefix { !$0.hasPrefix("Verification failed") }.filter { line in
          !["libbpf: ", "-- ", "processed ", "verification time", "stack depth"].contains { line.hasPrefix($0) }
        }
      } else {
        complaints += text.split(separator: "\n").map { $0.hasPrefix("libbpf: ") ? $0.dropFirst("libbpf: ".count) : $0 }
      }
    }
    // libbpf says the same again of the object as a whole
    complaints.removeAll { $0.contains("failed to load: -") || $0.hasPrefix("failed to load object") }
    func lines(_ lines: some Sequence<Substring>) -> String {
      lines.map { printable(String($0), limit: 160) }.joined(separator: " | ")
    }
    return [
      complaints.isEmpty ? nil : lines(complaints.suffix(4)),
      log.isEmpty ? nil : "the verifier says: \(lines(log.suffix(4)))",
    ].compactMap(\.self).joined(separator: "; ")
  }

  /// Whether the kernel has looked at a program, or at what it needs, and refused that.
  static var hasRefusal: Bool {
    texts.contains { $0.contains("BPF program load failed") || $0.contains("extern ") || $0.contains("relo") }
  }
}
