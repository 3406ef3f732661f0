// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the root has one product. `Modules` holds links to the root's
// sources; run.sh builds and runs what is here.

let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
]

let speaker: [Target.Dependency] = [
    "NetworkTypes", "Layer2", "BGP", "BFD", "Membership", "LoadBalancing", "Dataplane",
    "Kubernetes", "LinuxNetwork", "SealedDatagrams", "ClusterSource",
]
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .target(name: "NetworkTypes", path: "Modules/NetworkTypes", swiftSettings: settings),
        .target(
            name: "LoadBalancing", dependencies: ["NetworkTypes"], path: "Modules/LoadBalancing",
            swiftSettings: settings),
        .target(
            name: "Layer2", dependencies: ["NetworkTypes"], path: "Modules/Layer2",
            swiftSettings: settings),
        .target(
            name: "Membership", dependencies: ["NetworkTypes"], path: "Modules/Membership",
            swiftSettings: settings),
        .target(
            name: "Simulation",
            dependencies: ["NetworkTypes", "Layer2", "Membership", "LoadBalancing"],
            path: "Modules/Simulation", swiftSettings: settings),
        .target(
            name: "BGP", dependencies: ["NetworkTypes"], path: "Modules/BGP",
            swiftSettings: settings),
        .target(
            name: "BFD", dependencies: ["NetworkTypes"], path: "Modules/BFD",
            swiftSettings: settings),
        .target(
            name: "Dataplane", dependencies: ["NetworkTypes"], path: "Modules/Dataplane",
            swiftSettings: settings),
        .target(
            name: "Kubernetes", dependencies: ["NetworkTypes", yams], path: "Modules/Kubernetes",
            swiftSettings: settings),
        .target(
            name: "CLinux", path: "Modules/CLinux", linkerSettings: [.linkedLibrary("pcap")]),
        .target(
            name: "LinuxNetwork", dependencies: ["NetworkTypes", "CLinux"],
            path: "Modules/LinuxNetwork", swiftSettings: settings),
        .target(
            name: "SealedDatagrams", dependencies: ["NetworkTypes", "LinuxNetwork", crypto],
            path: "Modules/SealedDatagrams", swiftSettings: settings),
        .target(
            name: "ClusterSource",
            dependencies: ["NetworkTypes", "Kubernetes", "LinuxNetwork", log],
            // What speaks HTTP is not needed here, nor the libraries that it takes.
            path: "Modules/ClusterSource", exclude: ["API"], swiftSettings: settings),
        .target(
            name: "Speaker", dependencies: speaker + [crypto, log], path: "Modules/Speaker",
            swiftSettings: settings),
        .executableTarget(
            name: "RouteSender", dependencies: speaker + ["Speaker"], swiftSettings: settings),
        .executableTarget(
            name: "DataplaneBenchmark", dependencies: speaker + ["Speaker"],
            swiftSettings: settings),
        .executableTarget(
            name: "FailoverSimulation", dependencies: ["Simulation", "NetworkTypes"],
            swiftSettings: settings),
        .executableTarget(
            name: "AllocationBenchmark", dependencies: ["LoadBalancing", "NetworkTypes"],
            swiftSettings: settings),
    ]
)
