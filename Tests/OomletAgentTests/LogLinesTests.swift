import Logging
import Synchronization
import Testing

@testable import OomletAgent

@Suite struct LogLinesTests {
  @Test func `an event is a printable line, whatever names are in it`() {
    let written = Mutex("")
    let logger = Logger(label: "oomlet") {
      StreamLogHandler(label: $0, stream: LogLines { text in written.withLock { $0 += text } })
    }
    logger.notice("container \u{1b}[2J\r\nx: set again", metadata: ["cgroups": "/a\n\u{9b}1m"])
    let text = written.withLock { $0 }
    #expect(text.unicodeScalars.count { $0 == "\n" } == 1 && text.unicodeScalars.last == "\n")
    #expect(text.unicodeScalars.dropLast().allSatisfy { $0.isPrintable })
    #expect(text.contains("container \\u{1b}[2J\\u{d}\\u{a}x: set again") && text.contains("/a\\u{a}\\u{9b}1m"))
  }
}
