import Kubernetes
import NetworkTypes
import Testing

@Suite struct ObjectDecoderTests {
    // MARK: Objects

    @Test func `a Service is read with its status and Martlet's own conditions`() throws {
        let object = try ServerObjectText.object(ServerObjectText.service, .services)
        let service = try #require(object.service)
        #expect(object.reference.description == "Service shop/web")
        #expect(object.resourceVersion == "4711")
        #expect(object.problems.isEmpty)
        #expect(service.kind == .loadBalancer)
        #expect(service.metadata.uid == "8a1f4b8e-62b1-4c70-8a53-5b0f1a1d9a10")
        #expect(service.metadata.labels["app.kubernetes.io/name"] == "storefront")
        #expect(service.annotation(.addressPool) == "public")
        #expect(service.ports.map(\.targetPort) == [.number(8080), .name("dns")])
        #expect(service.ports.map(\.protocol) == [.tcp, .udp])
        #expect(service.clusterIPs.map(\.description) == ["198.18.0.10", "2001:db8:96::a"])
        #expect(service.sessionAffinity == .clientIP(timeoutSeconds: 600))
        #expect(service.sourceRanges.map(\.description) == ["203.0.113.0/24"])
        #expect(service.externalTrafficPolicy == .local)
        #expect(service.ingress.map(\.address.description) == ["192.0.2.7"])
        #expect(
            object.status
                == .service(conditions: [
                    APIObjectStatus.Condition(
                        type: "martlet.dev/AddressAssigned", isTrue: true, reason: "Assigned",
                        message: "192.0.2.7 of pool public",
                        lastTransitionTime: "2026-03-01T08:00:01Z")
                ]))
    }

    @Test func `an EndpointSlice is read with conditions, nodes and targets`() throws {
        let object = try ServerObjectText.object(ServerObjectText.endpointSlice, .endpointSlices)
        let slice = try #require(object.slice)
        #expect(slice.service == ObjectName(namespace: "shop", "web"))
        #expect(slice.endpoints.map(\.address.description).first == "198.51.100.4")
        #expect(slice.endpoints.map(\.ready) == [true, false, nil])
        #expect(slice.endpoints.map(\.terminating) == [false, true, nil])
        #expect(slice.endpoints[0].target == "Pod shop/web-7d4b9c6f5-x2k2p")
        #expect(slice.endpoints.map(\.nodeName).last == .some(nil))
        #expect(slice.ports.map(\.port) == [8080, 53])
    }

    @Test func `a Node is read with the conditions and addresses that matter`() throws {
        let node = try #require(try ServerObjectText.object(ServerObjectText.node, .nodes).node)
        #expect(node.ready == true)
        #expect(node.networkUnavailable == false)
        #expect(node.isUnschedulable)
        #expect(node.isAskedToDrain)
        #expect(node.taints == ["node.kubernetes.io/unschedulable"])
        #expect(node.addresses.map(\.description) == ["192.0.2.101"])
        #expect(node.metadata.labels[Node.excludeLabel] == "")
    }

    @Test func `a pool's figures and reservations are read back`() throws {
        let object = try ServerObjectText.object(ServerObjectText.pool, .ipAddressPools)
        let reservation = APIObjectStatus.Reservation(
            service: ObjectName(namespace: "shop", "old"), addresses: ["192.0.2.9"],
            until: "2026-03-01T09:00:00Z")
        #expect(
            object.status
                == .pool(
                    assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 63, availableIPv6: .max,
                    reservations: [reservation]))
    }

    @Test(arguments: ServerObjectText.all.indices)
    func `an object from a server means what it means in a manifest`(index: Int) throws {
        let (resource, text) = ServerObjectText.all[index]
        let object = try ServerObjectText.object(text, resource)
        let named =
            text.contains("\"kind\":\"\(resource.kind)\"")
            ? text
            : #"{"apiVersion":"\#(resource.apiVersion)","kind":"\#(resource.kind)","#
                + text.dropFirst()
        let file = ManifestReader.read(named, file: "a.json")
        let manifest = try #require(file.objects.first)
        #expect(file.errors.isEmpty)
        #expect(object.reference == manifest.reference)
        // Labels that nobody selects by, and others' annotations, are left out on purpose.
        #expect(try #require(object.value).withoutIncidentals == manifest.value.withoutIncidentals)
    }

    @Test(arguments: ServerObjectText.all.indices)
    func `the text of an object is one line that decodes to the same`(index: Int) throws {
        let (resource, text) = ServerObjectText.all[index]
        let decoder = ObjectDecoder(resource: resource, keepsText: true)
        let first = try decoder.object(Array(text.utf8))
        let kept = try #require(first.text)
        let second = try decoder.object(kept)
        #expect(!kept.contains(UInt8(ascii: "\n")))
        #expect(!String(decoding: kept, as: UTF8.self).contains("managedFields"))
        #expect(second.value == first.value)
        #expect(second.status == first.status)
        #expect(second.resourceVersion == first.resourceVersion)
        #expect(second.text == kept)
        #expect(try ObjectDecoder(resource: resource).object(kept).text == nil)
    }

    // MARK: What a server may send and a person should not

    @Test func `fields that are younger than this program harm nothing`() throws {
        let text = ServerObjectText.service
            .replacing("\"spec\":{", with: "\"spec\":{\"quantumPolicy\":{\"deep\":[1,2]},")
        let object = try ServerObjectText.object(text, .services)
        #expect(object.service != nil)
        #expect(object.problems.isEmpty)
    }

    @Test func `an unknown field of our own kinds is a notice, so that a slip is found`() throws {
        let text = ServerObjectText.pool.replacing("\"autoAssign\"", with: "\"autoasign\"")
        let object = try ServerObjectText.object(text, .ipAddressPools)
        #expect(object.value != nil)
        let problem = try #require(object.problems.first)
        #expect(problem.severity == .notice)
        #expect(problem.field == "spec.autoasign")
        #expect(problem.remedy.contains("autoAssign"))
        #expect(problem.object == "IPAddressPool metallb-system/public")
    }

    @Test(arguments: ["198.051.100.4", "::ffff:198.51.100.4"])
    func `addresses in forms that servers accept are read`(address: String) throws {
        let text = ServerObjectText.endpointSlice.replacing("198.51.100.4", with: address)
        let slice = try #require(try ServerObjectText.object(text, .endpointSlices).slice)
        #expect(slice.endpoints[0].address == IPAddress("198.51.100.4"))
    }

    @Test(arguments: [" 203.0.113.0/24 ", "203.000.113.0/24"])
    func `source ranges in forms that servers accept are read`(range: String) throws {
        let text = ServerObjectText.service.replacing("203.0.113.0/24", with: range)
        let service = try #require(try ServerObjectText.object(text, .services).service)
        #expect(service.sourceRanges == [Prefix("203.0.113.0/24")])
    }

    @Test func `a node stays a node when one of its addresses is none`() throws {
        let text = ServerObjectText.node.replacing("192.0.2.101", with: "worker-1")
        let object = try ServerObjectText.object(text, .nodes)
        #expect(object.node?.addresses == [])
    }

    @Test func `an annotation that cannot be honoured is a warning, and the object stays`() throws {
        let node = try ServerObjectText.object(
            ServerObjectText.node.replacing(
                "\"martlet.dev/drain\":\"true\"", with: "\"martlet.dev/drain\":\"maybe\""), .nodes)
        #expect(node.node?.isAskedToDrain == false)
        #expect(node.problems.map(\.severity) == [.warning])
        let service = try ServerObjectText.object(
            ServerObjectText.service.replacing(
                "metallb.io/address-pool", with: "martlet.dev/preferred-node"
            ).replacing("\"public\"", with: "\"\""), .services)
        #expect(service.service?.preferredNode == nil)
        #expect(service.problems.map(\.severity) == [.warning])
    }

    @Test func `an object that cannot be read is there, refused, and named`() throws {
        let text = ServerObjectText.service
            .replacing("\"type\":\"LoadBalancer\"", with: "\"type\":\"Quantum\"")
        let object = try ServerObjectText.object(text, .services)
        #expect(object.isRefused)
        #expect(object.resourceVersion == "4711")
        let problem = try #require(object.problems.first { $0.severity == .error })
        #expect(problem.file.isEmpty)
        #expect(problem.object == "Service shop/web")
        #expect(problem.field == "spec.type")
    }

    @Test func `a slice of names instead of addresses is of no use, but not broken`() throws {
        let text = #"{"metadata":{"name":"a","namespace":"b"},"addressType":"FQDN"}"#
        let object = try ServerObjectText.object(text, .endpointSlices)
        #expect(object.value == nil)
        #expect(!object.isRefused)
    }

    @Test func `empty lists that come as null are empty`() throws {
        let text =
            #"{"metadata":{"name":"a-1","namespace":"b","#
            + #""labels":{"kubernetes.io/service-name":"a"}},"addressType":"IPv6","#
            + #""endpoints":null,"ports":null}"#
        let slice = try #require(try ServerObjectText.object(text, .endpointSlices).slice)
        #expect(slice.endpoints.isEmpty)
        #expect(slice.family == .ipv6)
    }

    // MARK: Other kinds

    @Test func `of kinds that are not read the name and version are known`() throws {
        let text =
            #"{"kind":"Lease","metadata":{"name":"a","namespace":"b","resourceVersion":"9"}}"#
        let object = try ServerObjectText.object(text, .leases)
        #expect(object.reference.description == "Lease b/a")
        #expect(object.resourceVersion == "9")
        #expect(object.value == nil)
        #expect(object.problems.isEmpty)
    }

    @Test(arguments: [
        #"{"kind":"Pod","metadata":{"name":"a","namespace":"b"}}"#,
        #"{"kind":"Service","metadata":{"namespace":"b"}}"#, "[]", "17", "", "{}",
        #"{"metadata":{"name":"a"}} x"#,
    ])
    func `what is no object of the kind is a failure, never an absence`(text: String) {
        #expect(throws: APIFailure.self) { try ServerObjectText.object(text, .services) }
    }
}

extension ManifestObject.Value {
    fileprivate var withoutIncidentals: ManifestObject.Value {
        func bare(_ metadata: ObjectMeta, labels: Bool = true) -> ObjectMeta {
            ObjectMeta(
                name: metadata.name, labels: labels ? metadata.labels : [:],
                annotations: metadata.annotations.filter {
                    $0.key.hasPrefix("metallb.io/") || $0.key.hasPrefix("martlet.dev/")
                }, uid: metadata.uid, isBeingDeleted: metadata.isBeingDeleted)
        }
        switch self {
        case .service(var service):
            service.metadata = bare(service.metadata)
            return .service(service)
        case .endpointSlice(var slice):
            slice.metadata = bare(slice.metadata, labels: false)
            return .endpointSlice(slice)
        case .node(var node):
            node.metadata = bare(node.metadata)
            return .node(node)
        default: return self
        }
    }
}
