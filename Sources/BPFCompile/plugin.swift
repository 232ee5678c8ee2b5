import Foundation
import PackagePlugin

/// Compiles the programs of each tier in `bpf/`, in all variants, and embeds the objects in the module, again whenever the source or a
/// header changes.
@main
struct BPFCompile: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let bpf = context.package.directoryURL.appending(path: "bpf")
    let headers = try ["include/oomlet", "abi/include"].flatMap { try files(in: bpf.appending(path: $0), suffix: ".h") }
    let clang = try ProcessInfo.processInfo.environment["BPF_CLANG"] ?? context.tool(named: "clang").url.path
    let include = ["include", "abi/include"].map { "-I" + bpf.appending(path: $0).path }
    let bpfembed = try context.tool(named: "bpfembed").url
    return BPFCompile.variants.map { name, file, flags in
      let source = bpf.appending(path: file)
      let output = context.pluginWorkDirectoryURL.appending(path: "\(name).swift")
      return .buildCommand(
        displayName: "Compiling BPF \(file): \(name)",
        executable: bpfembed,
        arguments: [output.path, name, source.path, clang] + include + flags,
        inputFiles: [source] + headers,
        outputFiles: [output])
    }
  }

  /// The names of their objects in Swift, the source, and what clang is told.
  private static let variants = [
    (name: "programsObject", file: "bpf_oom.bpf.c", flags: []),
    (name: "programsObjectImplicitArguments", file: "bpf_oom.bpf.c", flags: ["-DOOMLET_IMPLICIT_ARGUMENTS"]),
    (name: "tracingObject", file: "tracing.bpf.c", flags: []),
  ]

  private func files(in directory: URL, suffix: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
      .filter { $0.lastPathComponent.hasSuffix(suffix) }
      .sorted { $0.path < $1.path }
  }
}
