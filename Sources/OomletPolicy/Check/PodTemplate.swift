internal import OomletYAML

/// A pod in a manifest, or what pods are made from.
struct PodTemplate {
  /// Where it is in its object; empty: it is the object.
  let path: String
  let node: YAMLNode

  var spec: YAMLNode? { node["spec"] }
  var annotationsPath: String { (path.isEmpty ? "" : path + ".") + "metadata.annotations" }

  /// All in an object of that kind: whatever has containers in its spec, and where everybody knows that a pod is.
  static func all(in object: YAMLNode, kind: String) -> [PodTemplate] {
    guard kind != "Pod" else { return [PodTemplate(path: "", node: object)] }
    var found: [PodTemplate] = []
    object.visit { path, node in
      guard !path.isEmpty, node["spec"]?["containers"]?.items != nil else { return true }
      found.append(PodTemplate(path: path, node: node))
      return false
    }
    // A patch need not have containers
    if found.isEmpty, let path = knownPath(kind), let node = path.reduce(object as YAMLNode?, { $0?[$1] }) {
      found.append(PodTemplate(path: path.joined(separator: "."), node: node))
    }
    return found
  }

  private static func knownPath(_ kind: String) -> [String]? {
    switch kind {
    case "CronJob": ["spec", "jobTemplate", "spec", "template"]
    case "PodTemplate": ["template"]
    default: isKnown(kind) ? ["spec", "template"] : nil
    }
  }

  /// Kinds of Kubernetes' own; podman's `kube play` knows some of them.
  static func isKnown(_ kind: String) -> Bool {
    ["Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "CronJob", "ReplicationController", "PodTemplate"].contains(
      kind)
  }
}

extension YAMLNode {
  /// Calls with each mapping and its path; it returns whether those in it are of interest.
  func visit(path: String = "", _ look: (String, YAMLNode) -> Bool) {
    switch value {
    case .scalar: break
    case .sequence(let items): for (i, item) in items.enumerated() { item.visit(path: "\(path)[\(i)]", look) }
    case .mapping(let members):
      guard look(path, self) else { return }
      for member in members { member.value.visit(path: path.isEmpty ? member.key : "\(path).\(member.key)", look) }
    }
  }
}
