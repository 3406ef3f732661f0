import ClusterSource
import Dataplane
import Kubernetes
import NetworkTypes
import Testing

@testable import Speaker

@Suite("From Services to chains")
struct ServiceChainsTests {
    private func chains(
        _ state: ClusterState, node: String = "n1",
        options: ServiceChains.Options = ServiceChains.Options()
    ) -> [ServiceChain] {
        ServiceChains(state, node: node, scope: ServiceScope(), options: options).all()
            .sorted { $0.identity < $1.identity }
    }

    @Test("each named port goes to the slice port of its name and protocol")
    func namedPorts() {
        var state = ClusterState.example
        state.add(
            Service("dns", has: "192.0.2.10") {
                $0.ports = [
                    .init(name: "tcp", protocol: .tcp, port: 53),
                    .init(name: "udp", protocol: .udp, port: 53),
                ]
            })
        state.addEndpoints(
            of: "dns", port: .init(name: "tcp", protocol: .tcp, port: 5301),
            .init("198.51.100.1", on: "n1"))
        state.addEndpoints(
            of: "dns", port: .init(name: "udp", protocol: .udp, port: 5302),
            .init("198.51.100.1", on: "n1"))
        let chains = chains(state)
        #expect(chains.map(\.identity.port) == ["tcp", "udp"])
        #expect(chains.map { $0.endpoints.map(\.port) } == [[5301], [5302]])
    }

    @Test("a port without a name is known by its number")
    func unnamedPort() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10"))
        #expect(chains(state).map(\.identity.description) == ["shop/web/80/tcp"])
    }

    @Test("a LoadBalancer enters at cluster address, load balancer address and node port")
    func frontends() throws {
        var state = ClusterState.example
        let cluster = try #require(IPAddress("198.18.0.1"))
        let given = try #require(IPAddress("192.0.2.10"))
        state.add(
            Service("web", has: "192.0.2.10") {
                $0.clusterIPs = [cluster]
                $0.ports = [.init(port: 80, nodePort: 32_080)]
            })
        #expect(
            chains(state).first?.frontends == [
                .clusterIP(cluster, port: 80), .loadBalancer(given, port: 80),
                .nodePort(.ipv4, port: 32_080),
            ])
        // Of another class it keeps all but the address.
        state.snapshot.services[ObjectName(namespace: "shop", "web")]?.loadBalancerClass = "x/y"
        #expect(
            chains(state).first?.frontends == [
                .clusterIP(cluster, port: 80), .nodePort(.ipv4, port: 32_080),
            ])
    }

    @Test("a node port serves the families of the Service, or else those of its endpoints")
    func nodePortFamilies() {
        var state = ClusterState.example
        func families() -> [IPAddress.Family] {
            chains(state).flatMap(\.frontends).map(\.family)
        }
        var service = Service("web") {
            $0.kind = .nodePort
            $0.ports = [.init(port: 80, nodePort: 32_080)]
        }
        state.add(service)
        #expect(families() == [.ipv4])
        state.addEndpoints(of: "web", .init("2001:db8:1::1"))
        #expect(families() == [.ipv6])
        service.ipFamilies = [.ipv6, .ipv4]
        state.add(service)
        #expect(families() == [.ipv6, .ipv4])
    }

    @Test("a ClusterIP Service opens no node port, and one without any entrance has no chain")
    func clusterIP() {
        var state = ClusterState.example
        state.add(
            Service("web") {
                $0.kind = .clusterIP
                $0.ports = [.init(port: 80, nodePort: 32_080)]
            })
        #expect(chains(state).isEmpty)
    }

    @Test("endpoints that terminate are left out once a ready one is there")
    func usable() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10"))
        state.addEndpoints(
            of: "web", .init("198.51.100.1", ready: false),
            .init("198.51.100.2", ready: false, serving: true))
        func addresses() -> [String]? {
            chains(state).first?.endpoints.map(\.address.description)
        }
        #expect(addresses() == ["198.51.100.2"])
        state.addEndpoints(of: "web", .init("198.51.100.3", ready: nil))
        #expect(addresses() == ["198.51.100.3"])
    }

    @Test("the last endpoint of this node serves policy Local while others serve the rest")
    func localTerminating() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10") { $0.externalTrafficPolicy = .local })
        state.addEndpoints(
            of: "web", .init("198.51.100.1", on: "n1", ready: false, serving: true),
            .init("198.51.100.2", on: "n2"))
        let endpoints = chains(state).first?.endpoints ?? []
        #expect(endpoints.map(\.isLocal) == [true, false])
        #expect(endpoints.map(\.servesCluster) == [false, true])
    }

    @Test("endpoints on a dead node are left out, and told as a change of their Services alone")
    func deadNode() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10"))
        state.add(Service("api", has: "192.0.2.11"))
        state.addEndpoints(
            of: "web", .init("198.51.100.1", on: "n1"), .init("198.51.100.2", on: "n2"))
        state.addEndpoints(of: "api", .init("198.51.100.3", on: "n1"))
        let before = ServiceChains(state, node: "n1", scope: ServiceScope())
        let after = ServiceChains(
            state, node: "n1", scope: ServiceScope(), options: .init(deadNodes: ["n2"]))
        let changes = after.changes(since: before)
        #expect(
            changes?.values.flatMap(\.self).map { $0.endpoints.map(\.address.description) }
                == [["198.51.100.1"]])
        #expect(
            changes?.keys.map(\.self) == [.init(namespace: "shop", service: "web")])
        #expect(before.changes(since: after)?.count == 1)
    }

    @Test("a node that somebody vouches to be off counts as dead, but never this one")
    func outOfService() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10"))
        state.addNode("n1") { $0.taints = [Node.outOfServiceTaint] }
        state.addNode("n2") { $0.taints = [Node.outOfServiceTaint] }
        state.addEndpoints(
            of: "web", .init("198.51.100.1", on: "n1"), .init("198.51.100.2", on: "n2"))
        #expect(chains(state).flatMap(\.endpoints).map(\.address.description) == ["198.51.100.1"])
        state.snapshot.nodes["n2"]?.taints = ["node.kubernetes.io/unreachable"]
        #expect(chains(state).flatMap(\.endpoints).count == 2)
    }

    @Test("external addresses are an entrance only where the operator allows it")
    func externalAddresses() throws {
        var state = ClusterState.example
        let address = try #require(IPAddress("203.0.113.7"))
        let loopback = try #require(IPAddress("127.0.0.1"))
        state.add(
            Service("web") {
                $0.kind = .clusterIP
                $0.externalIPs = [address, loopback]
            })
        #expect(chains(state).isEmpty)
        #expect(
            chains(state, options: .init(allowsExternalIPs: true)).first?.frontends
                == [.externalIP(address, port: 80)])
    }

    @Test("an endpoint named by two slices is one endpoint")
    func duplicates() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10"))
        state.addEndpoints(of: "web", .init("198.51.100.1", on: "n1"))
        state.addEndpoints(of: "web", .init("198.51.100.1", on: "n1"))
        #expect(chains(state).first?.endpoints.count == 1)
    }

    @Test("an endpoint is local on its own node; of an unknown node, only where there is one node")
    func local() {
        var state = ClusterState.example
        state.add(Service("web", has: "192.0.2.10"))
        state.addEndpoints(
            of: "web", .init("198.51.100.1", on: "n1"), .init("198.51.100.2", on: "n2"),
            .init("198.51.100.3"))
        #expect(chains(state).first?.endpoints.map(\.isLocal) == [true, false, true])
        #expect(chains(state, node: "n2").first?.endpoints.map(\.isLocal) == [false, true, true])
        state.speakers["n2"] = SpeakerRecord(node: "n2")
        #expect(chains(state).first?.endpoints.map(\.isLocal) == [true, false, false])
        state.speakers = [:]
        state.addNode("n1")
        #expect(chains(state).first?.endpoints.map(\.isLocal) == [true, false, true])
    }

    @Test("ExternalName and headless Services have no data path")
    func none() {
        var state = ClusterState.example
        state.add(
            Service("db") {
                $0.kind = .externalName
                $0.externalName = "my.database.example.com"
            })
        state.add(Service("peers", has: "192.0.2.10") { $0.isHeadless = true })
        #expect(chains(state).isEmpty)
    }

    @Test("traffic policies, affinity and source ranges are passed on")
    func policies() throws {
        var state = ClusterState.example
        let range = try #require(Prefix("203.0.113.0/24"))
        state.add(
            Service("web", has: "192.0.2.10") {
                $0.externalTrafficPolicy = .local
                $0.sessionAffinity = .clientIP(timeoutSeconds: 60)
                $0.endpointSelection = .consistent
                $0.sourceRanges = [range]
            })
        let chain = try #require(chains(state).first)
        #expect(chain.externalPolicy == .local)
        #expect(chain.internalPolicy == .cluster)
        #expect(chain.affinity == .clientAddress(seconds: 60))
        #expect(chain.choice == .consistent)
        #expect(chain.sourceRanges == [range])
    }
}
