// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Release binaries are static: one file each, no Swift on the node, and the hook starts in a
/// millisecond. libelf and libz are what libbpf.a needs; symbols would double the size.
func staticExecutable(_ more: String...) -> [LinkerSetting] {
  [.unsafeFlags(["-static-executable", "-lelf", "-lz", "-Xlinker", "-s"] + more, .when(configuration: .release))]
}

let package = Package(
  name: "oomlet",
  products: [
    .executable(name: "oomlet", targets: ["oomlet"]),
    .executable(name: "oomlet-hook", targets: ["oomlet-hook"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // C
    .target(name: "COomletABI", path: "bpf/abi", sources: ["abi.c"]),
    .systemLibrary(name: "CLibbpf", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev", "libelf-dev"])]),
    .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
    .systemLibrary(name: "CYaml", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
    .target(name: "CLinux"),

    // values
    .target(name: "OomletModel", swiftSettings: strict),

    // boundaries
    .target(name: "OomletJSON", dependencies: ["CJansson", "OomletModel"], swiftSettings: strict),
    .target(name: "OomletYAML", dependencies: ["CYaml", "OomletModel"], swiftSettings: strict),
    .target(name: "OomletSystem", dependencies: ["CLinux", "OomletModel"], swiftSettings: strict),
    .target(name: "OomletOCI", dependencies: ["OomletModel", "OomletJSON"], swiftSettings: strict),
    .target(
      name: "OomletBPF", dependencies: ["CLibbpf", "CLinux", "COomletABI", "OomletModel", "OomletSystem"],
      swiftSettings: strict, plugins: ["BPFCompile"]),
    .target(
      name: "OomletJournal", dependencies: ["OomletModel", "OomletJSON", "OomletSystem"], swiftSettings: strict),
    .target(
      name: "OomletPrivileges", dependencies: ["CLinux", "CSeccomp", "OomletModel", "OomletSystem"], swiftSettings: strict),
    .target(
      name: "OomletMetrics",
      dependencies: [
        "CLinux", "OomletModel", "OomletSystem",
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),

    // use cases
    .target(
      name: "OomletPolicy", dependencies: ["OomletModel", "OomletYAML", "OomletJSON", "OomletOCI"], swiftSettings: strict),
    .target(
      name: "OomletAttach",
      dependencies: ["OomletModel", "OomletJSON", "OomletOCI", "OomletSystem", "OomletBPF", "OomletPolicy"],
      swiftSettings: strict),
    .target(
      name: "OomletAgent",
      dependencies: [
        "OomletModel", "OomletJSON", "OomletSystem", "OomletPrivileges", "OomletBPF", "OomletJournal", "OomletMetrics",
        "OomletPolicy", "OomletAttach",
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // programs
    .executableTarget(
      name: "oomlet-hook", dependencies: ["OomletAttach", "OomletPolicy"], swiftSettings: strict,
      linkerSettings: staticExecutable()),
    .executableTarget(
      name: "oomlet",
      dependencies: [
        "OomletAgent", "OomletAttach", "OomletBPF", "OomletJournal", "OomletPolicy",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict,
      linkerSettings: staticExecutable("-l_FoundationCShims", "-l_FoundationCollections", "-lswiftSynchronization")),

    // tests: what needs no kernel; the scenarios in the test kernel are in Tests/Scenarios
    .testTarget(name: "OomletModelTests", dependencies: ["OomletModel"]),
    .testTarget(name: "OomletBPFTests", dependencies: ["OomletBPF"]),
    .testTarget(name: "OomletOCITests", dependencies: ["OomletOCI"]),
    .testTarget(name: "OomletPolicyTests", dependencies: ["OomletPolicy", "OomletYAML", "OomletOCI"]),
    .testTarget(name: "OomletSystemTests", dependencies: ["OomletSystem", "OomletPrivileges"]),
    .testTarget(name: "OomletAttachTests", dependencies: ["OomletAttach"]),
    .testTarget(name: "OomletJournalTests", dependencies: ["OomletJournal"]),
    .testTarget(name: "OomletMetricsTests", dependencies: ["OomletMetrics"]),
    .testTarget(name: "OomletAgentTests", dependencies: ["OomletAgent"]),
    .testTarget(name: "CommandTests", dependencies: ["oomlet", "oomlet-hook"]),

    // build
    .executableTarget(name: "bpfembed", swiftSettings: strict),
    .plugin(name: "BPFCompile", capability: .buildTool(), dependencies: ["bpfembed"], path: "Sources/BPFCompile"),
  ]
)
