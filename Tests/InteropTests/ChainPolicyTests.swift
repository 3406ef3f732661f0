import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainPolicyTests {}
}

/// Which endpoint a client gets, who it seems to be, and who gets none.
extension RealNetwork.Chain.ChainPolicyTests {
    private static let clients = ["192.0.2.100", "2001:db8:2::100"]
    private static let guests = ["198.51.100.138", "2001:db8:c::10"]

    @Test("policy Cluster hides a client outside behind the node, and shows a Pod as it is")
    func cluster() throws {
        let scene = try ChainScene.here()
        let service = ChainService(name: "hidden", number: 206, endpoints: [.b])
        try scene.withServices(service) {
            let outside = service.targets(.loadBalancer, .node("a"), .node("b"))
            for reply in try scene.expectAnswers(outside, by: [.b]) {
                #expect(!Self.clients.contains(reply.client ?? ""), "\(reply)")
            }
            let inside = service.targets(.cluster)
            for reply in try scene.expectAnswers(inside, from: "guest", by: [.b]) {
                #expect(Self.guests.contains(reply.client ?? ""), "\(reply)")
            }
        }
    }

    @Test("policy Local shows the client, and a node without an endpoint of its own is silent")
    func local() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "shown", number: 207, endpoints: [.b])
        service.policy = "Local"
        try scene.withServices(service) {
            let entrances = service.targets(.loadBalancer, .node("b"))
            for reply in try scene.expectAnswers(entrances, by: [.b]) {
                #expect(Self.clients.contains(reply.client ?? ""), "\(reply)")
            }
            #expect(try scene.owner(of: service) == "node-b")
            let others = try scene.ask(service.targets(.node("a")), patience: 0.5)
            #expect(others.map(\.text) == ["silent", "silent"])
        }
    }

    @Test("policy Local is for clients outside: a node and its Pods reach endpoints elsewhere")
    func localInside() throws {
        let scene = try ChainScene.here()
        var service = ChainService(
            name: "inner", number: 216, ports: ChainService.Port.allTransports, endpoints: [.b])
        service.policy = "Local"
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer), by: [.b])
            let entrances = service.targets(.loadBalancer, .node("a"))
            try scene.expectAnswers(entrances, from: "node-a", by: [.b])
            for reply in try scene.expectAnswers(entrances, from: "backend-a", by: [.b]) {
                #expect(ChainPod.a.addresses.contains(reply.client ?? ""), "\(reply)")
            }
        }
    }

    @Test("the check of a load balancer is answered by whether the node has an endpoint")
    func healthCheckPort() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "checked", number: 208, endpoints: [.b])
        service.policy = "Local"
        service.spec = ["healthCheckNodePort: 32700"]
        func answers() throws -> [String: String] {
            var answers: [String: String] = [:]
            for letter in ["a", "b"] {
                for address in ChainNode.addresses(letter) {
                    let host = address.contains(":") ? "[\(address)]" : address
                    answers[address] = try scene.lan.run(
                        "client", "curl -gs -m 1 -w ' %{http_code}' http://\(host):32700/healthz",
                        allowFailure: true
                    ).text
                }
            }
            return answers
        }
        func expect(_ letters: [String], location: SourceLocation = #_sourceLocation) throws {
            var last: [String: String] = [:]
            let holds = try eventually {
                last = try answers()
                return ["a", "b"].allSatisfy { letter in
                    let isHere = letters.contains(letter)
                    return ChainNode.addresses(letter).allSatisfy { address in
                        let text = last[address] ?? ""
                        return text.hasSuffix(isHere ? " 200" : " 503")
                            && text.contains("\"localEndpoints\":\(isHere ? 1 : 0),")
                    }
                }
            }
            #expect(holds != nil, "\(last)", sourceLocation: location)
        }
        try scene.withServices(service) {
            try expect(["b"])
            service.endpoints = [.a]
            try scene.put(service)
            try expect(["a"])
        }
    }

    @Test("a Pod reaches itself by every entrance of its own Service")
    func hairpin() throws {
        let scene = try ChainScene.here()
        let service = ChainService(
            name: "self", number: 209, ports: ChainService.Port.allTransports, endpoints: [.a])
        try scene.withServices(service) {
            let targets = service.targets(.cluster, .loadBalancer, .node("a"), .node("b"))
            for reply in try scene.expectAnswers(targets, from: "backend-a", by: [.a]) {
                // Seen under its own address it would answer itself, and hear nothing.
                #expect(!ChainPod.a.addresses.contains(reply.client ?? ""), "\(reply)")
            }
        }
    }

    @Test("source ranges let in whom they name; to others the address is silent, not refused")
    func sourceRanges() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "guarded", number: 210, endpoints: [.a, .b])
        service.spec = ["loadBalancerSourceRanges: [192.0.2.100/32, '2001:db8:2::100/128']"]
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer, from: 100), by: [.a, .b])
            let others = try scene.ask(service.targets(.loadBalancer, from: 120), patience: 0.5)
            #expect(others.map(\.text) == ["silent", "silent"])
            // They guard the load balancer's addresses, and not the other entrances.
            try scene.expectAnswers(
                service.targets(.node("a"), .node("b"), from: 120), by: [.a, .b])
            try scene.expectAnswers(service.targets(.cluster), from: "guest", by: [.a, .b])
        }
    }

    @Test("an affine client stays while its endpoint serves, and until it was silent long enough")
    func affinity() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "affine", number: 211, endpoints: [.a])
        service.spec = [
            "sessionAffinity: ClientIP",
            "sessionAffinityConfig: {clientIP: {timeoutSeconds: 3}}",
        ]
        let clients = ChainScene.clientNumbers.prefix(12)
        func asAll() -> [String] {
            clients.flatMap { service.targets(.node("a"), from: $0) }
        }
        try scene.withServices(service) {
            try scene.expectAnswers(asAll(), by: [.a])
            // A new client tells when the second endpoint is in use.
            service.endpoints = [.a, .b]
            try scene.put(service)
            let others = ChainScene.clientNumbers.suffix(12).flatMap {
                service.targets(.node("a"), from: $0)
            }
            var isSpread = false
            _ = try eventually(within: 4) {
                // Each question begins the time anew.
                let replies = try scene.ask(asAll())
                #expect(replies.allSatisfy { $0.isFrom([.a]) }, "\(replies)")
                isSpread = try scene.ask(others).contains { $0.isFrom([.b]) }
                return isSpread
            }
            #expect(isSpread, "\(scene.lan.lastWords)")
            let begin = wallClock()
            while wallClock() - begin < 3.5 {
                #expect(try scene.ask(asAll()).allSatisfy { $0.isFrom([.a]) })
                usleep(200_000)
            }
            // Silent for longer than the time, they are chosen for like anybody.
            usleep(3_600_000)
            let replies = try scene.ask(asAll())
            #expect(replies.contains { $0.isFrom([.b]) })
            // Whose endpoint goes is sent to another at once.
            service.endpoints = [.a]
            try scene.put(service)
            try scene.expectAnswers(asAll(), by: [.a])
        }
    }

    @Test("the consistent choice is the same on every node, and a death moves its own clients only")
    func consistent() throws {
        let scene = try ChainScene.here()
        let pods: [ChainPod] = [.a, .a2, .b, .b2]
        var service = ChainService(name: "consistent", number: 212, endpoints: pods)
        service.annotations = ["martlet.dev/endpoint-choice: consistent"]
        func choices(_ letter: String, _ pods: [ChainPod]) throws -> [String: ChainPod] {
            let targets = ChainScene.clientNumbers.flatMap {
                service.targets(.node(letter), from: $0)
            }
            var choices: [String: ChainPod] = [:]
            for reply in try scene.expectAnswers(targets, by: pods) {
                let source = String(reply.target.split(separator: "/")[3])
                choices[source] = pods.first { reply.isFrom([$0]) }
            }
            return choices
        }
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.node("a"), .node("b")), by: pods)
            let before = try choices("a", pods)
            #expect(before.count == 2 * ChainScene.clientNumbers.count)
            #expect(Set(before.values).count == 4, "every endpoint has clients")
            #expect(try choices("b", pods) == before)
            service.endpoints = [.a, .a2, .b]
            try scene.put(service)
            let after = try choices("a", [.a, .a2, .b])
            let others = before.filter { $0.value != .b2 }
            let moved = others.count { after[$0.key] != $0.value }
            // A plain hash would move about two thirds of them.
            #expect(moved * 4 <= others.count, "\(moved) of \(others.count)")
        }
    }

    @Test("endpoints that end serve until a ready one is there, and then get nothing new")
    func terminating() throws {
        let scene = try ChainScene.here()
        var service = ChainService(
            name: "ending", number: 213, endpoints: [ChainPod.a.terminating, ChainPod.b.starting])
        try scene.withServices(service) {
            let targets = service.targets(.loadBalancer, .node("b"))
            try scene.expectAnswers(targets, by: [.a])
            for _ in 0..<4 {
                #expect(try scene.ask(targets).allSatisfy { $0.isFrom([.a]) })
            }
            service.endpoints = [ChainPod.a.terminating, .b]
            try scene.put(service)
            try scene.expectAnswers(targets, by: [.b])
            for _ in 0..<4 {
                #expect(try scene.ask(targets).allSatisfy { $0.isFrom([.b]) })
            }
        }
    }
}
