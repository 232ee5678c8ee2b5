// bpfembed OUTPUT.swift NAME SOURCE.bpf.c CLANG [FLAG]...
//
// Compiles for the BPF target, without DWARF, and writes the object as a Swift file with the constant NAME.

import Glibc

func fail(_ message: String) -> Never {
  _ = (message + "\n").withCString { write(2, $0, strlen($0)) }
  exit(1)
}

func run(_ command: [String]) {
  guard succeeds(command) else { fail("bpfembed: failed: \(command.joined(separator: " "))") }
}

/// - Parameter quietly: what it says of a failure is nobody's business.
func succeeds(_ command: [String], quietly: Bool = false) -> Bool {
  var pid = pid_t()
  var arguments = command.map { strdup($0) } + [nil]
  defer { arguments.forEach { free($0) } }
  var files = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&files)
  defer { posix_spawn_file_actions_destroy(&files) }
  if quietly { posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0) }
  guard posix_spawnp(&pid, command[0], &files, nil, &arguments, environ) == 0 else { fail("bpfembed: cannot run \(command[0])") }
  var status: CInt = 0
  while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
  return status == 0
}

func bytes(of path: String) -> [UInt8] {
  guard let file = fopen(path, "r") else { fail("bpfembed: cannot read \(path)") }
  defer { fclose(file) }
  var all: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while case let n = fread(&chunk, 1, chunk.count, file), n > 0 { all += chunk[..<n] }
  return all
}

func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
    for i in 0..<4 { text.append(i <= group.count ? alphabet[bits >> (18 - 6 * i) & 63] : UInt8(ascii: "=")) }
  }
  return String(decoding: text, as: UTF8.self)
}

let arguments = CommandLine.arguments
guard arguments.count >= 5 else { fail("usage: bpfembed OUTPUT.swift NAME SOURCE.bpf.c CLANG [FLAG]...") }
let (output, name, source, clang) = (arguments[1], arguments[2], arguments[3], arguments[4])
let toolDirectory = clang.contains("/") ? String(clang[...clang.lastIndex(of: "/")!]) : ""
let object = output + ".o"
// clang 21 calls a kfunc where it can't get to. A kernel without that (before 6.16) does no harm, but libbpf looks for it in the
// kernel's modules, which takes CAP_SYS_ADMIN
let withoutTrap = ["-mllvm", "-bpf-disable-trap-unreachable"]
let knowsTrap = succeeds(
  [clang, "-target", "bpf"] + withoutTrap + ["-x", "c", "-c", "/dev/null", "-o", "/dev/null"], quietly: true)
run(
  [clang, "-target", "bpf", "-mcpu=v3", "-g", "-O2", "-Wall", "-Werror", "-c", source, "-o", object]
    + (knowsTrap ? withoutTrap : []) + arguments[5...])
run([toolDirectory + "llvm-objcopy", "--strip-debug", object])

guard let file = fopen(output, "w") else { fail("bpfembed: cannot write \(output)") }
fputs(
  """
  /// BPF programs that came with this build: base64 of their object file.
  let \(name): StaticString = "\(base64(bytes(of: object)))"

  """, file)
fclose(file)
