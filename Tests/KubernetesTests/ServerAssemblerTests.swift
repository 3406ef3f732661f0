import Kubernetes
import NetworkTypes
import Testing

@Suite struct ServerAssemblerTests {
    private static let web = ObjectName(namespace: "shop", "web")
    private static let service = ManifestObject.Reference(kind: "Service", name: web)

    private static func change(
        _ text: String, _ resource: APIResource
    ) throws -> (ManifestObject.Reference, APIObject?) {
        let object = try ServerObjectText.object(text, resource)
        return (object.reference, object)
    }

    private static func everything() throws -> [(ManifestObject.Reference, APIObject?)] {
        try ServerObjectText.all.map { try change($0.text, $0.resource) }
    }

    private static var clusterIP: String {
        ServerObjectText.service
            .replacing("\"LoadBalancer\"", with: "\"ClusterIP\"")
            .replacing("\"nodePort\":31080,", with: "").replacing(",\"nodePort\":31053", with: "")
    }

    @Test func `the objects of a cluster make one snapshot`() throws {
        var assembler = ServerAssembler()
        assembler.apply(try Self.everything())
        let snapshot = assembler.snapshot()
        #expect(snapshot.services[Self.web]?.kind == .loadBalancer)
        #expect(snapshot.endpointSlices[Self.web]?.first?.endpoints.count == 3)
        #expect(snapshot.nodes["worker-1.example.com"]?.ready == true)
        #expect(snapshot.namespaces["shop"]?.metadata.labels["team"] == "red")
        #expect(snapshot.configuration.pools["public"]?.addresses.count == 2)
        #expect(snapshot.configuration.bgpPeers["router"]?.bfdProfile == "fast")
        #expect(snapshot.configuration.communities["quiet"] != nil)
        #expect(snapshot.problems.filter { $0.severity == .error }.isEmpty)
    }

    @Test func `a broken version leaves the last good one in force, and says so`() throws {
        var assembler = ServerAssembler()
        assembler.apply(try Self.everything())
        let before = assembler.snapshot()
        let broken = ServerObjectText.service.replacing("\"LoadBalancer\"", with: "\"Quantum\"")
        assembler.apply([try Self.change(broken, .services)])
        let after = assembler.snapshot()
        #expect(after.services == before.services)
        #expect(after.endpointSlices == before.endpointSlices)
        #expect(after.problems.contains { $0.field == "spec.type" })
        #expect(after.problems.contains { $0.rule.contains("last good") })
        assembler.apply([try Self.change(ServerObjectText.service, .services)])
        #expect(assembler.snapshot() == before)
    }

    @Test func `an object that was never good is not there`() throws {
        var assembler = ServerAssembler()
        let broken = ServerObjectText.service.replacing("\"LoadBalancer\"", with: "\"Quantum\"")
        assembler.apply([try Self.change(broken, .services)])
        #expect(assembler.snapshot().services.isEmpty)
        #expect(!assembler.snapshot().problems.isEmpty)
        assembler.apply([(Self.service, nil)])
        #expect(assembler.snapshot().problems.isEmpty)
    }

    @Test func `a broken pool keeps its addresses until it is deleted`() throws {
        var assembler = ServerAssembler()
        assembler.apply(try Self.everything())
        let good = assembler.snapshot().configuration
        let broken = ServerObjectText.pool.replacing("192.0.2.0/26", with: "192.0.2.300/26")
        assembler.apply([try Self.change(broken, .ipAddressPools)])
        #expect(assembler.snapshot().configuration == good)
        let pool = try Self.change(broken, .ipAddressPools).0
        assembler.apply([(pool, nil)])
        #expect(assembler.snapshot().configuration.pools.isEmpty)
    }

    @Test func `what is deleted is gone, whether it was good or broken last`() throws {
        var assembler = ServerAssembler()
        let all = try Self.everything()
        assembler.apply(all)
        let broken = ServerObjectText.service.replacing("\"LoadBalancer\"", with: "\"Quantum\"")
        assembler.apply([try Self.change(broken, .services)])
        assembler.apply(all.map { ($0.0, nil) })
        #expect(assembler.snapshot() == ClusterSnapshot())
        assembler.apply(all.map { ($0.0, nil) })
        #expect(assembler.snapshot() == ClusterSnapshot())
    }

    @Test func `a namespace exists while something lives in it`() throws {
        var assembler = ServerAssembler()
        assembler.apply([try Self.change(ServerObjectText.service, .services)])
        #expect(assembler.snapshot().namespaces["shop"] != nil)
        assembler.apply([try Self.change(ServerObjectText.endpointSlice, .endpointSlices)])
        assembler.apply([(Self.service, nil)])
        #expect(assembler.snapshot().namespaces["shop"] != nil)
        let slice = try Self.change(ServerObjectText.endpointSlice, .endpointSlices).0
        assembler.apply([(slice, nil)])
        #expect(assembler.snapshot().namespaces.isEmpty)
    }

    // MARK: Endpoints

    @Test(arguments: [false, true])
    func `endpoints appear when a Service becomes a LoadBalancer, and go when it is none`(
        isServiceFirst: Bool
    ) throws {
        var whole = ServerAssembler()
        whole.apply(try Self.everything())
        let wanted = whole.snapshot().endpointSlices[Self.web]
        var assembler = ServerAssembler(endpoints: .loadBalancersOnly)
        var first = [
            try Self.change(Self.clusterIP, .services),
            try Self.change(ServerObjectText.endpointSlice, .endpointSlices),
        ]
        if !isServiceFirst { first.reverse() }
        assembler.apply(first)
        #expect(assembler.snapshot().services[Self.web]?.kind == .clusterIP)
        #expect(assembler.snapshot().endpointSlices.isEmpty)
        assembler.apply([try Self.change(ServerObjectText.service, .services)])
        #expect(assembler.snapshot().endpointSlices[Self.web] == wanted)
        assembler.apply([try Self.change(Self.clusterIP, .services)])
        #expect(assembler.snapshot().endpointSlices.isEmpty)
        assembler.apply([try Self.change(ServerObjectText.service, .services)])
        #expect(assembler.snapshot().endpointSlices[Self.web] == wanted)
    }

    @Test func `endpoints that changed while nobody asked are the new ones`() throws {
        var assembler = ServerAssembler(endpoints: .loadBalancersOnly)
        let new = ServerObjectText.endpointSlice.replacing("198.51.100.4", with: "198.51.100.44")
        assembler.apply([
            try Self.change(ServerObjectText.endpointSlice, .endpointSlices),
            try Self.change(new, .endpointSlices),
            try Self.change(ServerObjectText.service, .services),
        ])
        let slices = assembler.snapshot().endpointSlices[Self.web]
        #expect(slices?.count == 1)
        #expect(slices?.first?.endpoints.first?.address == IPAddress("198.51.100.44"))
    }

    @Test func `a slice that changes hands leaves its former Service`() throws {
        var assembler = ServerAssembler()
        assembler.apply(try Self.everything())
        let moved = ServerObjectText.endpointSlice.replacing(
            "\"kubernetes.io/service-name\":\"web\"", with: "\"kubernetes.io/service-name\":\"api\""
        )
        assembler.apply([try Self.change(moved, .endpointSlices)])
        let slices = assembler.snapshot().endpointSlices
        #expect(Array(slices.keys) == [ObjectName(namespace: "shop", "api")])
    }

    // MARK: Cost

    @Test func `a heartbeat that changes nothing of use changes nothing`() throws {
        var assembler = ServerAssembler()
        assembler.apply(try Self.everything())
        let before = assembler.snapshot()
        assembler.apply([
            try Self.change(
                ServerObjectText.node.replacing("2026-03-01T08", with: "2026-03-01T09"), .nodes)
        ])
        #expect(assembler.snapshot() == before)
    }

    @Test func `a change of one object leaves all others as they were`() throws {
        var assembler = ServerAssembler()
        for index in 0..<500 {
            let name = "\"name\":\"web-\(index)\""
            let text = ServerObjectText.service.replacing("\"name\":\"web\"", with: name)
            assembler.apply([try Self.change(text, .services)])
        }
        let before = assembler.snapshot()
        let text = ServerObjectText.service
            .replacing("\"name\":\"web\"", with: "\"name\":\"web-7\"")
            .replacing("192.0.2.7", with: "192.0.2.8")
        assembler.apply([try Self.change(text, .services)])
        #expect(
            assembler.snapshot().services.differences(from: before.services)
                == [ObjectName(namespace: "shop", "web-7")])
    }

    @Test func `more problems than can be listed are counted, errors first`() throws {
        var assembler = ServerAssembler()
        let text = ServerObjectText.service.replacing("\"LoadBalancer\"", with: "\"Quantum\"")
        let broken = try ServerObjectText.object(text, .services)
        let warning = Problem(.warning, object: "Service a/a", rule: "a", remedy: "b")
        for index in 0..<2 * ServerAssembler.problemLimit {
            var object = broken
            object.reference.name = ObjectName(namespace: "shop", "web-\(index)")
            if index > 9 { object.problems = [warning] }
            assembler.apply([(object.reference, object)])
        }
        let problems = assembler.snapshot().problems
        #expect(problems.count == ServerAssembler.problemLimit + 1)
        #expect(problems.prefix(10).allSatisfy { $0.severity == .error })
        #expect(problems.last?.rule.contains("more problems") == true)
    }
}
