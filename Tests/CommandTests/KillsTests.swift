import Testing

@Suite struct KillsTests {
  @Test(arguments: [
    (["--since", "1"], "--since \"1\": expected a duration such as 20s (ms, s, m, h); did you mean \"1s\"?"),
    (["--since", "yesterday"], "--since \"yesterday\": expected a duration such as 20s"),
    (["--since", "-1h"], "--since"), (["--last", "0"], "--last 0: expected a whole number above 0"),
    (["-n", "x"], "The value 'x' is invalid for '-n <count>'"), (["--container", ""], "--container \"\": expected a name"),
    (["--pods", "x"], "Did you mean '--pod'?"),
  ])
  func `what is no filter is told`(_ arguments: [String], _ message: String) throws {
    let result = try run("oomlet", ["kills"] + arguments)
    #expect(result.status == 2)
    #expect(result.errors.contains(message), "\(result.errors)")
  }
}
