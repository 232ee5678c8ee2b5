import ArgumentParser
import OomletAttach
import OomletBPF
import OomletModel
import OomletSystem

struct CleanupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cleanup",
    abstract: "Remove what is left of containers and versions that are gone.",
    discussion: """
      Pins and identity files of containers that have ended, which the agent removes by itself; and what other versions \
      of oomlet have loaded, unless a policy of theirs is in force.

      Exit status: 0 done or nothing to do, 1 failed, 5 policies of another version are in force, 6 not permitted.
      """)

  func run() throws {
    try Pins.check()
    let containers = Leftovers.remove()
    try printOut("removed what was left of \(count(containers, "container"))\n")
    var kept: Failure?
    for version in OtherVersion.all() {
      do {
        try version.remove()
        try printOut("removed version \(version.name)\n")
      } catch { kept = error }
    }
    if let kept { throw kept }
  }
}
