import Foundation
import OomletModel
import OomletOCI
import OomletPolicy
import Testing

@Suite struct NodeConfigTests {
  private func problems(_ text: String) -> [String] {
    if case .failure(let problems) = NodeConfig.parse(Array(text.utf8)) { problems.all.map(\.description) } else { [] }
  }

  @Test(arguments: ["", "# nothing\n", "{}", "system: {}\nannotations: {}\nrules: []", "system: {protect: []}"])
  func `what is not said is as by default`(_ text: String) throws {
    #expect(try NodeConfig.parse(Array(text.utf8)).get() == NodeConfig())
  }

  /// It says so.
  @Test func `examples/config.yaml has each key with its default`() throws {
    let url = URL(fileURLWithPath: #filePath).appending(path: "../../../examples/config.yaml").standardized
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(try NodeConfig.parse(Array(text.utf8)).get() == NodeConfig())
    // Also the one whose default is that it isn't there, as a comment that can be taken for a key as it is
    let whole = text.replacing("# custom-policies", with: "custom-policies").replacing("# pressure:", with: "pressure:")
    var expected = NodeConfig()
    expected.systemPressure = PressureRequest(
      kind: .full, permille: 600, window: 10_000_000_000, holdFor: 20_000_000_000, cooldown: 60_000_000_000,
      availablePermille: 150)
    expected.annotations.customPolicies = ["growth"]
    #expect(try NodeConfig.parse(Array(whole.utf8)).get() == expected)
  }

  @Test func `all keys are read`() throws {
    let config = try NodeConfig.parse(
      Array(
        """
        system:
          order: [usage, youngest]
          protect: ["system.slice/*", /init.scope]
        cgroups:
        - {cgroup: kubepods.slice, pressure: {some: 12.5%, over: 4s, for: 0s, cooldown: 1s}}
        - {cgroup: "kubepods.slice/*", pressure: {full: 40%, available: 10%}, dry-run: true}
        annotations:
          priority: {min: -5, max: 100}
          kill-pod: false
          pressure: false
          custom-policies: [growth]
        rules:
        - match: {cgroup: "kubepods.slice/**", qos: BestEffort, namespace: "team-*", label: {tier: web, a.b/c: "*"}}
          policy: {victim: growth, kill: pod, priority: 1000}
          dry-run: true
        - policy: youngest
        """.utf8), grammar: PolicyGrammar(customPolicies: ["growth"])
    ).get()
    #expect(config.order == [.usage, .youngest])
    #expect(config.protect.map(\.description) == ["/system.slice/*", "/init.scope"])
    let second: UInt64 = 1_000_000_000
    let some = PressureRequest(kind: .some, permille: 125, window: 4 * second, holdFor: 0, cooldown: second)
    let full = PressureRequest(
      kind: .full, permille: 400, window: 10 * second, holdFor: 20 * second, cooldown: 60 * second, availablePermille: 100)
    #expect(
      config.cgroups == [
        CgroupRule(cgroup: try PathGlob("kubepods.slice"), pressure: some),
        CgroupRule(cgroup: try PathGlob("kubepods.slice/*"), pressure: full, dryRun: true),
      ])
    #expect(
      config.annotations
        == AnnotationLimits(priority: -5...100, allowsKillPod: false, allowsPressure: false, customPolicies: ["growth"]))
    var match = NodeRule.Match()
    (match.cgroup, match.qos, match.namespace) = (try PathGlob("kubepods.slice/**"), .bestEffort, Wildcard("team-*"))
    match.labels = ["tier": Wildcard("web"), "a.b/c": Wildcard("*")]
    let growth = Victim.custom(PolicyName("growth")!)
    #expect(
      config.rules == [
        NodeRule(match: match, request: PolicyRequest(victim: growth, kill: .pod, dryRun: true, priority: 1000)),
        NodeRule(request: PolicyRequest(victim: .rule(.youngest))),
      ])
  }

  @Test(arguments: [
    ("system: {order: [qso]}", "line 1, column 18: system.order: \"qso\""),
    ("annotations: {priority: {min: 5}}", "line 1, column 25: annotations.priority: min 5 is above max 0"),
    ("annotations: {kill-pod: \"no\"}", "line 1, column 25: annotations.kill-pod: \"no\""),
    ("annotations: {custom-policies: [../x]}", "line 1, column 33: annotations.custom-policies: \"../x\" is no policy's name"),
    ("system: {protect: init.scope}", "line 1, column 19: system.protect: \"init.scope\": expected a list of cgroups"),
    ("system: {protect: [\"\"]}", "line 1, column 20: system.protect: \"\" names no cgroup"),
    ("system: {protect: [/]}", "\"/\" names no cgroup"), ("system: {protect: [a//b]}", "has an empty name between slashes"),
    ("system: {protect: [../a]}", "has . or .. as a name"), ("system: {protect: [a**]}", "has ** beside other characters"),
    ("system: {protect: [\"a\\nb\"]}", "has a control character"), ("system: {protect: [7]}", "\"7\" is no text"),
    ("system: {protect: [[a]]}", "a list: expected a cgroup's path"), ("system: {protect: ~}", "expected a list of cgroups"),
    ("system: {protct: []}", "did you mean \"protect\"?"),
    ("system: {pressure: 60%}", "\"60%\": expected a mapping with keys of system.pressure: some, full"),
    ("system: {pressure: {for: 1s}}", "system.pressure: no threshold: expected some or full"),
    ("system: {pressure: {full: 60%, available: 0%}}", "line 1, column 43: system.pressure.available: \"0%\""),
    ("system: {pressure: {full: 60%, availabel: 9%}}", "did you mean \"available\"?"),
    ("cgroups: {cgroup: a}", "line 1, column 10: cgroups: a mapping: expected a list of rules with cgroup, pressure"),
    ("cgroups: [{cgroup: a}]", "line 1, column 11: cgroups[1]: no pressure: expected pressure with a mapping"),
    ("cgroups: [{pressure: {full: 4%}}]", "cgroups[1]: no cgroup: expected cgroup with a cgroup's path"),
    ("cgroups: [{cgroup: ../a, pressure: {full: 4%}}]", "cgroups[1].cgroup: \"../a\" has . or .. as a name"),
    ("cgroups: [{cgroup: a, pressure: {ful: 4%}}]", "did you mean \"full\"?"),
    ("cgroups: [{cgroup: a, pressure: {full: 4%}, dryrun: true}]", "did you mean \"dry-run\"?"),
    ("annotations: {pressure: {full: 10%}}", "annotations.pressure: a mapping: expected true or false"),
    ("annotations: {presure: true}", "did you mean \"pressure\"?"),
    ("rules: {policy: youngest}", "line 1, column 8: rules: a mapping: expected a list of rules"),
    ("rules: [youngest]", "line 1, column 9: \"youngest\": expected a mapping with keys of rules[1]"),
    ("rules: [{}]", "line 1, column 9: rules[1]: no policy: expected policy"),
    ("rules:\n- policy: youngest\n- policy: yongest", "line 3, column 11: rules[2].policy: \"yongest\" is no policy"),
    ("rules: [{policy: yongest}]", "did you mean \"youngest\"?"),
    ("rules: [{policy: {victim: youngest, kil: pod}}]", "line 1, column 37: rules[1].policy: \"kil\" is no key of a policy"),
    ("rules: [{policy: growth}]", "\"growth\" is no policy"),
    ("rules: [{polcy: youngest}]", "did you mean \"policy\"?"),
    ("rules: [{policy: youngest, dry-run: 1}]", "rules[1].dry-run: \"1\": expected true or false"),
    ("rules: [{policy: youngest, match: all}]", "\"all\": expected a mapping with keys of rules[1].match"),
    (
      "rules: [{policy: youngest, match: {qos: besteffort}}]",
      "rules[1].match.qos: \"besteffort\": expected BestEffort, Burstable or Guaranteed; did you mean \"BestEffort\"?"
    ),
    ("rules: [{policy: youngest, match: {cgroups: a}}]", "did you mean \"cgroup\"?"),
    ("rules: [{policy: youngest, match: {cgroup: [a]}}]", "rules[1].match.cgroup: a list"),
    ("rules: [{policy: youngest, match: {namespace: \"\"}}]", "rules[1].match.namespace: \"\" is empty"),
    ("rules: [{policy: youngest, match: {namespace: a b}}]", "has a space"),
    ("rules: [{policy: youngest, match: {namespace: \(String(repeating: "a", count: 64))}}]", "is longer than 63 characters"),
    ("rules: [{policy: youngest, match: {namespace: 1}}]", "\"1\" is no text"),
    ("rules: [{policy: youngest, match: {label: tier=web}}]", "rules[1].match.label: \"tier=web\": expected a mapping of labels"),
    ("rules: [{policy: youngest, match: {label: {}}}]", "rules[1].match.label: nothing: expected"),
    ("rules: [{policy: youngest, match: {label: {tier: [a]}}}]", "rules[1].match.label.tier: a list"),
    ("rules: [{policy: youngest, policy: oldest}]", "policy"),
    ("annotation: {}", "did you mean \"annotations\"?"), ("- a", "expected a mapping"), ("a: 1\n---\nb: 2", "a second document"),
  ])
  func `what is wrong is told with its place`(_ text: String, _ problem: String) {
    #expect(problems(text).first?.contains(problem) == true, "\(problems(text))")
  }

  @Test(
    arguments: [
      ("{}", true), ("{cgroup: \"kubepods.slice/*/*/c.scope\"}", true), ("{cgroup: kubepods.slice}", false),
      ("{qos: Burstable}", true), ("{qos: Guaranteed}", false), ("{namespace: shop}", true), ("{namespace: \"s*p\"}", true),
      ("{namespace: sho}", false), ("{label: {tier: web}}", true), ("{label: {tier: web, team: a}}", false),
      ("{label: {tier: \"*\"}}", true), ("{label: {none: \"*\"}}", false), ("{qos: Burstable, namespace: other}", false),
    ] as [(String, Bool)])
  func `a rule is for what is as it says in all`(_ match: String, _ expected: Bool) throws {
    let config = try NodeConfig.parse(Array("rules: [{policy: youngest, match: \(match)}]".utf8)).get()
    let annotations = ContainerAnnotations(["io.kubernetes.pod.namespace": "shop", "tier": "web"])
    let place = Placement(
      cgroup: "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/c.scope", annotations: annotations)
    #expect(config.rules[0].matches(annotations, at: place) == expected)
  }

  @Test func `several rules are all read, and all that is wrong is told`() {
    #expect(problems("system: {order: [x], protect: [..]}\nrules: [{}, {policy: x}]\nother: 1").count == 5)
  }
}
