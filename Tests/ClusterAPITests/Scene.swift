import ClusterSource
import Foundation
import Kubernetes
import ScriptedAPIServer
import Synchronization
import Testing

/// The suites of this folder, one test after the other: each has a server and controllers of its
/// own, whose times mean something only while nobody else takes the processor.
@Suite(.serialized) enum ClusterAPITests {}

/// A scripted API server with Martlet's own definitions and roles, and controllers that work on it
/// over HTTP, each as its ServiceAccount.
///
/// ```
/// try await Scene.play { scene in
///     try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
///     try scene.begin()
///     try scene.create(Sample.service("web"))
///     try await scene.addresses(of: "web", become: ["192.0.2.10"])
/// }
/// ```
final class Scene: Sendable {
    let server: ScriptedAPIServer
    /// Files of this scene alone.
    let folder: URL
    private let controllers = Mutex<[RunningController]>([])

    static let namespace = "metallb-system"
    /// Where Services of the scene are.
    static let shop = "shop"
    /// The ServiceAccount of the manifests.
    static let account = "martlet-controller"

    private init(_ settings: ServerSettings) throws {
        server = ScriptedAPIServer(settings)
        folder = FileManager.default.temporaryDirectory
            .appending(path: "scene-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Calls `body` with a server that runs; afterwards nothing of it is left.
    ///
    /// - Parameter lacks: definitions that are not installed, by the name of their file.
    static func play(
        _ settings: ServerSettings = ServerSettings(), lacks: Set<String> = [],
        _ body: (Scene) async throws -> Void
    ) async throws {
        let scene = try Scene(settings)
        do {
            for place in ["crds", "rbac"] {
                for file in try deployed(place) where !lacks.contains(file.name) {
                    try scene.server.cluster.apply(yaml: file.text)
                }
            }
            try scene.create([
                "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": .string(shop)],
            ])
            try await scene.server.start()
            try await body(scene)
        } catch {
            try await scene.end()
            throw error
        }
        try await scene.end()
    }

    private func end() async throws {
        for controller in controllers.withLock({ $0 }) { await controller.kill() }
        try await server.stop()
        try FileManager.default.removeItem(at: folder)
    }

    /// The manifests of a folder of `deploy/kubernetes`, by name without `.yaml`.
    static func deployed(_ place: String) throws -> [(name: String, text: String)] {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "deploy/kubernetes/\(place)")
        return try FileManager.default
            .contentsOfDirectory(at: root, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "yaml" && $0.lastPathComponent != "kustomization.yaml" }
            .sorted { $0.path < $1.path }
            .map {
                (
                    $0.deletingPathExtension().lastPathComponent,
                    try String(contentsOf: $0, encoding: .utf8)
                )
            }
    }

    // MARK: Controllers

    /// Starts a controller.
    ///
    /// - Parameters:
    ///   - account: the ServiceAccount: another name than that of the manifests is given the same
    ///     rights, so that faults can concern one of two controllers.
    ///   - change: what is different about how it reaches the server.
    @discardableResult
    func begin(
        as account: String = account, election: LeaderElection.Timing = .init(),
        requestsPerSecond: Int = 500, change: (inout ClusterAccess) throws -> Void = { _ in }
    ) throws -> RunningController {
        if account != Self.account { try admit(account) }
        let file = folder.appending(path: "kubeconfig-\(UUID().uuidString)")
        let user = ServerUser.serviceAccount(Self.namespace, account)
        try server.kubeconfig(for: user).write(to: file, atomically: true, encoding: .utf8)
        var access = try ClusterAccess.kubeconfig(paths: [file.path])
        try change(&access)
        let controller = try RunningController(
            account: account, access: access, election: election,
            requestsPerSecond: requestsPerSecond)
        controllers.withLock { $0.append(controller) }
        return controller
    }

    /// Starts a controller, and returns when it is the one that writes.
    @discardableResult
    func beginLeading(requestsPerSecond: Int = 500) async throws -> RunningController {
        let controller = try begin(requestsPerSecond: requestsPerSecond)
        try await eventually("the controller leads") { controller.leads }
        return controller
    }

    /// Gives another ServiceAccount what the controller's may.
    private func admit(_ account: String) throws {
        for (resource, namespace) in [
            ("clusterrolebindings", ""), ("rolebindings", Self.namespace),
        ] {
            let binding = try #require(
                try server.cluster.get(resource, namespace: namespace, Self.account))
            let subject: JSONValue = [
                "kind": "ServiceAccount", "name": .string(account),
                "namespace": .string(Self.namespace),
            ]
            let subjects = binding["subjects"]?.array ?? []
            guard !subjects.contains(subject) else { continue }
            try server.cluster.patch(
                resource, namespace: namespace, Self.account,
                ["subjects": .array(subjects + [subject])])
        }
    }

    // MARK: Waiting

    /// It took too long.
    struct Late: Error, CustomStringConvertible {
        let description: String
    }

    /// Returns as soon as something is so; the time is for a machine that is very busy.
    func eventually(
        _ what: String, within limit: Duration = .seconds(45),
        _ isSo: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now + limit
        var pause = Duration.milliseconds(2)
        while try await !isSo() {
            guard ContinuousClock.now < end else {
                throw Late(description: "not within \(limit): \(what)")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 1.2, .milliseconds(40))
        }
    }
}
