import Glibc
import OomletAttach
import OomletBPF
import OomletModel
import OomletOCI
import OomletPolicy
import OomletSystem

let start = monotonicNanoseconds()
keepStandardDescriptors()
// What nobody reads, or has no room, is an error of that write alone
signal(SIGPIPE, SIG_IGN)
signal(SIGXFSZ, SIG_IGN)

let usage = """
  Usage: oomlet-hook [--stage prestart|createRuntime|poststop] [--timeout SECONDS]

  OCI hook: reads the container's state on stdin, and attaches the OOM policy that its annotation
  "oom.policy" names to its memory cgroup, without annotation the one that the first matching rule of
  \(NodeConfig.path) gives; at poststop removes what that left behind. Without annotation and rule
  it does nothing. The annotation is a policy's name or a mapping, see oom.policy(7). Names:
  \(VictimRule.allCases.map(\.rawValue).joined(separator: ", ")),
  and the policies in \(CustomPolicy.directory).

    --stage STAGE      what to do; default: what the state's status implies
    --timeout SECONDS  the "timeout" of its entry: it gives up a second before (default: 5)
    --version          print the version
    -h, --help         print this

  Exit status: 0 done or nothing to do, 1 state unreadable, 2 usage, 3 annotation invalid, 7 container gone,
  124 no state in time. A kernel or node that can't attach the policy (an old kernel, no cgroup v2,
  no permission) and a cgroup with another policy are warnings, and the container starts without it, unless the
  annotation says "require: true": then 4, 5 and 6. Errors and warnings go to stderr and to /run/oomlet/hook.log.

  """

/// What is true of the node is in the log alone.
func log(_ message: String) {
  try? makeDirectory(Attacher.runDirectory)
  let line = Array("oomlet-hook: \(printable(message, limit: 4000))".utf8)
  try? BoundedLog("\(Attacher.runDirectory)/hook.log").append(line, maxSize: 256 << 10, once: true)
}

/// - Parameter logged: the same for the log, where it is once, however many containers it is true of; nil: no other.
func say(_ message: String, logged: String? = nil) {
  // First: not all runtimes show a hook's stderr, and nobody may read it
  log(logged ?? message)
  printError("oomlet-hook: \(printable(message, limit: 4000))\n")
}

/// What its entry's "args" say.
struct Arguments {
  var stage: String?
  /// In seconds.
  var timeout: UInt64 = 5

  /// When it gives up.
  var deadline: UInt64 { start + (timeout - 1) * 1_000_000_000 }
}

func arguments() throws(Failure) -> Arguments {
  var arguments = CommandLine.arguments.dropFirst()
  let stages = ["prestart", "createRuntime", "poststop"]
  var parsed = Arguments()
  while let argument = arguments.popFirst() {
    switch argument {
    case "-h", "--help":
      try writeOut(usage)
      exit(0)
    case "--version":
      try writeOut("oomlet-hook \(oomletVersion)\n")
      exit(0)
    case "--stage":
      let value = arguments.popFirst() ?? ""
      guard stages.contains(value) else {
        let hint = nearestSpelling(to: value, among: stages).map { "; did you mean \"\($0)\"?" } ?? ""
        throw Failure(.usage, "--stage \(quoted(value)): expected one of \(stages.joined(separator: ", "))\(hint)")
      }
      parsed.stage = value
    case "--timeout":
      let value = arguments.popFirst() ?? ""
      guard let seconds = UInt64(value), (2...3600).contains(seconds) else {
        throw Failure(.usage, "--timeout \(quoted(value)): expected whole seconds from 2 to 3600")
      }
      parsed.timeout = seconds
    default:
      let hint =
        nearestSpelling(to: argument, among: ["--stage", "--timeout", "--help", "--version"]).map { "; did you mean \"\($0)\"?" }
        ?? ""
      throw Failure(
        .usage, "unknown argument \(quoted(argument)): expected --stage STAGE or --timeout SECONDS\(hint)")
    }
  }
  return parsed
}

func run() throws(Failure) {
  let arguments = try arguments()
  let (stage, deadline) = (arguments.stage, arguments.deadline)
  guard let input = readAll(raw: 0, deadline: deadline) else {
    throw Failure(errno == ETIMEDOUT ? .deadline : .failed, systemError("cannot read the container's state from stdin"))
  }
  let state = try RuntimeState(parsing: input)
  defer { removeLeftovers() }
  if stage == "poststop" || stage == nil && state.status == "stopped" {
    let identity = try ContainerIdentity(id: state.id, annotations: ContainerAnnotations([:]))
    return try Attacher(deadline: deadline).removeDeleted(id: identity.id, bundle: state.bundle)
  }

  // In the log by a name that the container has when it starts again, too
  var name = state.id
  func warn(_ message: String, ofNode: Bool = false) {
    say("warning: container \(state.id): \(message)", logged: "warning: \(ofNode ? "" : "container \(name): ")\(message)")
  }
  // The bundle is read only where it must be
  var config: BundleConfig?
  if state.annotations == nil, let bundle = state.bundle {
    do throws(Failure) { config = try BundleFiles.config(of: bundle) } catch { warn("its annotations are not known: \(error)") }
  }
  let annotations = BundleFiles.annotations(
    state.annotations ?? config?.annotations ?? [:], of: state.id, in: state.bundle, config: config)
  guard !annotations.isSandbox else { return }
  if let identity = try? ContainerIdentity(id: state.id, annotations: annotations) { name = identity.label }
  func described() throws(Failure) -> Attacher.Container {
    try Attacher.Container(
      starting: state.pid, identity: ContainerIdentity(id: state.id, annotations: annotations), annotations: annotations,
      oomScoreAdj: config?.oomScoreAdj, bundle: state.bundle ?? "")
  }
  let asked = try AskedPolicy(annotations)
  asked.warnings.forEach { warn($0) }
  let node = NodeConfig.inForce { warn($0.description, ofNode: true) }
  // A cgroup is used again, and what is on it was for somebody else
  func removeOlder() {
    guard Attacher.isInUse, let container = try? described(),
      let older = try? Attacher(deadline: deadline).removeOlder(before: container)
    else { return }
    warn(older)
  }
  guard asked.request != nil || !node.rules.isEmpty else { return removeOlder() }
  if config == nil { config = state.bundle.flatMap { try? BundleFiles.config(of: $0) } }
  var choice: PolicyChoice?
  do throws(Failure) {
    let container = try described()
    choice = try PolicyChoice(of: container, asking: asked, on: node)
    guard let choice else { return removeOlder() }
    let attacher = Attacher(deadline: deadline, ringSize: node.ringSize)
    for warning in choice.warnings + (try attacher.attach(choice.request, to: container, rule: choice.rule)) {
      warn(warning, ofNode: warning == Node.pressureProblem()?.description)
    }
    for problem in [Node.sysctlProblem(), Node.systemdOomdProblem(), Node.killersProblem()].compactMap(\.self) {
      log("warning: \(problem)")
    }
    if let tier = Tier.inUse, !tier.limits.isEmpty { log("warning: tier \(tier.rawValue): \(tier.limits)") }
  } catch {
    // What the node can't do is no reason to keep a container from starting, and who has not asked starts in any case
    let isAsked = asked.request != nil
    guard choice?.request.require != true, !isAsked || choice != nil && ![.notFound, .invalid].contains(error.status) else {
      throw error
    }
    let policy = choice.map { "policy \($0.request.victim)" } ?? "a policy by a rule"
    say(
      "warning: container \(state.id) starts without \(policy): \(error)",
      logged: "warning: containers start without \(policy): \(error)")
  }
}

/// Where an agent runs, it does that.
func removeLeftovers() {
  if Attacher.isInUse, !FileLock.isHeld(Attacher.agentLock) { Leftovers.remove() }
}

do throws(Failure) {
  try run()
} catch {
  say(error.description)
  exit(error.status.rawValue)
}
