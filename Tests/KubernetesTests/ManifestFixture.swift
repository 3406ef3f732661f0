import Foundation
import Kubernetes

/// Manifests of `Tests/Fixtures/manifests`, and short cuts to read manifests in tests.
enum ManifestFixture {
    static let names = [
        "clusterip-service.yaml", "nodeport-order-service.yaml", "nodeport-nginx.yaml",
        "loadbalancer-service.yaml", "externalname-service.yaml", "sise-one-pod.yaml",
        "sise-two-pods.yaml", "kubectl-list.yaml",
    ]

    static func text(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/manifests")
        return try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    static func file(_ name: String) throws -> ManifestFile {
        ManifestReader.read(try text(name), file: name)
    }

    /// The snapshot of files, assembled for the first time.
    static func snapshot(_ files: ManifestFile...) -> ClusterSnapshot {
        var assembler = SnapshotAssembler()
        return assembler.assemble(files)
    }
}

extension ManifestFile {
    var services: [Service] {
        objects.compactMap {
            if case .service(let service) = $0.value { return service }
            return nil
        }
    }

    var errors: [Problem] { problems.filter { $0.severity == .error } }
}
