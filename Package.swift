// swift-tools-version: 6.2
import PackageDescription

// Rings as in Docs/Architecture.md: a target depends only on targets of rings below its own.
// Tests/RepositoryTests reads the sources and fails when an import breaks this.

let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let safe: [SwiftSetting] = common + [.strictMemorySafety()]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let nio: [Target.Dependency] = ["NIOCore", "NIOPosix", "NIOHTTP1"].map {
    .product(name: $0, package: "swift-nio")
}
let httpClient: Target.Dependency = .product(
    name: "AsyncHTTPClient", package: "async-http-client")
let tls: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let http2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let arguments: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "martlet",
    products: [.executable(name: "martlet", targets: ["martlet"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Ring 0: vocabulary.
        .target(name: "NetworkTypes", swiftSettings: safe),

        // Ring 1: decisions, pure.
        .target(name: "Layer2", dependencies: ["NetworkTypes"], swiftSettings: safe),
        .target(name: "BGP", dependencies: ["NetworkTypes"], swiftSettings: safe),
        .target(name: "BFD", dependencies: ["NetworkTypes"], swiftSettings: safe),
        .target(name: "Membership", dependencies: ["NetworkTypes"], swiftSettings: safe),
        .target(name: "LoadBalancing", dependencies: ["NetworkTypes"], swiftSettings: safe),
        .target(name: "Dataplane", dependencies: ["NetworkTypes"], swiftSettings: safe),
        .target(name: "Kubernetes", dependencies: ["NetworkTypes", yams], swiftSettings: safe),

        // Ring 2: the outside.
        .target(name: "CLinux", linkerSettings: [.linkedLibrary("pcap")]),
        .target(
            name: "LinuxNetwork", dependencies: ["NetworkTypes", "CLinux"], swiftSettings: safe),
        .target(
            name: "SealedDatagrams", dependencies: ["NetworkTypes", "LinuxNetwork", crypto],
            swiftSettings: safe),
        .target(
            name: "ClusterSource",
            dependencies: [
                "NetworkTypes", "Kubernetes", "LinuxNetwork", httpClient, tls, http2, subprocess,
                yams, log,
            ] + nio,
            swiftSettings: safe),
        .target(
            name: "AdminServer", dependencies: [hummingbird, httpClient, lifecycle, log] + nio,
            swiftSettings: common),

        // Ring 3: shells.
        .target(
            name: "Controller",
            dependencies: ["NetworkTypes", "LoadBalancing", "Kubernetes", "ClusterSource", log],
            swiftSettings: safe),
        .target(
            name: "Speaker",
            dependencies: [
                "NetworkTypes", "Layer2", "BGP", "BFD", "Membership", "LoadBalancing", "Dataplane",
                "Kubernetes", "LinuxNetwork", "SealedDatagrams", "ClusterSource", crypto, log,
            ],
            swiftSettings: safe),

        // Ring 4: the face.
        .executableTarget(
            name: "martlet",
            dependencies: [
                "NetworkTypes", "Layer2", "BGP", "BFD", "Membership", "LoadBalancing", "Dataplane",
                "Kubernetes", "LinuxNetwork", "SealedDatagrams", "ClusterSource", "AdminServer",
                "Controller",
                "Speaker", arguments,
                lifecycle, .product(name: "UnixSignals", package: "swift-service-lifecycle"), log,
            ] + nio,
            swiftSettings: safe),
    ] + tests
)

var tests: [Target] {
    [
        ("NetworkTypes", []), ("Layer2", []), ("BGP", ["NetworkTypes"]),
        ("BFD", ["NetworkTypes"]), ("Membership", ["NetworkTypes"]),
        ("LoadBalancing", []), ("Dataplane", []),
        ("Kubernetes", ["NetworkTypes"]),
        ("LinuxNetwork", ["NetworkTypes", "CLinux", "TestNetwork"]),
        ("SealedDatagrams", ["NetworkTypes", "LinuxNetwork"]),
        ("ClusterSource", ["NetworkTypes", "Kubernetes", "LinuxNetwork"]), ("AdminServer", []),
        ("Controller", ["NetworkTypes", "LoadBalancing", "Kubernetes", "ClusterSource"]),
        (
            "Speaker",
            [
                "NetworkTypes", "Layer2", "BGP", "BFD", "Membership", "LoadBalancing",
                "Dataplane", "Kubernetes", "LinuxNetwork", "SealedDatagrams", "ClusterSource",
                "TestNetwork",
            ]
        ),
    ].map { name, dependencies in
        .testTarget(
            name: name + "Tests",
            dependencies: [.byName(name: name)] + dependencies.map { .byName(name: $0) }
                + (name == "ClusterSource" ? [tls, http2, subprocess, log] + nio : []),
            swiftSettings: common)
    } + [
        .target(
            name: "TestNetwork", dependencies: ["NetworkTypes", "LinuxNetwork"],
            path: "Tests/TestNetwork", swiftSettings: common),
        .target(
            name: "Simulation",
            dependencies: ["NetworkTypes", "Layer2", "Membership", "LoadBalancing"],
            path: "Tests/Simulation", swiftSettings: common),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                "Simulation", "NetworkTypes", "Layer2", "Membership", "LoadBalancing", "Kubernetes",
            ], swiftSettings: common),
        .target(
            name: "ScriptedAPIServer", dependencies: [yams, tls, http2, log] + nio,
            path: "Tests/ScriptedAPIServer", swiftSettings: common),
        .executableTarget(
            name: "scripted-apiserver", dependencies: ["ScriptedAPIServer", arguments],
            path: "Tests/ScriptedAPIServerTool", swiftSettings: common),
        .testTarget(
            name: "ScriptedAPIServerTests", dependencies: ["ScriptedAPIServer", httpClient, tls],
            swiftSettings: common),
        .testTarget(
            name: "ClusterAPITests",
            dependencies: [
                "ScriptedAPIServer", "NetworkTypes", "Kubernetes", "ClusterSource",
                "LoadBalancing", "Controller", log,
            ],
            swiftSettings: common),
        .testTarget(name: "RepositoryTests", dependencies: [yams], swiftSettings: common),
        .testTarget(
            name: "InteropTests", dependencies: ["martlet", "scripted-apiserver"],
            swiftSettings: common),
    ]
}
