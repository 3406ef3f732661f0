import Kubernetes
import NetworkTypes
import Testing

@Suite("Which endpoints get new connections")
struct EndpointChoiceTests {
    private let choice = EndpointChoice(node: "n1", isOnlyNode: false, deadNodes: ["n9"])

    private func endpoint(
        _ text: String, on node: String? = nil, ready: Bool? = nil, serving: Bool? = nil,
        terminating: Bool? = nil
    ) throws -> EndpointSlice.Endpoint {
        EndpointSlice.Endpoint(
            address: try #require(IPAddress(text)), ready: ready, serving: serving,
            terminating: terminating, nodeName: node)
    }

    private func leaving(_ text: String, on node: String? = nil) throws -> EndpointSlice.Endpoint {
        try endpoint(text, on: node, ready: false, serving: true, terminating: true)
    }

    private func slice(_ endpoints: EndpointSlice.Endpoint...) -> EndpointSlice {
        EndpointSlice(
            metadata: ObjectMeta(name: ObjectName(namespace: "shop", "web-1")),
            service: ObjectName(namespace: "shop", "web"), family: .ipv4, endpoints: endpoints,
            ports: [.init(port: 8080)])
    }

    private func chosen(
        _ policy: EndpointChoice.Policies, _ slices: EndpointSlice...
    ) -> [String] {
        choice.candidates(for: .init(port: 80), in: slices)
            .filter { $0.policies.contains(policy) }.map(\.address.description)
    }

    @Test("all ready endpoints are chosen; one that says nothing of itself is ready")
    func ready() throws {
        let slice = slice(
            try endpoint("198.51.100.1"), try endpoint("198.51.100.2", ready: true),
            try endpoint("198.51.100.3", ready: false))
        #expect(chosen(.cluster, slice) == ["198.51.100.1", "198.51.100.2"])
    }

    @Test("terminating endpoints serve while no ready one is there, and not a moment longer")
    func terminating() throws {
        let last = slice(
            try leaving("198.51.100.1"), try leaving("198.51.100.2"),
            try endpoint("198.51.100.3", ready: false, serving: false, terminating: true))
        #expect(chosen(.cluster, last) == ["198.51.100.1", "198.51.100.2"])
        let back = slice(try leaving("198.51.100.1"), try endpoint("198.51.100.4", ready: true))
        #expect(chosen(.cluster, back) == ["198.51.100.4"])
    }

    @Test("under Local the endpoints of this node are judged among themselves")
    func scopes() throws {
        let slice = slice(
            try leaving("198.51.100.1", on: "n1"), try endpoint("198.51.100.2", on: "n2"))
        #expect(chosen(.cluster, slice) == ["198.51.100.2"])
        #expect(chosen(.local, slice) == ["198.51.100.1"])
    }

    @Test("each family is judged by itself")
    func families() throws {
        let six = try leaving("2001:db8::1")
        let slice = slice(try endpoint("198.51.100.1", ready: true), six)
        #expect(chosen(.cluster, slice) == ["198.51.100.1", "2001:db8::1"])
    }

    @Test("an endpoint on a dead node gets nothing as long as any other serves")
    func deadNodes() throws {
        let dead = try endpoint("198.51.100.9", on: "n9", ready: true)
        #expect(
            chosen(.cluster, slice(dead, try endpoint("198.51.100.1", on: "n1")))
                == ["198.51.100.1"])
        #expect(
            chosen(.cluster, slice(dead, try leaving("198.51.100.1", on: "n2")))
                == ["198.51.100.1"])
        #expect(chosen(.cluster, slice(dead)) == ["198.51.100.9"])
        #expect(
            chosen(.cluster, slice(try leaving("198.51.100.8", on: "n9"), dead))
                == ["198.51.100.9"])
    }

    @Test("the node from which it is seen is never taken for dead")
    func ownNode() throws {
        let choice = EndpointChoice(node: "n1", isOnlyNode: false, deadNodes: ["n1"])
        let found = choice.candidates(
            for: .init(port: 80), in: [slice(try endpoint("198.51.100.1", on: "n1"))])
        #expect(found.map(\.standing) == [.ready])
    }

    @Test("an endpoint without a node is local only where there is no other node")
    func unknownNode() throws {
        let slice = slice(try endpoint("198.51.100.1"))
        #expect(chosen(.local, slice).isEmpty)
        let alone = EndpointChoice(node: "n1", isOnlyNode: true)
        #expect(alone.candidates(for: .init(port: 80), in: [slice]).first?.isLocal == true)
    }

    @Test("an endpoint that two slices name is one, and the better word counts")
    func twice() throws {
        let found = choice.candidates(
            for: .init(port: 80),
            in: [
                slice(try endpoint("198.51.100.1", ready: false)),
                slice(try endpoint("198.51.100.1", ready: true)),
            ])
        #expect(found.map(\.standing) == [.ready])
    }

    @Test("only slice ports of the port's name and protocol count")
    func ports() throws {
        var udp = slice(try endpoint("198.51.100.1"))
        udp.ports = [.init(protocol: .udp, port: 53), .init(name: "x", port: 8080)]
        #expect(choice.candidates(for: .init(port: 80), in: [udp]).isEmpty)
    }

    @Test("whatever the endpoints are, somebody is chosen if anybody is usable, and only the best")
    func property() throws {
        var seed: UInt64 = 7
        func draw(_ bound: UInt64) -> UInt64 {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (seed >> 33) % bound
        }
        let states: [Bool?] = [nil, true, false]
        for _ in 0..<2_000 {
            var endpoints: [EndpointSlice.Endpoint] = []
            for host in 0..<draw(6) {
                endpoints.append(
                    try endpoint(
                        draw(2) == 0 ? "198.51.100.\(host)" : "2001:db8::\(host)",
                        on: ["n1", "n2", "n9"][Int(draw(3))], ready: states[Int(draw(3))],
                        serving: states[Int(draw(3))]))
            }
            var slice = slice()
            slice.endpoints = endpoints
            let found = choice.candidates(for: .init(port: 80), in: [slice])
            for family in IPAddress.Family.allCases {
                let all = found.filter { $0.address.family == family }
                let reachable: [(EndpointChoice.Policies, [EndpointChoice.Candidate])] = [
                    (.cluster, all), (.local, all.filter(\.isLocal)),
                ]
                for (policy, members) in reachable {
                    let usable = members.map(\.standing).filter { $0 != .unusable }
                    let chosen = members.filter { $0.policies.contains(policy) }.map(\.standing)
                    #expect(chosen.isEmpty == usable.isEmpty)
                    #expect(Set(chosen).subtracting([usable.min()].compactMap(\.self)).isEmpty)
                    #expect(chosen.count == usable.count { $0 == usable.min() })
                }
            }
            #expect(found.allSatisfy { $0.isLocal || !$0.policies.contains(.local) })
        }
    }
}
