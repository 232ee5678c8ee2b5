internal import OomletModel
public import OomletSystem

/// Where the log goes: an event is a line, and printable, whatever names are in it.
public struct LogLines: TextOutputStream, Sendable {
  private let sink: @Sendable (String) -> Void

  public init(sink: @escaping @Sendable (String) -> Void = { printError($0) }) { self.sink = sink }

  /// - Parameter text: an event, with a line end.
  public mutating func write(_ text: String) {
    let line = text.unicodeScalars.last == "\n" ? String(text.unicodeScalars.dropLast()) : text
    sink(printable(line, limit: 8000) + "\n")
  }
}
