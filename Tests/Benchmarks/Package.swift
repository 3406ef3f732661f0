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
        .executableTarget(
            name: "AllocationBenchmark", dependencies: ["LoadBalancing", "NetworkTypes"],
            swiftSettings: settings),
    ]
)
