import OomletPolicy
import Testing

private func check(_ text: String) -> CheckReport {
  Checker(grammar: PolicyGrammar(customPolicies: ["growth"])).check(Array(text.utf8))
}

/// `line:column: message`, the first words of it.
private func places(_ report: CheckReport) -> [String] { report.problems.map { "\($0.line):\($0.column): \($0.message)" } }

private func warnings(_ report: CheckReport) -> [String] { report.warnings.map { "\($0.line):\($0.column): \($0.message)" } }

/// A pod with two containers, an init container and an ephemeral one.
private func pod(_ annotations: String) -> String {
  """
  apiVersion: v1
  kind: Pod
  metadata:
    name: shop
    annotations:
  \(annotations.split(separator: "\n", omittingEmptySubsequences: false).map { "    " + $0 }.joined(separator: "\n"))
  spec:
    containers: [{name: web}, {name: db}]
    initContainers: [{name: setup}]
    ephemeralContainers: [{name: debug}]
  """
}

@Suite struct ManifestTests {
  @Test(arguments: [
    "oom.policy: youngest", "oomlet.dev/policy: youngest", "oom.policy/web: youngest", "policy.oomlet.dev/db: youngest",
    "oom.policy/setup: youngest", "oom.policy/debug: youngest", "oom.policy: 'victim: youngest'", "oom.policy: \"youngest\"",
    "oom.policy: |\n  victim: youngest", "oom.policy: >-\n  victim:\n  youngest",
  ])
  func `each key of a pod is checked, however its value is written`(_ annotation: String) {
    let report = check(pod(annotation))
    #expect(report.problems.isEmpty && report.warnings.isEmpty)
    let key = annotation.split(separator: ":")[0]
    #expect(report.items.map(\.description) == ["Pod shop: \(key): youngest, kill process"])
  }

  /// The annotations begin in line 6, column 5.
  @Test(arguments: [
    ("oom.policy: |\n  victim: yungest", "7:15: Pod shop: oom.policy: victim: \"yungest\" is no policy"),
    ("oom.policy: |\n\n\n  kill: pods", "9:13: Pod shop: oom.policy: kill: \"pods\""),
    ("oom.policy: |-  # why\n        victim: youngest\n\n        kill: pods\n", "9:19: Pod shop: oom.policy: kill: \"pods\""),
    ("oom.policy: |2\n    victim: youngest\n    kill: pods\n", "8:15: Pod shop: oom.policy: kill: \"pods\""),
    ("oom.policy: |\n  kill: [a\n", "8:7: Pod shop: oom.policy: not YAML"),
    ("oom.policy: >\n  kill: pods", "6:17: Pod shop: oom.policy: line 1, column 7 of the value: kill: \"pods\""),
    ("oom.policy: '{kill: pods}'", "6:17: Pod shop: oom.policy: line 1, column 8 of the value: kill: \"pods\""),
    ("oom.policy: yungest", "6:17: Pod shop: oom.policy: \"yungest\" is no policy"),
    ("oom.policy: {victim: youngest}", "6:17: Pod shop: oom.policy: a mapping: expected a text; write | after the key"),
    ("oom.policy: [youngest]", "6:17: Pod shop: oom.policy: a list: expected a text; write | after the key"),
    ("oom.policy:", "6:16: Pod shop: oom.policy: nothing: expected a text"),
    ("oom.policy: true", "6:17: Pod shop: oom.policy: \"true\": expected a text"),
    ("oom.policy: 12", "6:17: Pod shop: oom.policy: \"12\": expected a text"),
    (
      "oom.policy/wbe: youngest",
      "6:5: Pod shop: oom.policy/wbe: the pod has no container \"wbe\": expected web, db, setup or debug; did you mean \"web\"?"
    ),
    ("oom.policy/: youngest", "6:5: Pod shop: oom.policy/: the pod has no container \"\""),
    ("policy.oomlet.dev/x/y: youngest", "6:5: Pod shop: policy.oomlet.dev/x/y: the pod has no container \"x/y\""),
    (
      "oomlet.dev/policy: youngest\noom.policy: oldest",
      "7:5: Pod shop: oom.policy: \"oldest\", but oomlet.dev/policy: \"youngest\": expected one of the two keys"
    ),
    (
      "oom.policy/web: oldest\npolicy.oomlet.dev/web: youngest",
      "7:5: Pod shop: policy.oomlet.dev/web: \"youngest\", but oom.policy/web: \"oldest\": expected one of the two keys"
    ),
    ("oom.policy: a\noom.policy: a", "7:5: key \"oom.policy\" is there twice: first in line 6"),
    ("- oom.policy: a", "6:5: Pod shop: metadata.annotations: a list: expected a mapping"),
    ("oom.policy: \"\\u202ex\"", "6:17: Pod shop: oom.policy: \"\\u{202e}x\" is no policy"),
    (
      "oom.policy: \"\\e[2J\\u202e\"",
      "6:17: Pod shop: oom.policy: line 1, column 1 of the value: not YAML: control characters are not allowed"
    ),
  ])
  func `what is wrong is told where it stands`(_ annotations: String, _ problem: String) throws {
    let report = check(pod(annotations))
    #expect(report.problems.count == 1)
    #expect(places(report).first?.hasPrefix(problem) == true, "\(places(report))")
  }

  @Test func `all problems come in the order of the file`() {
    let report = check(pod("oom.policy/db: |\n  kill: x\n  order: [y]\noom.policy: z\noom.policy/nobody: youngest"))
    #expect(places(report).map { $0.prefix { $0 != " " } } == ["7:13:", "8:15:", "9:17:", "10:5:"])
  }

  @Test(arguments: [
    ("oom.polcy", "oom.policy"), ("oom-policy", "oom.policy"), ("oompolicy", "oom.policy"), ("OOM.Policy", "oom.policy"),
    ("oom.policy.web", "oom.policy/web"), ("oom-policy-web", "oom.policy/web"), ("oom.polcy/web", "oom.policy/web"),
    ("oom.policies/web", "oom.policy/web"), ("oomlet.dev/polcy", "oomlet.dev/policy"), ("omlet.dev/policy", "oomlet.dev/policy"),
    ("oomlet.dev/policy.web", "policy.oomlet.dev/web"), ("policy.omlet.dev/web", "policy.oomlet.dev/web"),
  ])
  func `a misspelt key is a warning, with the nearest`(_ key: String, _ meant: String) {
    let report = check(pod("\(key): youngest"))
    #expect(report.problems.isEmpty)
    #expect(
      warnings(report) == ["6:5: Pod shop: \(key): oomlet does not read this key; did you mean \"\(meant)\"?"])
  }

  @Test(arguments: [
    "app.policy", "oom", "policy", "kubernetes.io/oom.policy", "oomlet.dev/attached", "seccomp.security.alpha.kubernetes.io/pod",
    String(repeating: "o", count: 100_000),
  ])
  func `other annotations are nobody's business`(_ key: String) {
    let report = check(pod("? \(key)\n: youngest"))
    #expect(report.problems.isEmpty && report.warnings.isEmpty)
    #expect(report.items.map(\.description) == ["Pod shop: no oom.policy"])
  }

  @Test func `what the node caps is a warning`() {
    #expect(
      warnings(check(pod("oom.policy: 'priority: 7'")))
        == ["6:17: Pod shop: oom.policy: priority 7 is capped to 0: this node allows -1000000000 to 0"])
  }

  @Test func `containers that ask for different orders are a warning`() {
    #expect(
      warnings(check(pod("oom.policy/web: 'order: [youngest]'\noom.policy/db: 'order: [usage]'"))).first?.hasPrefix("7:5: ")
        == true)
    #expect(warnings(check(pod("oom.policy: 'order: [youngest]'"))).isEmpty)
    #expect(warnings(check(pod("oom.policy/web: 'order: [youngest]'\noom.policy/db: oldest"))).isEmpty)
  }

  @Test(arguments: ["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job"])
  func `a workload's template counts, and its own metadata for podman`(_ kind: String) {
    let report = check(
      """
      apiVersion: x/v1
      kind: \(kind)
      metadata: {name: shop, annotations: {oom.policy: oldest, oom.policy/db: kernel, oom.policy/x: kernel}}
      spec:
        template:
          metadata: {annotations: {oom.policy: youngest, oom.policy/y: kernel}}
          spec: {containers: [{name: db}]}
      """)
    #expect(
      report.items.map(\.description) == [
        "\(kind) shop: oom.policy: youngest, kill process", "\(kind) shop: oom.policy/y: kernel, kill process",
        "\(kind) shop: oom.policy in metadata: oldest, kill process",
        "\(kind) shop: oom.policy/db in metadata: kernel, kill process",
        "\(kind) shop: oom.policy/x in metadata: kernel, kill process",
      ])
    #expect(places(report).map { $0.prefix { $0 != " " } } == ["3:81:", "6:52:"])
    #expect(warnings(report).count == 2)
    #expect(warnings(report).first?.hasSuffix("expected it in spec.template.metadata.annotations") == true)
  }

  @Test func `a cron job's pod is found`() {
    let report = check(
      """
      apiVersion: batch/v1
      kind: CronJob
      metadata: {generateName: nightly-}
      spec: {jobTemplate: {spec: {template: {metadata: {annotations: {oom.policy: growth}}, spec: {}}}}}
      """)
    #expect(report.items.map(\.description) == ["CronJob nightly-: oom.policy: growth, kill process"])
  }

  @Test func `lists, several documents and other kinds are gone through`() {
    let report = check(
      """
      # first
      ---
      apiVersion: v1
      kind: List
      items:
      - {apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {oom.policy: youngest}}}
      - {apiVersion: v1, kind: Secret, metadata: {name: a, annotations: {oom.policy: nonsense}}}
      - {apiVersion: v1, kind: PodList, items: [{apiVersion: v1, kind: Pod, metadata: {name: b}}]}
      ---
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: c, annotations: {oom.policy: oldest}}
      ---
      kind: Pod
      ---
      - nothing
      """)
    #expect(
      report.items.map(\.description)
        == ["Pod a: oom.policy: youngest, kill process", "Pod b: no oom.policy", "Pod c: oom.policy: oldest, kill process"])
    #expect(
      places(report) == [
        "15:1: Kubernetes manifest: no apiVersion: expected an object with apiVersion and kind",
        "17:1: Kubernetes manifest: no kind: expected an object with apiVersion and kind",
      ])
  }

  @Test func `a manifest without any pod says so`() {
    #expect(
      check("apiVersion: v1\nkind: ConfigMap").items.map(\.description) == ["Kubernetes manifest: no pod or workload in it"])
  }

  @Test func `anchors, merge keys and tags are other tools' affair`() {
    let report = check(
      """
      apiVersion: v1
      kind: Pod
      metadata: &m
        name: !!str shop
        annotations: &a {oom.policy: &p youngest, oom.policy/web: *p}
      spec: &s {containers: [{name: web}]}
      ---
      apiVersion: v1
      kind: List
      items:
      - &x {apiVersion: v1, kind: Pod, metadata: {name: one, annotations: {oom.policy: oldest}}}
      - <<: *x
        metadata: {name: two}
      - {<<: [*x, {kind: Secret}]}
      """)
    #expect(report.problems.isEmpty, "\(places(report))")
    #expect(
      report.items.map(\.description) == [
        "Pod shop: oom.policy: youngest, kill process", "Pod shop: oom.policy/web: youngest, kill process",
        "Pod one: oom.policy: oldest, kill process", "Pod two: no oom.policy", "Pod one: oom.policy: oldest, kill process",
      ])
  }

  @Test func `aliases that unfold to gigabytes are refused`() {
    var text = "apiVersion: v1\nkind: Pod\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in 1...20 {
      text += "a\(i): &a\(i) [" + Array(repeating: "*a\(i - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    #expect(places(check(text)).first?.contains("too many values") == true)
    #expect(places(check("apiVersion: v1\nkind: Pod\na: &a [*a]")).first?.contains("there is no anchor") == true)
  }

  @Test func `a patch without containers can't tell whether one is there`() {
    let report = check("apiVersion: v1\nkind: Pod\nmetadata: {annotations: {oom.policy/web: youngest}}")
    #expect(report.problems.isEmpty)
    #expect(warnings(report) == ["3:26: Pod: oom.policy/web: no containers here: whether \"web\" is one can't be told"])
  }

  @Test func `strangers' names do not reach the terminal as they are`() {
    let report = check(
      pod("oom.policy: youngest").replacing("shop", with: "\"\\e[31m\\u202e\"").replacing("kind: Pod", with: "kind: Pod"))
    #expect(report.items.map(\.description) == ["Pod \\u{1b}[31m\\u{202e}: oom.policy: youngest, kill process"])
  }

  @Test(arguments: ["\r\n", "\r", "\u{2028}"])
  func `lines are counted as YAML breaks them`(_ lineBreak: String) {
    let text = pod("oom.policy: |\n  victim: youngest\n  kill: pods").replacing("\n", with: lineBreak)
    #expect(places(check(text)).first?.hasPrefix("8:13: ") == true, "\(places(check(text)))")
  }
}

@Suite struct CheckerTests {
  @Test(arguments: [
    ("youngest", "annotation value: youngest, kill process"), ("{kill: pod}", "annotation value: largest-memory, kill pod"),
    ("{\"kill\": \"pod\"}", "annotation value: largest-memory, kill pod"),
    ("{\"ociVersion\": \"1.0\"}", "OCI configuration: no oom.policy"),
    ("{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}", "Pod: no oom.policy"),
  ])
  func `what a text is shows its content`(_ text: String, _ item: String) {
    let report = check(text)
    #expect(report.problems.isEmpty && report.items.map(\.description) == [item], "\(places(report))")
  }

  @Test(arguments: [
    ("", "1:1: annotation value: it is empty"), ("\n\n  yungest", "3:3: annotation value: \"yungest\" is no policy"),
    ("victim: youngest\nkill: pods", "2:7: annotation value: kill: \"pods\""), ("a: *b", "1:4: \"*b\": there is no anchor"),
    ("kill: &a pod", "1:7: annotation value: \"&a\": anchors"), ("a\n---\nb", "1:1: annotation value: it has 2 documents"),
    ("[", "2:1: not YAML"),
    (
      "system: {odrer: [qos]}",
      "1:10: \"odrer\" is no key of system: expected order, protect, pressure or relief; did you mean \"order\"?"
    ),
    (
      "system: {}\nkill: pod",
      "2:1: \"kill\" is no key of a node configuration: expected system, cgroups, annotations, rules, metrics, journal or kernel"
    ),
    ("spec: {}", "1:1: annotation value: \"spec\" is no key of a policy"),
    ("kind: Pod", "1:1: Kubernetes manifest: no apiVersion"), ("\u{0}", "1:1: not YAML: control characters"),
    (String(repeating: "a", count: 256 << 10), "1:1: annotation value: 262144 bytes are too long"),
    (String(repeating: "[", count: 100_000), "1:129: nested too deep"),
  ])
  func `what is wrong is told with what the text was taken for`(_ text: String, _ problem: String) {
    let report = check(text)
    #expect(report.problems.count == 1 && places(report)[0].hasPrefix(problem), "\(places(report))")
  }
}

@Suite struct AnnotationsBlockTests {
  @Test(arguments: [
    ("    oom.policy: largest-rss", "annotations: oom.policy: largest-rss, kill process"),
    (
      "oom.policy: |\n  victim: youngest\n  kill: pod\nprometheus.io/scrape: 'true'",
      "annotations: oom.policy: youngest, kill pod"
    ),
    ("  annotations:\n    oom.policy/web: youngest", "annotations: oom.policy/web: youngest, kill process"),
    ("metadata:\n  annotations:\n    oomlet.dev/policy: youngest", "annotations: oomlet.dev/policy: youngest, kill process"),
    (
      "spec:\n  template:\n    metadata:\n      annotations: {policy.oomlet.dev/web: kernel}",
      "annotations: policy.oomlet.dev/web: kernel, kill process"
    ),
    (#""oom.policy": "youngest""#, "annotations: oom.policy: youngest, kill process"),
    (#"{"annotations": {"oom.policy": "youngest"}}"#, "annotations: oom.policy: youngest, kill process"),
    ("oom.polcy: youngest", "annotations: no oom.policy"),
  ])
  func `lines of annotations are checked without their object`(_ text: String, _ item: String) {
    let report = check(text)
    #expect(report.problems.isEmpty && report.items.map(\.description) == [item], "\(places(report))")
  }

  @Test func `what is wrong with them is told where it stands`() {
    #expect(places(check("oom.policy: |\n  kill: pods"))[0].hasPrefix("2:9: annotations: oom.policy: kill: \"pods\""))
    #expect(places(check("  oom.policy: yungest"))[0].hasPrefix("1:15: annotations: oom.policy: \"yungest\" is no policy"))
    #expect(warnings(check("oom.polcy: youngest"))[0].hasPrefix("1:1: annotations: oom.polcy: oomlet does not read this key"))
    #expect(places(check("oom.policy: a\noomlet.dev/policy: b")).count == 3)
  }
}

@Suite struct PodTemplateTests {
  private static let template = "{metadata: {annotations: {oom.policy: youngest}}, spec: {containers: [{name: web}]}}"

  @Test(arguments: [
    ("ReplicationController", "spec: {template: \(template)}"), ("Rollout", "spec: {template: \(template)}"),
    ("DeploymentConfig", "spec: {template: \(template)}"), ("Service", "spec: {template: \(template)}"),
    ("PodTemplate", "template: \(template)"), ("CloneSet", "spec: {template: \(template)}"),
    ("JobSet", "spec: {replicatedJobs: [{name: a, template: {spec: {template: \(template)}}}]}"),
    ("ReplicationController", "spec: {template: {metadata: {annotations: {oom.policy: youngest}}}}"),
  ])
  func `whatever has containers in a template is a pod`(_ kind: String, _ members: String) {
    let report = check("apiVersion: x/v1\nkind: \(kind)\nmetadata: {name: shop}\n\(members)")
    #expect(report.problems.isEmpty && report.warnings.isEmpty)
    #expect(report.items.map(\.description) == ["\(kind) shop: oom.policy: youngest, kill process"])
    let wrong = check("apiVersion: x/v1\nkind: \(kind)\n" + members.replacing("youngest", with: "yungest"))
    #expect(places(wrong).count == 1 && places(wrong)[0].contains("\(kind): oom.policy: \"yungest\" is no policy"))
  }

  @Test func `OpenShift's templates and lists of anything are gone through`() {
    for (kind, list) in [("Template", "objects"), ("List", "items"), ("RolloutList", "items")] {
      let report = check(
        """
        apiVersion: x/v1
        kind: \(kind)
        \(list):
        - {apiVersion: x/v1, kind: Rollout, metadata: {name: "${NAME}"}, spec: {template: \(PodTemplateTests.template)}}
        parameters: [{name: NAME}]
        """)
      #expect(report.items.map(\.description) == ["Rollout ${NAME}: oom.policy: youngest, kill process"], "\(places(report))")
    }
  }

  @Test func `several pods of one object are told apart`() {
    let report = check(
      """
      apiVersion: ray.io/v1
      kind: RayCluster
      metadata: {name: ray}
      spec:
        headGroupSpec: {template: \(PodTemplateTests.template)}
        workerGroupSpecs:
        - {template: {metadata: {annotations: {oom.policy/wbe: oldest}}, spec: {containers: [{name: web}]}}}
      """)
    #expect(
      report.items.map(\.description) == [
        "RayCluster ray: oom.policy in spec.headGroupSpec.template: youngest, kill process",
        "RayCluster ray: oom.policy/wbe in spec.workerGroupSpecs[0].template: oldest, kill process",
      ])
    #expect(places(report).count == 1 && places(report)[0].contains("no container \"wbe\": expected web"))
  }

  @Test(arguments: [
    ("Pod", "metadata: {oom.policy: a}\nspec: {containers: []}", "in metadata: expected it in metadata.annotations"),
    ("Pod", "metadata: {labels: {oom.policy/web: a}}", "in metadata.labels: expected it in metadata.annotations"),
    ("Pod", "oom.policy: a", "there: expected it in metadata.annotations"),
    ("Pod", "spec: {containers: [{name: web, annotations: {oom.policy: a}}]}", "in spec.containers[0].annotations: expected it"),
    (
      "Deployment", "spec: {template: {spec: {annotations: {oom.policy: a}, containers: []}}}",
      "in spec.template.spec.annotations: expected it in spec.template.metadata.annotations"
    ),
    (
      "Rollout", "metadata: {annotations: {oomlet.dev/policy: a}}\nspec: {template: \(template)}",
      "in metadata.annotations: expected it in spec.template.metadata.annotations"
    ),
    (
      "CronJob", "spec: {jobTemplate: {metadata: {annotations: {oom.policy: a}}, spec: {template: \(template)}}}",
      "in spec.jobTemplate.metadata.annotations: expected it in spec.jobTemplate.spec.template.metadata.annotations"
    ),
    (
      "Namespace", "metadata: {annotations: {oom.policy: a}}",
      "in metadata.annotations: expected it in metadata.annotations of a pod, or of a template for pods"
    ),
    ("Service", "metadata: {annotations: {policy.oomlet.dev/web: a}}", "in metadata.annotations: expected it"),
  ])
  func `a key where nobody reads it is a warning`(_ kind: String, _ members: String, _ warning: String) {
    let report = check("apiVersion: v1\nkind: \(kind)\n\(members)")
    #expect(report.problems.isEmpty, "\(places(report))")
    #expect(warnings(report).count == 1 && warnings(report)[0].contains(": nobody reads it \(warning)"), "\(warnings(report))")
  }

  @Test func `what kustomize puts into all pods is read`() {
    let report = check(
      "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\ncommonAnnotations: {oom.policy: youngest}")
    #expect(report.problems.isEmpty && report.warnings.isEmpty)
  }
}

@Suite struct OtherFilesTests {
  @Test(arguments: [
    #"{"annotations": {"list": [{"builtIn": 1, "type": "dashboard"}]}, "panels": [], "title": "Overview"}"#,
    #"{"annotations": {"list": []}, "panels": []}"#, "rules:\n- alert: Down\n  expr: up == 0\ngroups: []",
    "metrics: {enabled: true}\nservice: {port: 80}", "kernel: linux\nsystem: x86_64\nhost: a",
  ])
  func `others' files are no node configuration`(_ text: String) {
    let report = check(text)
    #expect(report.items.isEmpty)
    #expect(
      places(report).count == 1 && places(report)[0].hasPrefix("1:1: nothing for oomlet in it: expected"), "\(places(report))")
    let found = Checker(grammar: PolicyGrammar()).check(Array(text.utf8), isFound: true)
    #expect(found.problems.isEmpty && found.items.map(\.description) == ["file of others: nothing for oomlet in it"])
  }

  @Test(arguments: [
    "annotations: {kill-pdo: false}", "rules: [{polcy: youngest}]", "rules: [{}]\nx: 1", "metrics: {adress: ''}\ny: 1",
    "journal: {max-sise: 1}\nz: 1", "rules: nope",
  ])
  func `one of ours is known in spite of a slip`(_ text: String) {
    #expect(places(check(text)).allSatisfy { !$0.contains("annotation value") && !$0.contains("nothing for oomlet") })
    #expect(!check(text).problems.isEmpty)
  }
}

@Suite struct OCIConfigTests {
  /// In Latin 1, in which each character is a byte.
  @Test(arguments: [
    (#""a": 1, "a": 2"#, "duplicate object key"), ("\"a\": \"\u{e9}\"", "decode"), (#""a": "\ud800""#, "invalid Unicode"),
  ])
  func `what the hook reads all the same is a warning`(_ member: String, _ why: String) {
    let text = config(#""oom.policy": "youngest", \#(member)"#).unicodeScalars.map { UInt8($0.value) }
    let report = Checker(grammar: PolicyGrammar()).check(text)
    #expect(
      report.problems.isEmpty && report.items.map(\.description) == ["OCI configuration web: oom.policy: youngest, kill process"])
    #expect(warnings(report).count == 1 && warnings(report)[0].contains("not JSON: "), "\(warnings(report))")
    #expect(
      warnings(report)[0].contains(why) && warnings(report)[0].hasSuffix("; the hook reads it all the same"),
      "\(warnings(report))")
  }

  private func config(_ annotations: String) -> String {
    """
    {
      "ociVersion": "1.2.0", "process": {"rlimits": [{"hard": 18446744073709551615}]},
      "annotations": {
        "io.kubernetes.cri.container-name": "web",
        \(annotations)
      }
    }
    """
  }

  @Test func `the container's annotations are checked`() {
    let report = check(config(#""oom.policy": "youngest", "oom.policy/db": "victim: oldest\nkill: pod", "\u006fom.polcy": "x""#))
    #expect(report.problems.isEmpty)
    #expect(
      report.items.map(\.description) == [
        "OCI configuration web: oom.policy: youngest, kill process", "OCI configuration web: oom.policy/db: oldest, kill pod",
      ])
    #expect(
      warnings(report) == ["5:77: OCI configuration web: oom.polcy: oomlet does not read this key; did you mean \"oom.policy\"?"])
  }

  @Test(arguments: [
    (#""oom.policy": "yungest""#, #"5:19: OCI configuration web: oom.policy: "yungest" is no policy"#),
    (
      #""oom.policy": "kill: pod\nkill: pod""#,
      "5:19: OCI configuration web: oom.policy: line 2, column 1 of the value: key \"kill\""
    ),
    (
      #""oom.policy": "youngest", "oomlet.dev/policy": "oldest""#,
      #"5:31: OCI configuration web: oomlet.dev/policy: "oldest", but oom.policy: "youngest""#
    ),
    (#""oom.policy": 7"#, #"5:19: OCI configuration: oom.policy: it is no string"#),
    (#""oom.policy": "a\ud800""#, "5:27: OCI configuration: not JSON: invalid Unicode '\\uD800'"),
    (#""oom.policy": "youngest", "oom.policy": "oldest""#, "5:42: OCI configuration: not JSON: duplicate object key"),
    (#""oom.policy": "youngest","#, "6:3: OCI configuration: not JSON"),
  ])
  func `what is wrong is told where it stands`(_ annotations: String, _ problem: String) {
    let report = check(config(annotations))
    #expect(report.problems.count == 1 && places(report)[0].hasPrefix(problem), "\(places(report))")
  }
}
