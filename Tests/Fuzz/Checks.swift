import OomletModel

/// Ends the program where something that always holds does not: the fuzzer then has a finding.
func check(_ holds: Bool, _ what: @autoclosure () -> String) {
  if !holds { fatalError(what()) }
}

/// What is shown to people is one line of bounded length with nothing that moves a cursor.
func checkShown(_ text: String, _ what: String) {
  check(!text.isEmpty && text.utf8.count < 1 << 14, "\(what) is empty or too long: \(text.utf8.count) bytes")
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      fatalError("\(what) has a raw U+\(String(scalar.value, radix: 16))")
    default: break
    }
  }
}

func checkShown(_ failure: Failure, _ allowed: ExitStatus) {
  check(failure.status == allowed, "exit status \(failure.status)")
  checkShown(failure.description, "a failure's description")
}

func bytes(_ data: UnsafePointer<UInt8>?, _ size: Int) -> [UInt8] { Array(UnsafeBufferPointer(start: data, count: size)) }
