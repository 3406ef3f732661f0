import Foundation

/// The example manifests, as they stand in the repository.
enum Fixture {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures/manifests")

    static func text(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    /// A ready Pod at the backend of a node.
    static func pod(_ name: String, _ label: String, on letter: String) -> String {
        let index = NamespacedLAN.letters.firstIndex(of: letter) ?? 0
        return """
            apiVersion: v1
            kind: Pod
            metadata: {name: \(name), labels: {\(label)}}
            spec: {nodeName: node-\(letter), containers: [{name: main, image: main}]}
            status:
              phase: Running
              podIPs: [{ip: 198.51.100.\(64 * index + 10)}, {ip: '2001:db8:\(letter)::10'}]
              conditions: [{type: Ready, status: "True"}]

            """
    }
}
