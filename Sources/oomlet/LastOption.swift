import ArgumentParser

/// How many to show.
struct LastOption: ParsableArguments {
  @Option(name: [.customShort("n"), .long], help: ArgumentHelp("The last ones, so many.", valueName: "count"))
  var last: Int?

  func validate() throws {
    guard let last, last < 1 else { return }
    throw ValidationError("--last \(last): expected a whole number above 0")
  }
}
