internal import OomletSystem

/// What the node has.
public enum LoadedPolicies {
  /// The policies that are loaded, sorted.
  public static var names: [String] { namesInDirectory(Pins.policies) ?? [] }
}
