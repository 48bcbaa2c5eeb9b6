// swift-tools-version: 6.2
// Targets are listed in import order, lowest first: a target may import only what stands above it.
import PackageDescription

let settings: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ folder: String, _ name: String, _ dependencies: [String]) -> Target {
  .target(
    name: name, dependencies: dependencies.map { .byName(name: $0) },
    path: "Sources/\(folder)/\(name)", swiftSettings: settings)
}

func core(_ name: String, _ dependencies: String...) -> Target {
  library("Core", name, dependencies)
}

func adapter(_ name: String, _ dependencies: String...) -> Target {
  library("Adapters", name, dependencies)
}

func runtime(_ name: String, _ dependencies: String...) -> Target {
  library("Runtime", name, dependencies)
}

func program(_ name: String, _ dependencies: String...) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies.map { .byName(name: $0) },
    path: "Sources/Apps/\(name)", swiftSettings: settings)
}

func foreign(_ name: String) -> Target {
  .systemLibrary(name: name, path: "Sources/Foreign/\(name)")
}

/// `others`: files there that are not Swift's.
func tests(_ name: String, _ dependencies: String..., others: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies.map { .byName(name: $0) },
    path: "Tests/\(name)Tests", exclude: others, swiftSettings: settings)
}

let targets: [Target] = [
  foreign("COpenSSL"), foreign("CVPX"), foreign("COpus"), foreign("CALSA"), foreign("CV4L"),
  foreign("CJPEG"),
  foreign("CSDL"), foreign("CFFmpeg"), foreign("CSQLite"), foreign("CUnistring"),
  foreign("CISAL"), foreign("CLinux"),

  core("Units"),
  core("Wire", "Units"),
  core("Media", "Units"),
  core("Hearing", "Units", "Media"),
  core("Ciphers"),
  core("Sending", "Units", "Wire", "Media"),
  core("Receiving", "Units", "Wire", "Media"),
  core("Links", "Units", "Wire", "Ciphers"),
  core("Rooms", "Units", "Wire", "Ciphers"),
  core("Checks", "Units", "Wire", "Ciphers", "Links", "Rooms"),
  core(
    "Call", "Units", "Wire", "Media", "Ciphers", "Sending", "Receiving", "Links", "Rooms"),

  adapter("Encryption", "COpenSSL", "CUnistring", "Units", "Ciphers", "Links", "Rooms"),
  adapter("VideoCodec", "CVPX", "Units", "Media"),
  adapter("AudioCodec", "COpus", "Units", "Media"),
  adapter("ErasureCoding", "CISAL", "Media"),
  adapter("Camera", "CV4L", "CJPEG", "CLinux", "Units", "Media"),
  adapter("Sound", "CALSA", "CLinux", "Units", "Media"),
  adapter("Files", "CLinux", "CSQLite", "Units", "Wire", "Media", "Rooms"),
  adapter("Window", "CSDL", "CLinux", "Units", "Media"),

  runtime("Runtime", "CLinux", "Units"),
  runtime(
    "ServerRuntime", "Runtime", "CLinux", "Units", "Wire", "Ciphers", "Links", "Rooms"),
  runtime(
    "CallRuntime", "Runtime", "CLinux", "Units", "Wire", "Media", "Hearing", "Ciphers", "Sending",
    "Receiving", "Links", "Rooms", "Checks", "Call"),

  .target(
    name: "Simulation",
    dependencies: [
      "Units", "Wire", "Media", "Ciphers", "Sending", "Receiving", "Links", "Rooms", "Call",
      "ErasureCoding",
    ], path: "Sources/Simulation", swiftSettings: settings),

  library(
    "Apps", "CommandLine", ["CLinux", "Units", "Wire", "Media", "Links", "Rooms", "Checks", "Call"]),
  library("Apps", "Judging", ["CommandLine", "Units", "Media"]),
  program(
    "p2pcall", "CommandLine", "CallRuntime", "Runtime", "Encryption", "VideoCodec", "AudioCodec",
    "ErasureCoding", "Camera", "Sound", "Files", "Window", "CLinux", "Units", "Wire", "Media",
    "Ciphers", "Links", "Rooms", "Checks", "Call"),
  program(
    "p2pcall-rendezvous", "CommandLine", "ServerRuntime", "Runtime", "Encryption", "Files",
    "CLinux", "Units", "Wire", "Ciphers", "Links", "Rooms"),
  library(
    "Apps", "Simulating",
    [
      "CLinux", "CommandLine", "Judging", "Simulation", "VideoCodec", "Files", "Media", "Rooms",
      "Units",
    ]),
  program("p2pcall-simulate", "Simulating", "CLinux"),
  program(
    "p2pcall-link", "Simulating", "Simulation", "CommandLine", "Runtime", "CLinux", "Units"),
  program("p2pcall-media", "CFFmpeg", "CLinux", "Units", "Media"),
  program(
    "p2pcall-bench", "CommandLine", "Judging", "Simulating", "Simulation", "Runtime", "Encryption",
    "ErasureCoding", "VideoCodec", "AudioCodec", "CLinux", "Units", "Wire", "Media", "Ciphers",
    "Sending",
    "Receiving", "Links", "Rooms"),

  .target(
    name: "Fixtures", dependencies: ["CLinux", "COpenSSL", "Links", "Units"],
    path: "Tests/Fixtures",
    swiftSettings: settings),
  tests("Units", "Units"),
  tests("Wire", "Wire", "Units"),
  tests("Media", "Media", "Units"),
  tests("Hearing", "Hearing", "Media", "Units"),
  tests("Sending", "Sending", "ErasureCoding", "Wire", "Media", "Units"),
  tests("Receiving", "Receiving", "Sending", "ErasureCoding", "Wire", "Media", "Units"),
  tests("Links", "Links", "Fixtures", "Wire", "Ciphers", "Units"),
  tests("Rooms", "Rooms", "Wire", "Ciphers", "Encryption", "Units"),
  tests("Checks", "Checks", "Fixtures", "Simulation", "Rooms", "Links", "Wire", "Ciphers", "Units"),
  tests(
    "Call", "Call", "Simulation", "ErasureCoding", "Links", "Rooms", "Sending", "Receiving",
    "Wire", "Media", "Ciphers", "Units"),
  tests(
    "Encryption", "Encryption", "Fixtures", "Rooms", "Links", "Wire", "Ciphers", "COpenSSL", "Units"
  ),
  tests(
    "Cost", "Encryption", "ErasureCoding", "Sending", "Receiving", "Links", "Wire", "Media", "Units"
  ),
  tests("VideoCodec", "VideoCodec", "Fixtures", "CFFmpeg", "Media", "Units"),
  tests("ErasureCoding", "ErasureCoding", "Media", "Units"),
  tests("AudioCodec", "AudioCodec", "Simulation", "Wire", "Media", "Units"),
  tests("Camera", "Camera", "CV4L", "CLinux", "Media", "Units"),
  tests("Sound", "Sound", "CALSA", "CLinux", "Media", "Units"),
  tests("Files", "Files", "Fixtures", "CLinux", "Wire", "Rooms", "Media", "Units"),
  tests("Window", "Window", "CSDL", "CLinux", "Media", "Units"),
  tests("Runtime", "Runtime", "CLinux", "Units"),
  tests(
    "ServerRuntime", "ServerRuntime", "Fixtures", "Runtime", "Encryption", "Files", "Links",
    "Rooms", "Wire", "Ciphers", "CLinux", "Units"),
  tests(
    "CallRuntime", "CallRuntime", "Fixtures", "Hearing", "Runtime", "Encryption", "Call",
    "Receiving",
    "Sending", "ErasureCoding", "Links", "Rooms", "Media", "Wire", "Ciphers", "CLinux", "Units"),
  tests(
    "Relay", "Runtime", "Encryption", "Rooms", "Links", "Fixtures", "Wire", "Ciphers", "CLinux",
    "Units"),
  tests(
    "Ice", "Runtime", "Encryption", "Links", "Wire", "Ciphers", "CLinux", "Units",
    others: ["libnice-agent.py"]),
  tests(
    "CommandLine", "CommandLine", "CLinux", "Simulation", "Links", "Rooms", "Checks", "Call",
    "Media", "Wire", "Units"),
  tests("Judging", "Judging", "Media", "Units"),
  tests(
    "Scenario", "Simulating", "CommandLine", "Judging", "Simulation", "Call", "Sending",
    "Receiving", "Media", "Links", "Rooms", "Wire", "Ciphers", "Units"),
  tests(
    "EndToEnd", "p2pcall", "p2pcall-rendezvous", "p2pcall-media", "p2pcall-link", "CLinux"),
  tests("Tidy"),
]

let package = Package(
  name: "p2pcall",
  targets: targets,
  swiftLanguageModes: [.v6]
)
