internal import CLibbpf
internal import Glibc
internal import OomletModel

/// errno of libbpf or the kernel, as a failure.
func failure(_ what: String, _ number: CInt = errno) -> Failure {
  var text = [CChar](repeating: 0, count: 128)
  libbpf_strerror(number, &text, text.count)
  let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  switch number {
  case ENOMEM:
    return Failure(.failed, "\(what): \(reason); BPF's memory counts for the cgroup of this process (start oomlet agent first)")
  case EPERM, EACCES: return Failure(.notPermitted, "\(what): \(reason)")
  default: return Failure(.failed, "\(what): \(reason)")
  }
}
