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

let package = Package(
    name: "benchmarks",
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
        .executableTarget(
            name: "FailoverSimulation", dependencies: ["Simulation", "NetworkTypes"],
            swiftSettings: settings),
        .executableTarget(
            name: "AllocationBenchmark", dependencies: ["LoadBalancing", "NetworkTypes"],
            swiftSettings: settings),
    ]
)
