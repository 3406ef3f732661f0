import Dataplane
import LinuxNetwork
import NetworkTypes
import TestNetwork
import Testing

@testable import Speaker

/// Against the kernel: what is followed is what was installed.
@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct KernelWayTests {
    private static let address = IPAddress(ipv4: 0xcb00_710a)

    private static func endpoint(_ last: UInt32, isLocal: Bool = false) -> ServiceChain.Endpoint {
        ServiceChain.Endpoint(
            IPAddress(ipv4: 0xc633_6400 | last), port: 8080, isLocal: isLocal)
    }

    private static func chain(_ endpoints: ServiceChain.Endpoint...) -> ServiceChain {
        ServiceChain(
            identity: .init(namespace: "shop", service: "web", port: "http", transport: .tcp),
            frontends: [.loadBalancer(address, port: 80)], endpoints: endpoints)
    }

    /// The way to port 80 of the address once the chain is installed.
    private func way(
        _ chain: ServiceChain, port: UInt16 = 80, before: String = "true"
    ) async throws -> KernelWay {
        try await Namespace.run {
            let socket = try NftablesSocket()
            var ruleset = Ruleset()
            _ = ruleset.update(to: [chain])
            let batch = NftablesBatch(ruleset.installation, firstSequence: 1)
            let refusals = try socket.send(
                batch.bytes, last: batch.lastSequence, subject: "the table")
            #expect(refusals.isEmpty)
            try Namespace.shell(before)
            var sequence = batch.nextSequence
            return KernelWay(
                to: Self.address, port: port, .tcp, in: try socket.readTable(&sequence))
        }
    }

    private func ends(_ way: KernelWay) -> [String] { way.endpoints.map(\.description) }

    @Test("an address leads through masquerade to all endpoints under policy Cluster")
    func cluster() async throws {
        let way = try await way(Self.chain(Self.endpoint(1), Self.endpoint(2)))
        #expect(way.entrance == "external4/shop/web/http/tcp")
        #expect(way.spread == "cluster4/shop/web/http/tcp")
        #expect(ends(way) == ["198.51.100.1:8080", "198.51.100.2:8080"])
        #expect(way.emptySlots == 0)
    }

    @Test("source ranges and policy Local: through the firewall to this node's endpoints")
    func local() async throws {
        var chain = Self.chain(Self.endpoint(1, isLocal: true), Self.endpoint(2))
        chain.externalPolicy = .local
        chain.sourceRanges = [try #require(Prefix("192.0.2.0/24"))]
        let narrow = try await way(chain)
        #expect(narrow.entrance == "firewall4/shop/web/http/tcp")
        #expect(ends(narrow) == ["198.51.100.1:8080"])
        chain.externalPolicy = .cluster
        let wide = try await way(chain)
        #expect(wide.entrance == "firewall4/shop/web/http/tcp")
        #expect(ends(wide) == ["198.51.100.1:8080", "198.51.100.2:8080"])
    }

    @Test(
        "affinity and the ways of choosing change nothing of where it can end",
        arguments: [ServiceChain.Choice.random, .sourceHash, .consistent])
    func choices(_ choice: ServiceChain.Choice) async throws {
        var chain = Self.chain(Self.endpoint(1), Self.endpoint(2))
        chain.choice = choice
        chain.affinity = .clientAddress(seconds: 60)
        #expect(ends(try await way(chain)) == ["198.51.100.1:8080", "198.51.100.2:8080"])
    }

    @Test("without endpoints there is an entrance and no end; another port is no entrance")
    func nowhere() async throws {
        let empty = try await way(Self.chain())
        #expect(empty.entrance != nil && empty.endpoints.isEmpty)
        let other = try await way(Self.chain(Self.endpoint(1)), port: 81)
        #expect(other.entrance == nil)
    }

    @Test("an element that somebody took away is missed")
    func torn() async throws {
        let way = try await way(
            Self.chain(Self.endpoint(1), Self.endpoint(2)),
            before: "nft flush map inet martlet endpoints4-0")
        #expect(way.endpoints.isEmpty && way.emptySlots == 2)
    }
}
