import Foundation
import Testing

extension RealNetwork {
    @Suite struct SharedStateTests {}
}

/// Several daemons on one `--state` folder, and daemons that are killed at any moment.
extension RealNetwork.SharedStateTests {
    private static let widePool = """
        apiVersion: metallb.io/v1beta1
        kind: IPAddressPool
        metadata: {name: wide}
        spec: {addresses: [198.18.0.0/20]}
        ---
        apiVersion: metallb.io/v1beta1
        kind: L2Advertisement
        metadata: {name: wide}

        """

    private func service(_ name: String) -> String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: \(name)}
        spec: {type: LoadBalancer, ports: [{port: 80}]}

        """
    }

    private func allocators(_ lan: NamespacedLAN) -> [String] {
        lan.nodes.filter { lan.status(at: $0)?.allocates == true }
    }

    @Test("of three daemons one allocates; when it is killed another takes over within a second")
    func takeover() throws {
        let lan = try NamespacedLAN(nodes: 3)
        try lan.write("pool.yaml", Manifests.pool)
        try lan.write("nodes.yaml", Manifests.nodes(lan.nodes))
        for index in 0..<5 { try lan.write("\(index).yaml", service("web-\(index)")) }
        var daemons: [String: Background] = [:]
        for node in lan.nodes { daemons[node] = try lan.martlet(node) }
        let areServed = eventually(within: 10) {
            lan.nodes.allSatisfy { node in
                lan.status(at: node).map { status in
                    (0..<5).allSatisfy { !status.addresses(of: "default/web-\($0)").isEmpty }
                } == true
            }
        }
        #expect(areServed != nil, lan.lastWords)
        let before = try lan.allocations()
        #expect(before.count == 5)
        let first = allocators(lan)
        #expect(first.count == 1, lan.lastWords)
        let leader = try #require(first.first)

        let begin = wallClock()
        daemons[leader]?.signal(SIGKILL)
        try lan.write("later.yaml", service("later"))
        let isServed = try eventually(within: 5, every: 0.002) {
            try lan.allocations()["default/later"]?.isEmpty == false
        }
        #expect(isServed != nil, lan.lastWords)
        let seconds = wallClock() - begin
        report("allocator killed: another has allocated for a new Service", seconds)
        #expect(seconds < 1)
        #expect(try lan.allocations().filter { $0.key != "default/later" } == before)
        let second = allocators(lan)
        #expect(second.count == 1 && second != [leader], lan.lastWords)

        // The dead one comes back: it follows, and nothing moves.
        let after = try lan.allocations()
        try lan.martlet(leader)
        let follows = eventually { lan.status(at: leader)?.allocates == false }
        #expect(follows != nil, lan.lastWords)
        #expect(allocators(lan) == second)
        #expect(try lan.allocations() == after)
    }

    @Test("killed at any moment of a burst of Services, no address changes and none is given twice")
    func killedInBurst() throws {
        let lan = try NamespacedLAN(nodes: 1)
        try lan.write("pool.yaml", Self.widePool)
        var known: [String: [String]] = [:]
        var written = 0
        for round in 0..<4 {
            let daemon = try lan.martlet("node-a")
            if round > 0 {
                let isBack = eventually(within: 10) { lan.status()?.allocates == true }
                #expect(isBack != nil, lan.lastWords)
            }
            // Killed as soon as the first of the round's allocations are on disk: while it works on
            // the rest, and after a different number of Services each time.
            for index in 0..<200 {
                if index == 20 + 50 * round {
                    let hasBegun = try eventually(within: 10, every: 0.001) {
                        try lan.allocations().count > known.count
                    }
                    #expect(hasBegun != nil, lan.lastWords)
                    daemon.signal(SIGKILL)
                }
                try lan.write("\(written).yaml", service("s\(written)"))
                written += 1
            }
            let now = try lan.allocations()
            for (service, addresses) in known { #expect(now[service] == addresses, "\(service)") }
            known = now
        }
        let restarted = try lan.martlet("node-a")
        let areServed = try eventually(within: 20) {
            try lan.allocations().values.count { !$0.isEmpty } == written
        }
        #expect(areServed != nil, lan.lastWords)
        let final = try lan.allocations()
        for (service, addresses) in known { #expect(final[service] == addresses, "\(service)") }
        let given = final.values.flatMap(\.self)
        #expect(given.count == written)
        #expect(Set(given).count == given.count, "an address was given twice")
        restarted.stop()
    }
}
