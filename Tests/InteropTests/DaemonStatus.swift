import Foundation

/// What the tests read of `status -o json`.
struct DaemonStatus: Decodable {
    struct Service: Decodable {
        struct Address: Decodable {
            var address: String
            var owner: String?
        }
        var service: String
        var addresses: [Address]
        var unmet: String?
    }
    struct Interface: Decodable {
        var interface: String
        var macAddress: String
        var listening: Bool
        var answering: Int
    }
    struct Problem: Decodable {
        var severity: String
        var object: String?
        var rule: String
        var remedy: String
    }
    /// What the gossip says.
    struct Gossip: Decodable {
        struct Member: Decodable {
            var node: String
            var state: String
            var draining: Bool
        }
        var isolatedForSeconds: Double?
        var members: [Member]

        /// How many are alive, this node included.
        var aliveCount: Int { members.count { $0.state == "alive" } }
    }
    /// While the API server is away.
    struct LastGood: Decodable {
        /// Whether what is known comes from a former process.
        var restored: Bool
    }
    var lastGood: LastGood?
    /// The Leases, with `--fencing lease`.
    struct Fence: Decodable {
        struct Awaited: Decodable { var node: String }
        /// Absent while this node's Lease is not fresh.
        var freshForSeconds: Double?
        /// Addresses that wait.
        var waiting: Int
        var awaited: [Awaited]
    }
    var fence: Fence?
    /// An address whose owner the gossip has lost and the wire has not.
    struct Held: Decodable {
        var address: String
        var by: String
    }
    var gossip: Gossip?
    var held: [Held]?
    var allocates: Bool
    var services: [Service]
    var interfaces: [Interface]
    var problems: [Problem]

    /// The addresses of a Service, in order.
    func addresses(of service: String) -> [String] {
        services.first { $0.service == service }?.addresses.map(\.address) ?? []
    }
}

extension NamespacedLAN {
    /// `martlet status -o json` of a node's daemon; `nil` while there is no answer.
    func status(at node: String = "node-a") -> DaemonStatus? {
        guard
            let output = try? Shell.run(
                [Self.executable, "status", "--admin", adminSocket(node), "-o", "json"],
                allowFailure: true),  // no daemon yet is no answer yet
            output.status == 0
        else { return nil }
        return try? JSONDecoder().decode(DaemonStatus.self, from: Data(output.text.utf8))
    }

    /// The addresses that `allocations.json` gives to each Service.
    func allocations() throws -> [String: [String]] {
        struct File: Decodable {
            struct Record: Decodable { var addresses: [String] }
            var services: [String: Record]
        }
        let file = folder.appending(path: "state/allocations.json")
        guard FileManager.default.fileExists(atPath: file.path) else { return [:] }
        return try JSONDecoder().decode(File.self, from: Data(contentsOf: file))
            .services.mapValues(\.addresses)
    }
}
