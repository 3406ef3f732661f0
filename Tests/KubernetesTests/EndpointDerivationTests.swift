import Kubernetes
import NetworkTypes
import Testing

@Suite struct EndpointDerivationTests {
    private func service(
        _ name: String = "web", ports: [Service.Port] = [Service.Port(port: 80)],
        selector: [String: String] = ["app": "web"]
    ) -> Service {
        var service = Service(metadata: ObjectMeta(name: ObjectName(namespace: "shop", name)))
        service.ports = ports
        service.selector = selector
        return service
    }

    private func pod(
        _ name: String, _ addresses: String..., labels: [String: String] = ["app": "web"],
        namespace: String = "shop"
    ) throws -> Pod {
        var pod = Pod(
            metadata: ObjectMeta(name: ObjectName(namespace: namespace, name), labels: labels))
        pod.addresses = try addresses.map { try #require(IPAddress($0)) }
        return pod
    }

    private func derive(
        _ service: Service, _ pods: [Pod], given: [EndpointSlice] = [],
        endpoints: [ObjectName: Endpoints] = [:]
    ) -> [EndpointSlice] {
        EndpointDerivation.slices(
            services: [service], pods: pods, given: given, endpoints: endpoints)[service.name] ?? []
    }

    @Test func `Pods that bear all labels of the selector in the same namespace are the endpoints`()
        throws
    {
        let wanted = service(selector: ["app": "web", "tier": "front"])
        let both = ["app": "web", "tier": "front", "more": "x"]
        let slices = derive(
            wanted,
            [
                try pod("b", "198.51.100.2", labels: both),
                try pod("a", "198.51.100.1", labels: both),
                try pod("half", "198.51.100.3"),
                try pod("else", "198.51.100.4", labels: both, namespace: "other"),
            ])
        #expect(slices.count == 1)
        #expect(slices[0].origin == .pods)
        #expect(slices[0].endpoints.map(\.target) == ["Pod shop/a", "Pod shop/b"])
        #expect(slices[0].ports == [EndpointSlice.Port(port: 80)])
    }

    @Test func `no selector derives no endpoints`() throws {
        #expect(derive(service(selector: [:]), [try pod("a", "198.51.100.1")]).isEmpty)
    }

    @Test func `a named target port may be another number in every Pod`() throws {
        var old = try pod("old", "198.51.100.1")
        old.containerPorts = [Pod.ContainerPort(name: "http", port: 8080)]
        var new = try pod("new", "198.51.100.2")
        new.containerPorts = [
            Pod.ContainerPort(name: "http", protocol: .udp, port: 1),
            Pod.ContainerPort(name: "http", port: 9090),
        ]
        let none = try pod("none", "198.51.100.3")
        let wanted = service(ports: [Service.Port(port: 80, targetPort: .name("http"))])
        let slices = derive(wanted, [old, new, none])
        #expect(slices.map { $0.ports.map(\.port) } == [[8080], [9090]])
        #expect(slices.map { $0.endpoints.map(\.target) } == [["Pod shop/old"], ["Pod shop/new"]])
        #expect(Set(slices.map(\.metadata.name)).count == 2)
    }

    @Test func `a Pod that lacks one of several named ports still serves the others`() throws {
        var full = try pod("full", "198.51.100.1")
        full.containerPorts = [
            Pod.ContainerPort(name: "http", port: 8080),
            Pod.ContainerPort(name: "meta", port: 9000),
        ]
        var part = try pod("part", "198.51.100.2")
        part.containerPorts = [Pod.ContainerPort(name: "http", port: 8080)]
        let wanted = service(ports: [
            Service.Port(name: "http", port: 80, targetPort: .name("http")),
            Service.Port(name: "meta", port: 90, targetPort: .name("meta")),
        ])
        let slices = derive(wanted, [full, part])
        #expect(slices.map { $0.ports.map(\.name) } == [["http"], ["http", "meta"]])
    }

    @Test func `each family has a slice of its own`() throws {
        let slices = derive(service(), [try pod("a", "198.51.100.1", "2001:db8::1")])
        #expect(slices.map(\.family) == [.ipv4, .ipv6])
        var single = service()
        single.ipFamilies = [.ipv6]
        let six = derive(single, [try pod("a", "198.51.100.1", "2001:db8::1")])
        #expect(six.map(\.family) == [.ipv6])
    }

    @Test func `readiness follows the Pod, deletion and publishNotReadyAddresses`() throws {
        let unknown = try pod("a", "198.51.100.1")
        var unready = try pod("b", "198.51.100.2")
        unready.ready = false
        var leaving = try pod("c", "198.51.100.3")
        leaving.ready = true
        leaving.metadata.isBeingDeleted = true
        var finished = try pod("d", "198.51.100.4")
        finished.isFinished = true
        let pods = [unknown, unready, leaving, finished]
        let endpoints = derive(service(), pods).flatMap(\.endpoints)
        #expect(endpoints.map(\.ready) == [true, false, false])
        #expect(endpoints.map(\.serving) == [true, false, true])
        #expect(endpoints.map(\.terminating) == [false, false, true])
        #expect(endpoints.map(\.isUsable) == [true, false, true])
        var publishing = service()
        publishing.publishNotReadyAddresses = true
        #expect(derive(publishing, pods).flatMap(\.endpoints).map(\.ready) == [true, true, true])
    }

    @Test func `given slices win over Endpoints, and Endpoints over Pods`() throws {
        let wanted = service()
        let pods = [try pod("a", "198.51.100.1")]
        let address = try #require(IPAddress("198.51.100.9"))
        let given = EndpointSlice(
            metadata: ObjectMeta(name: ObjectName(namespace: "shop", "web-x")),
            service: wanted.name, family: .ipv4,
            endpoints: [EndpointSlice.Endpoint(address: address)])
        let six = try #require(IPAddress("2001:db8::9"))
        let endpoints = Endpoints(
            metadata: ObjectMeta(name: wanted.name),
            subsets: [
                Endpoints.Subset(
                    endpoints: [
                        EndpointSlice.Endpoint(address: six),
                        EndpointSlice.Endpoint(address: address, ready: false),
                    ], ports: [EndpointSlice.Port(port: 80)])
            ])
        let all = [wanted.name: endpoints]
        #expect(derive(wanted, pods, given: [given], endpoints: all) == [given])
        let fromEndpoints = derive(wanted, pods, endpoints: all)
        #expect(fromEndpoints.map(\.origin) == [.endpoints, .endpoints])
        #expect(fromEndpoints.map(\.family) == [.ipv4, .ipv6])
        #expect(fromEndpoints[0].endpoints.map(\.isUsable) == [false])
        #expect(derive(wanted, pods).map(\.origin) == [.pods])
    }

    @Test func `the outcome does not depend on the order of the Pods`() throws {
        let pods = try (1...20).map { try pod("p\($0)", "198.51.100.\($0)") }
        let expected = derive(service(), pods)
        #expect(derive(service(), pods.reversed()) == expected)
        #expect(
            expected.first?.endpoints.map(\.address).sorted()
                == expected.first?.endpoints.map(\.address))
    }

    @Test func `scaling from one Pod to two adds the second endpoint`() throws {
        let name = ObjectName(namespace: "default", "simpleservice")
        for (fixture, count) in [("sise-one-pod.yaml", 1), ("sise-two-pods.yaml", 2)] {
            let snapshot = ManifestFixture.snapshot(try ManifestFixture.file(fixture))
            #expect(snapshot.problems.isEmpty)
            let slices = try #require(snapshot.endpointSlices[name])
            #expect(slices.count == 1)
            #expect(slices[0].ports == [EndpointSlice.Port(port: 9876)])
            #expect(slices[0].endpoints.count == count)
            #expect(
                slices[0].endpoints.map(\.nodeName) == Array(["node-1", "node-2"].prefix(count)))
        }
    }
}
