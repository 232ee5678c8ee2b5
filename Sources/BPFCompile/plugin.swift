import Foundation
import PackagePlugin

/// Compiles `bpf/oomlet.bpf.c` and embeds the object in the module, again whenever the source or a header changes.
@main
struct BPFCompile: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let bpf = context.package.directoryURL.appending(path: "bpf")
    let source = bpf.appending(path: "oomlet.bpf.c")
    let headers = try ["include/oomlet", "abi/include"].flatMap { try files(in: bpf.appending(path: $0), suffix: ".h") }
    let output = context.pluginWorkDirectoryURL.appending(path: "ProgramsObject.swift")
    let clang = try ProcessInfo.processInfo.environment["BPF_CLANG"] ?? context.tool(named: "clang").url.path
    let include = ["include", "abi/include"].map { "-I" + bpf.appending(path: $0).path }
    return [
      .buildCommand(
        displayName: "Compiling BPF oomlet.bpf.c",
        executable: try context.tool(named: "bpfembed").url,
        arguments: [output.path, source.path, clang] + include,
        inputFiles: [source] + headers,
        outputFiles: [output])
    ]
  }

  private func files(in directory: URL, suffix: String) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
      .filter { $0.lastPathComponent.hasSuffix(suffix) }
      .sorted { $0.path < $1.path }
  }
}
