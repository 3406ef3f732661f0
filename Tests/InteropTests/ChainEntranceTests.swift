import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainEntranceTests {}
}

/// Where a Service may be entered, and from where.
extension RealNetwork.Chain.ChainEntranceTests {
    @Test(
        """
        a client outside reaches the address and every node port, one inside the cluster address \
        as well; both families, endpoints on both nodes
        """)
    func entrances() throws {
        let scene = try ChainScene.here()
        let service = ChainService(
            name: "entrances", number: 201, ports: ChainService.Port.allTransports,
            endpoints: [.a, .b])
        func carried() throws -> Int {
            let file = "/sys/class/net/overlay/statistics/tx_packets"
            let text = try scene.lan.run("node-a", "cat \(file)").text
            return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        try scene.withServices(service) {
            let outside = service.targets(.loadBalancer, .node("a"), .node("b"))
            try scene.expectAnswers(outside, by: [.a, .b])
            for host in ["guest", "backend-b", "node-a", "node-b"] {
                try scene.expectAnswers(
                    outside + service.targets(.cluster), from: host, by: [.a, .b])
            }
            let before = try carried()
            // All entrances once more, so often that an endpoint left out would be noticed.
            let many = (0..<8).flatMap { _ in service.targets(.loadBalancer, .node("a")) }
            let replies = try scene.ask(many)
            for pod in [ChainPod.a, .b] {
                for address in pod.addresses {
                    #expect(replies.contains { $0.endpoint == address }, "\(address)")
                }
            }
            #expect(try carried() > before, "what is for the other node goes through the overlay")
        }
    }

    @Test("outside nobody answers for a cluster address")
    func clusterAddressOutside() throws {
        let scene = try ChainScene.here()
        let service = ChainService(name: "inside", number: 202, endpoints: [.a, .b])
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.cluster), from: "guest", by: [.a, .b])
            try scene.lan.run(
                "client",
                "ip route add 198.18.0.0/15 dev eth0; ip route add 2001:db8:c1::/64 dev eth0")
            let replies = try scene.ask(service.targets(.cluster), patience: 0.5)
            #expect(replies.count == 2)
            #expect(replies.allSatisfy { $0.endpoint == nil }, "\(replies)")
            for address in service.clusterAddresses {
                #expect(try scene.lan.answerers(address).isEmpty)
            }
        }
    }

    @Test("an external address is served where the flag allows it, and nowhere else")
    func externalAddresses() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "external", number: 203, endpoints: [.a, .b])
        service.spec = ["externalIPs: [203.0.113.77, '2001:db8:77::1']"]
        let targets = ["tcp/203.0.113.77/80", "tcp/2001:db8:77::1/80"]
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer), by: [.a, .b])
            for letter in ["a", "b"] {
                let node = ChainNode.addresses(letter)
                try scene.lan.run(
                    "client",
                    """
                    ip route replace 203.0.113.77 via \(node[0])
                    ip route replace 2001:db8:77::1 via \(node[1])
                    """)
                if letter == "a" {
                    try scene.expectAnswers(targets, by: [.a, .b])
                } else {
                    let replies = try scene.ask(targets, patience: 0.5)
                    #expect(replies.count == 2)
                    #expect(replies.allSatisfy { $0.endpoint == nil }, "\(replies)")
                }
            }
            let problems = scene.lan.status(at: "node-b")?.problems ?? []
            #expect(problems.contains { $0.remedy.contains("--allow-external-ips") }, "\(problems)")
        }
    }

    @Test("a port that nobody has is refused at once, and the address answers ping")
    func otherPorts() throws {
        let scene = try ChainScene.here()
        let service = ChainService(name: "ports", number: 204, endpoints: [.a])
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer), by: [.a])
            var other = service
            other.ports = [("TCP", 8081), ("UDP", 80), ("SCTP", 80)].map {
                .init(transport: $0.0, port: $0.1, target: 80)
            }
            for (host, targets) in [
                ("client", other.targets(.loadBalancer)), ("guest", other.targets(.cluster)),
            ] {
                for reply in try scene.expect(targets, from: host, { $0.text == "refused" }) {
                    #expect(reply.seconds < 0.5, "\(reply)")
                }
            }
            for address in service.addresses {
                let ping = try scene.lan.run(
                    "client", "ping -c 2 -i 0.1 -W 1 \(address)", allowFailure: true)
                #expect(ping.status == 0, "\(ping.text)")
                #expect(ping.text.contains(" 0% packet loss"), "\(ping.text)")
            }
        }
    }

    @Test("without an endpoint every protocol is refused at once, wherever one enters")
    func noEndpoint() throws {
        let scene = try ChainScene.here()
        let ports: [ChainService.Port] = [("TCP", 80), ("UDP", 53), ("SCTP", 99)].map {
            .init(transport: $0.0, port: $0.1, target: 9, isServed: false)
        }
        // Somebody must answer for the address.
        let served = ChainService.Port(transport: "TCP", port: 8080, target: 8080)
        var service = ChainService(
            name: "empty", number: 205, ports: ports + [served], endpoints: [.a])
        try scene.withServices(service) {
            let all = service.targets(.loadBalancer).filter { $0.hasSuffix("/8080") }
            try scene.expectAnswers(all, by: [.a])
            service.ports = ports
            let outside = service.targets(.loadBalancer, .node("a"), .node("b"))
            for (host, targets) in [
                ("client", outside), ("guest", outside + service.targets(.cluster)),
            ] {
                for reply in try scene.expect(targets, from: host, { $0.text == "refused" }) {
                    #expect(reply.seconds < 0.5, "\(reply)")
                }
            }
        }
    }
}
