import Glibc
import OomletAttach
import OomletBPF
import OomletModel
import OomletOCI
import OomletSystem

let deadline = monotonicNanoseconds() + 2_000_000_000

let usage = """
  Usage: oomlet-hook [--stage prestart|createRuntime|poststop]

  OCI hook: reads the container's state on stdin, and attaches the OOM policy that its annotation
  "oom.policy" names to its memory cgroup; at poststop removes what that left behind. Without annotation
  it does nothing. One of: \(BuiltinPolicies.names.joined(separator: ", "))

    --stage STAGE  what to do; default: what the state's status implies
    --version      print the version
    -h, --help     print this

  Exit status: 0 done or nothing to do, 1 state unreadable, 2 usage, 3 annotation invalid, 7 container gone,
  124 no state within 2 s. A kernel or node that can't attach the policy (no BPF OOM policies, no cgroup v2,
  no permission) and a cgroup with another policy are warnings: the container starts without it. Errors and
  warnings go to stderr and to /run/oomlet/hook.log.

  """

func say(_ message: String) {
  let line = Array("oomlet-hook: \(message)\n".utf8)
  _ = writeAll(2, line)
  // Not all runtimes show a hook's stderr
  if (try? makeDirectory(Attacher.runDirectory)) != nil,
    let log = openFile("\(Attacher.runDirectory)/hook.log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o640)
  {
    _ = writeAll(log.raw, line)
  }
}

func stage() throws(Failure) -> String? {
  var arguments = CommandLine.arguments.dropFirst()
  let stages = ["prestart", "createRuntime", "poststop"]
  var stage: String?
  while let argument = arguments.popFirst() {
    switch argument {
    case "-h", "--help":
      _ = writeAll(1, Array(usage.utf8))
      exit(0)
    case "--version":
      _ = writeAll(1, Array("oomlet-hook \(oomletVersion)\n".utf8))
      exit(0)
    case "--stage":
      let value = arguments.popFirst() ?? ""
      guard stages.contains(value) else {
        let hint = nearestSpelling(to: value, among: stages).map { "; did you mean \"\($0)\"?" } ?? ""
        throw Failure(.usage, "--stage \(quoted(value)): expected one of \(stages.joined(separator: ", "))\(hint)")
      }
      stage = value
    default:
      let hint =
        nearestSpelling(to: argument, among: ["--stage", "--help", "--version"]).map { "; did you mean \"\($0)\"?" } ?? ""
      throw Failure(.usage, "unknown argument \(quoted(argument)): expected --stage STAGE\(hint)")
    }
  }
  return stage
}

func annotations(of state: RuntimeState) throws(Failure) -> [String: String] {
  if let annotations = state.annotations { return annotations }
  guard let bundle = state.bundle else { return [:] }
  let path = "\(bundle)/config.json"
  guard let config = contents(of: path) else { throw Failure(.failed, systemError("cannot read \(printable(path))")) }
  return try bundleAnnotations(config, path: path)
}

func run() throws(Failure) {
  let stage = try stage()
  guard let input = readAll(raw: 0, deadline: deadline) else {
    throw Failure(errno == ETIMEDOUT ? .deadline : .failed, systemError("cannot read the container's state from stdin"))
  }
  let state = try RuntimeState(parsing: input)

  guard stage != "poststop", stage != nil || state.status != "stopped" else {
    return Attacher.detach(try ContainerIdentity(state: state, annotations: [:]))
  }
  let annotations = try annotations(of: state)
  guard let value = annotations[policyAnnotation] else { return }
  let policy = try policy(named: value, known: BuiltinPolicies.names)
  let identity = try ContainerIdentity(state: state, annotations: annotations)
  guard let pid = state.pid else {
    throw Failure(.notFound, "the container's state has no \"pid\": there is no process whose cgroup could get a policy")
  }
  do throws(Failure) {
    try Attacher(deadline: deadline).attach(policy, to: identity, on: try Cgroup(ofProcess: pid))
  } catch {
    // What the node can't do is no reason to keep a container from starting
    guard error.status != .notFound else { throw error }
    say("warning: container \(identity.id) starts without policy \(policy): \(error)")
  }
}

do throws(Failure) {
  try run()
} catch {
  say(error.description)
  exit(error.status.rawValue)
}
