import Kubernetes
import LinuxNetwork
import NetworkTypes
import Synchronization

extension KubernetesSource: NodeLeases {
    private static let prefix = "martlet-speaker-"

    private func name(of node: String) -> ObjectName {
        ObjectName(namespace: settings.namespace, Self.prefix + node)
    }

    package func renew(node: String, duration: Duration) async throws {
        let record = LeaseRecord(
            holder: node, durationSeconds: Int(duration.components.seconds)
        ).stamped(.now())
        let request = record.change(name(of: node), manager: Self.speakerManager)
        let body: [UInt8]
        do throws(APIFailure) {
            body = try await sender.send(request, .lease).body
        } catch {
            guard error.code == 404 else { throw error }
            let creation = record.creation(name(of: node), manager: Self.speakerManager)
            body = try await sender.send(creation, .lease).body
        }
        let stored = try LeaseRecord(json: body)
        leases.withLock { $0[node] = stored.resourceVersion }
    }

    package func release(node: String) async throws {
        // Without a version of our own there is nothing of ours to release.
        guard let version = leases.withLock({ $0[node] }) else { return }
        let record = LeaseRecord(holder: "", durationSeconds: 1, resourceVersion: version)
            .stamped(.now())
        _ = try await sender.send(
            record.change(name(of: node), manager: Self.speakerManager), .lease)
    }

    package func read(node: String) async throws -> LeaseRecord? {
        do throws(APIFailure) {
            return try LeaseRecord(
                json: try await sender.send(.get(.leases, name(of: node)), .lease).body)
        } catch {
            guard error.code == 404 else { throw error }
            return nil
        }
    }

    package func readAll() async throws -> [String: LeaseRecord] {
        let request = APIRequest(
            path: APIResource.leases.path(namespace: settings.namespace), timeout: .seconds(10),
            answerBound: APIRequest.pageBound)
        let records = try LeaseRecord.list(json: try await client.send(request).body)
        var byNode: [String: LeaseRecord] = [:]
        for (name, record) in records where name.hasPrefix(Self.prefix) {
            byNode[String(name.dropFirst(Self.prefix.count))] = record
        }
        return byNode
    }
}
