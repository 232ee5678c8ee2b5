import Foundation
import OomletPolicy
import Testing

/// docs/oom.policy.schema.json and the grammar must say the same, and so must docs/config.schema.json and the configuration's
/// reader.
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
    "dry-run: true", "require: false", "pressure: {full: 40%}\nrelief: []",
    "pressure: {full: 40%}\nrelief: [{stage: reclaim, at: 10%, amount: 64Mi, deadline: 5s}]",
    "pressure: {full: 40%}\nrelief: [{stage: delete, at: 10%, files: ['/tmp/**', '/a b/c*']}, {stage: signal, at: 10%, to: init}]",
    // invalid
    "relief: []", "pressure: {full: 40%}\nrelief: {}", "pressure: {full: 40%}\nrelief: [{stage: reclaim}]",
    "pressure: {full: 40%}\nrelief: [{at: 10%}]", "pressure: {full: 40%}\nrelief: [{stage: reclaim, at: 10%, files: [/tmp/x]}]",
    "pressure: {full: 40%}\nrelief: [{stage: delete, at: 10%}]",
    "pressure: {full: 40%}\nrelief: [{stage: delete, at: 10%, files: [tmp]}]",
    "pressure: {full: 40%}\nrelief: [{stage: signal, at: 10%, signal: SIGKILL}]",
    "pressure: {full: 40%}\nrelief: [{stage: signal, at: 10%, deadline: 1s}]",
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
    import json, os, sys, jsonschema, yaml
    schema = json.load(open(sys.argv[1]))
    jsonschema.Draft202012Validator.check_schema(schema)
    # What another one refers to, in a bundle with it
    policy = os.path.join(os.path.dirname(sys.argv[1]), "oom.policy.schema.json")
    if schema["$defs"].get("victim") is None: schema["$defs"]["oom.policy"] = json.load(open(policy))
    validator = jsonschema.Draft202012Validator(schema)
    print(json.dumps([validator.is_valid(yaml.safe_load(value)) for value in sys.argv[2:]]))
    """

  private static func verdicts(_ schema: String, _ values: [String]) throws -> [Bool] {
    let path = URL(fileURLWithPath: #filePath).appending(path: "../../../docs/\(schema)").standardized.path
    let result = try SchemaTests.python(SchemaTests.validate, [path] + values)
    try #require(result.status == 0)
    let verdicts = try JSONDecoder().decode([Bool].self, from: Data(result.output.utf8))
    try #require(verdicts.count == values.count)
    return verdicts
  }

  /// What the schema can express; docs/config.md names the rest.
  private static let configurations = [
    // valid
    "{}", "system: {}", "system: {order: [usage]}", "system: {order: [priority, qos, over-request, usage, youngest]}",
    "system: {protect: []}",
    "system: {protect: [init.scope, /a/b, 'system.slice/*', '**', '**/a', 'a/**', 'a*b/*c*/d', '...', .a, 'a b']}",
    "system: {protect: [a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a]}",
    "system: {pressure: {full: 60%}}", "system: {pressure: {some: 10%, over: 2s, for: 0s, cooldown: 1h, available: 12.5%}}",
    "annotations: {}", "annotations: {priority: {}}", "annotations: {priority: {min: -5, max: 1000000000}}",
    "annotations: {kill-pod: false, pressure: false, custom-policies: [growth, other]}", "annotations: {custom-policies: []}",
    "rules: []", "rules: [{policy: youngest}]", "rules: [{policy: growth, dry-run: true}]", "rules: [{policy: {}, match: {}}]",
    "rules: [{policy: {victim: oldest, kill: pod, priority: 7}, match: {qos: BestEffort}}, {policy: kernel}]",
    "rules: [{policy: youngest, match: {cgroup: 'a/**', qos: Guaranteed, namespace: 'a-*', label: {tier: web, a.b/c: '*'}}}]",
    // invalid
    "[]", "7", "sytem: {}", "system: []", "system: {orders: [usage]}", "system: {order: usage}", "system: {order: []}",
    "system: {order: [usage, usage]}", "system: {protect: a}", "system: {protect: ['']}", "system: {protect: [/]}",
    "system: {protect: [a/]}", "system: {protect: [a//b]}", "system: {protect: [//a]}", "system: {protect: [.]}",
    "system: {protect: [a/../b]}", "system: {protect: [a**]}", "system: {protect: [a/***]}", "system: {protect: ['***']}",
    "system: {protect: [\"a\\tb\"]}", "system: {protect: [7]}", "system: {protect: [[a]]}", "system: {protect: ~}",
    "system: {protect: [a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a]}",
    "system: {pressure: 60%}", "system: {pressure: {}}", "system: {pressure: {full: 60%, some: 60%}}",
    "system: {pressure: {full: 60%, available: 0%}}", "system: {pressure: {full: 60%, availabel: 10%}}",
    "annotations: {priority: 5}", "annotations: {priority: {min: 1.5}}", "annotations: {priority: {max: 1000000001}}",
    "annotations: {priority: {low: 5}}", "annotations: {kill-pod: 1}", "annotations: {pressure: 'true'}",
    "annotations: {custom-policies: growth}", "annotations: {custom-policies: [a/b]}", "rules: {}", "rules: [youngest]",
    "rules: [{}]", "rules: [{match: {}}]", "rules: [{policy: Youngest}]", "rules: [{policy: {kil: pod}}]", "rules: [{policy: ~}]",
    "rules: [{policy: youngest, dry-run: 'true'}]", "rules: [{policy: youngest, match: {qos: besteffort}}]",
    "rules: [{policy: youngest, match: {cgroups: a}}]", "rules: [{policy: youngest, match: {namespace: ''}}]",
    "rules: [{policy: youngest, match: {namespace: a b}}]", "rules: [{policy: youngest, match: {namespace: 1}}]",
    "rules: [{policy: youngest, match: {label: {}}}]", "rules: [{policy: youngest, match: {label: {a: [b]}}}]",
    "rules: [{policy: youngest, match: {namespace: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}]",
    "kill: pod",
  ]

  @Test(.enabled(if: hasPython, "needs python3 with jsonschema and yaml: apt install python3-jsonschema python3-yaml"))
  func `the node configuration's schema and its reader agree`() throws {
    let verdicts = try SchemaTests.verdicts("config.schema.json", SchemaTests.configurations)
    #expect(verdicts.count { $0 } == 20 && verdicts.count { !$0 } > 40)
    for (text, bySchema) in zip(SchemaTests.configurations, verdicts) {
      let config = NodeConfig.parse(Array(text.utf8), grammar: PolicyGrammar(customPolicies: ["growth"]))
      let byReader = if case .success = config { true } else { false }
      #expect(byReader == bySchema, "\(text)")
    }
  }

  @Test(.enabled(if: hasPython, "needs python3 with jsonschema and yaml: apt install python3-jsonschema python3-yaml"))
  func `the schema and the grammar agree`() throws {
    let verdicts = try SchemaTests.verdicts("oom.policy.schema.json", SchemaTests.values)
    let grammar = PolicyGrammar(customPolicies: ["growth"])
    for (value, bySchema) in zip(SchemaTests.values, verdicts) {
      let byGrammar = if case .success = grammar.parse(value) { true } else { false }
      #expect(byGrammar == bySchema, "\(value)")
    }
  }

  @Test func `the table has both verdicts in number`() {
    let grammar = PolicyGrammar(customPolicies: ["growth"])
    let valid = SchemaTests.values.filter { if case .success = grammar.parse($0) { true } else { false } }
    #expect(valid.count == 45 && SchemaTests.values.count - valid.count > 60)
  }
}
