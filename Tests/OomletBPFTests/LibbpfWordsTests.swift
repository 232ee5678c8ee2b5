import Testing

@testable import OomletBPF

/// What libbpf 1.1 and later print while an object is refused.
@Suite struct LibbpfWordsTests {
  @Test func namesTheProgramAndTheVerifiersLastLines() {
    let log = """
      libbpf: prog 'explain': -- BEGIN PROG LOAD LOG --
      func#0 @0
      4: (18) r1 = 0xffff
      5: (85) call bpf_task_is_oom_victim#12345
      calling kernel function bpf_task_is_oom_victim is not allowed
      processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      -- END PROG LOAD LOG --

      """
    let said = [
      "libbpf: prog 'explain': BPF program load failed: Permission denied\n", log,
      "libbpf: prog 'explain': failed to load: -13\n", "libbpf: failed to load object 'oomlet'\n",
    ]
    #expect(
      LibbpfWords.summary(of: said)
        == "prog 'explain': BPF program load failed: Permission denied; the verifier says: func#0 @0 | 4: (18) r1 = 0xffff | 5: (85) call bpf_task_is_oom_victim#12345 | calling kernel function bpf_task_is_oom_victim is not allowed"
    )
  }

  @Test func namesAFunctionThatTheKernelLacks() {
    let said = [
      "libbpf: extern (func ksym) 'bpf_wq_set_callback_impl': not found in kernel or module BTFs\n",
      "libbpf: failed to load object 'oomlet'\n",
    ]
    #expect(
      LibbpfWords.summary(of: said) == "extern (func ksym) 'bpf_wq_set_callback_impl': not found in kernel or module BTFs")
  }

  @Test func keepsTheLastOfALongLogAndNoControlCharacters() {
    let log = "libbpf: prog 'p': -- BEGIN PROG LOAD LOG --\n" + (1...1000).map { "line \($0)\u{1b}\n" }.joined()
    #expect(
      LibbpfWords.summary(of: [log])
        == "the verifier says: \((997...1000).map { "line \($0)\\u{1b}" }.joined(separator: " | "))")
  }

  @Test func leavesOutWhatLaterKernelsExplain() {
    let log = """
      libbpf: prog 'p': -- BEGIN PROG LOAD LOG --
      29: (79) r1 = *(u64 *)(r1 +0)
      R1 invalid mem access 'scalar'

      Verification failed: Register Type Safety: Invalid dereference

      Reason:
        R1 is an integer scalar here, not a pointer to memory.

      -- END PROG LOAD LOG --

      """
    #expect(
      LibbpfWords.summary(of: [log]) == "the verifier says: 29: (79) r1 = *(u64 *)(r1 +0) | R1 invalid mem access 'scalar'")
  }

  @Test func hasNothingToSayOfSilence() { #expect(LibbpfWords.summary(of: []) == "") }
}
