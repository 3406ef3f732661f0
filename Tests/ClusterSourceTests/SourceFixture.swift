import ClusterSource
import Foundation
import Kubernetes
import Logging
import NetworkTypes
import Testing

/// A folder of its own for one test, removed with it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "cluster-source-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path + "/manifests", withIntermediateDirectories: true)
    }

    deinit {
        // Best effort: what is left over is in the temporary folder.
        try? FileManager.default.removeItem(atPath: path)
    }

    var manifests: String { path + "/manifests" }
    var state: String { path + "/state" }

    /// Writes a file below the scratch folder in place, as `cat >` does.
    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }

    func move(_ name: String, to other: String) throws {
        guard unsafe rename(path + "/" + name, path + "/" + other) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path + "/" + name)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: path + "/" + name, withDestinationPath: target)
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: path + "/" + name, withIntermediateDirectories: true)
    }
}

/// A Service of type LoadBalancer in namespace `default`.
func service(_ name: String, port: Int = 80, ingress: String? = nil) -> String {
    var text = """
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: default}
        spec: {type: LoadBalancer, ports: [{port: \(port)}]}

        """
    if let ingress { text += "status: {loadBalancer: {ingress: [{ip: \(ingress)}]}}\n" }
    return text
}

func name(_ text: String) -> ObjectName { ObjectName(namespace: "default", text) }

extension ClusterState {
    /// The names of the Services.
    var services: Set<String> { Set(snapshot.services.keys.map(\.name)) }

    /// The first port of a Service.
    func port(of service: String) -> UInt16? {
        snapshot.services[name(service)]?.ports.first?.port
    }

    /// The addresses of a Service, as text.
    func ingress(of service: String) -> [String]? {
        snapshot.services[name(service)]?.ingress.map(\.address.description)
    }
}

struct TimedOut: Error {
    var last: ClusterState?
}

extension SnapshotSource {
    /// The first state that meets a condition; the present one counts.
    @discardableResult
    func state(
        within limit: Duration = .seconds(20),
        where isMet: @escaping @Sendable (ClusterState) -> Bool
    ) async throws -> ClusterState {
        let stream = states()
        return try await withThrowingTaskGroup(of: ClusterState.self) { group in
            group.addTask {
                var last: ClusterState?
                for await state in stream {
                    if isMet(state) { return state }
                    last = state
                }
                throw TimedOut(last: last)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw TimedOut()
            }
            defer { group.cancelAll() }
            guard let state = try await group.next() else { throw TimedOut() }
            return state
        }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Runs a source on the scratch folder for as long as the body takes.
func withSource(
    _ scratch: Scratch, state: Bool = true, node: String = "node-a", contends: Bool = true,
    _ body: (FolderSource) async throws -> Void
) async throws {
    let source = try FolderSource(
        settings: .init(
            manifests: scratch.manifests, state: state ? scratch.state : nil, node: node,
            contends: contends), logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await source.run() }
        // A source that cannot start ends its streams, and the body fails on that.
        let result: Result<Void, any Error>
        do { result = .success(try await body(source)) } catch { result = .failure(error) }
        group.cancelAll()
        try await group.waitForAll()
        try result.get()
    }
}
