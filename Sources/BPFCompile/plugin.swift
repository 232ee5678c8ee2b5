import Foundation
import PackagePlugin

/// Compiles `bpf/bpf_oom.bpf.c`, in each of its variants, and embeds the objects in the module, again whenever the source or a
/// header changes.
@main
struct BPFCompile: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let bpf = context.package.directoryURL.appending(path: "bpf")
    let source = bpf.appending(path: "bpf_oom.bpf.c")
    let headers = try ["include/oomlet", "abi/include"].flatMap { try files(in: bpf.appending(path: $0), suffix: ".h") }
    let clang = try ProcessInfo.processInfo.environment["BPF_CLANG"] ?? context.tool(named: "clang").url.path
    let include = ["include", "abi/include"].map { "-I" + bpf.appending(path: $0).path }
    let bpfembed = try context.tool(named: "bpfembed").url
    return BPFCompile.variants.map { name, flags in
      let output = context.pluginWorkDirectoryURL.appending(path: "\(name).swift")
      return .buildCommand(
        displayName: "Compiling BPF bpf_oom.bpf.c: \(name)",
        executable: bpfembed,
        arguments: [output.path, name, source.path, clang] + include + flags,
        inputFiles: [source] + headers,
        outputFiles: [output])
    }
  }

  /// The names of their objects in Swift, and what clang is told.
  private static let variants = [
    (name: "programsObject", flags: []), (name: "programsObjectImplicitArguments", flags: ["-DOOMLET_IMPLICIT_ARGUMENTS"]),
  ]

  private func files(in directory: URL, suffix: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
      .filter { $0.lastPathComponent.hasSuffix(suffix) }
      .sorted { $0.path < $1.path }
  }
}
