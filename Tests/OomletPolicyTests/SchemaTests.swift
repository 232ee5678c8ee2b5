import Foundation
import OomletPolicy
import Testing

/// docs/oom.policy.schema.json and the grammar must say the same.
@Suite struct SchemaTests {
  /// What the schema can express; docs/policy.md names the rest.
  private static let values = [
    // valid
    "largest-rss", "largest-memory", "largest-anon", "largest-shmem", "youngest", "oldest", "highest-oom-score", "kernel",
    "growth",
    "'youngest'", "{}", "victim: growth", "victim: youngest\nkill: process", "kill: container", "kill: pod",
    "oomKillMode: Single",
    "oomKillMode: Group", "kill: process\noomKillMode: Single", "kill: container\noomKillMode: Group", "protect: []",
    "protect: [init, 'post*', nginx]", "prefer: ['*', '**a**', abcdefghijklmno, '*a*b*c*d*e*f*g*h*i*j*k*l*m*n*o*']",
    "protect: ['a b', 'a.b', '?', '12', 'null']", "prefer: [a, a, a, a, a, a, a, a]", "min-size: 0B", "min-size: 512B",
    "min-size: 1.5Gi", "min-size: '64Mi'", "min-size: 1.000B", "order: [usage]",
    "order: [priority, qos, over-request, usage, youngest]",
    "priority: 0", "priority: -1000000000", "priority: 1000000000", "pressure: {some: 40%}", "pressure: {full: 12.5%, over: 2s}",
    "pressure: {full: 100%, for: 0s, cooldown: 1.5h}", "pressure: {full: 100.0%}", "pressure: {some: 0.1%}",
    "pressure: {some: 00.10%}",
    "dry-run: true", "require: false",
    // invalid
    "~", "''", "[]", "[youngest]", "12", "true", "Youngest", "-growth", "growth-", "a/b", "../x", "pod", "victim: ~",
    "victim: []",
    "victim: system", "victim: {a: b}", "kil: pod", "kill: Pod", "kill: ~", "kill: [pod]", "oomKillMode: single",
    "kill: pod\noomKillMode: Group", "kill: pod\noomKillMode: Single", "kill: process\noomKillMode: Group",
    "kill: container\noomKillMode: Single", "protect: init", "protect: ~", "protect: {init: true}", "protect: ['']",
    "protect: [~]",
    "protect: [12]", "protect: [true]", "protect: [[a]]", "protect: [abcdefghijklmnop]", "protect: ['*abcdefghijklmnop']",
    "protect: [\"a\\tb\"]", "prefer: [a, a, a, a, a, a, a, a, a]", "min-size: 512", "min-size: 64", "min-size: -1Mi",
    "min-size: 64mi",
    "min-size: 64MiB", "min-size: 1.5B", "min-size: .5Mi", "min-size: 1.2345Mi", "min-size: '64 Mi'", "min-size: ~",
    "order: usage",
    "order: []", "order: [usage, usage]", "order: [age]", "order: [~]", "priority: 1000000001", "priority: -1000000001",
    "priority: 1.5", "priority: '1'", "priority: ~", "priority: true", "pressure: 40%", "pressure: {}", "pressure: ~",
    "pressure: {some: 40%, full: 20%}", "pressure: {full: 40}", "pressure: {full: 0%}", "pressure: {full: 0.0%}",
    "pressure: {full: 101%}", "pressure: {full: 100.1%}", "pressure: {full: 12.34%}", "pressure: {full: 40%, over: 10}",
    "pressure: {full: 40%, over: 10d}", "pressure: {full: 40%, foor: 10s}", "pressure: {over: 10s}", "dry-run: 'true'",
    "dry-run: 1",
    "dry-run: ~", "require: []", "oom.policy: youngest",
  ]

  private static let hasPython: Bool = (try? python("import jsonschema, yaml", []))?.status == 0

  private static func python(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["python3", "-c", program] + arguments
    (process.standardInput, process.standardOutput) = (FileHandle.nullDevice, output)
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  private static let validate = """
    import json, sys, jsonschema, yaml
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    print(json.dumps([validator.is_valid(yaml.safe_load(value)) for value in sys.argv[2:]]))
    """

  @Test(.enabled(if: hasPython, "needs python3 with jsonschema and yaml: apt install python3-jsonschema python3-yaml"))
  func `the schema and the grammar agree`() throws {
    let schema = URL(fileURLWithPath: #filePath).appending(path: "../../../docs/oom.policy.schema.json").standardized.path
    let result = try SchemaTests.python(SchemaTests.validate, [schema] + SchemaTests.values)
    try #require(result.status == 0)
    let verdicts = try JSONDecoder().decode([Bool].self, from: Data(result.output.utf8))
    try #require(verdicts.count == SchemaTests.values.count)
    let grammar = PolicyGrammar(customPolicies: ["growth"])
    for (value, bySchema) in zip(SchemaTests.values, verdicts) {
      let byGrammar = if case .success = grammar.parse(value) { true } else { false }
      #expect(byGrammar == bySchema, "\(value)")
    }
  }

  @Test func `the table has both verdicts in number`() {
    let grammar = PolicyGrammar(customPolicies: ["growth"])
    let valid = SchemaTests.values.filter { if case .success = grammar.parse($0) { true } else { false } }
    #expect(valid.count == 42 && SchemaTests.values.count - valid.count > 60)
  }
}
