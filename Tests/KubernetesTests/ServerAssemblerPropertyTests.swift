import Kubernetes
import NetworkTypes
import Testing

/// Whatever the order and number of changes, the snapshot is what the objects that are there make
/// when they are put together anew.
@Suite struct ServerAssemblerPropertyTests {
    @Test(arguments: 1...24) func `change by change, the snapshot is what all objects make`(
        seed: Int
    ) throws {
        for keeping in [ServerAssembler.EndpointKeeping.all, .loadBalancersOnly] {
            var edits = ServerEdits(seed: UInt64(seed))
            var assembler = ServerAssembler(endpoints: keeping)
            var reference = ServerReference(keeping)
            for step in 0..<60 {
                let changes = try (0...edits.random.below(4)).map { _ in try edits.change() }
                assembler.apply(changes)
                let snapshot = assembler.snapshot()
                let wanted = reference.snapshot(changes)
                #expect(snapshot.services == wanted.services, "seed \(seed), step \(step)")
                #expect(
                    snapshot.endpointSlices == wanted.endpointSlices, "seed \(seed), step \(step)")
                #expect(snapshot.namespaces == wanted.namespaces, "seed \(seed), step \(step)")
                #expect(snapshot.problems == wanted.problems, "seed \(seed), step \(step)")
                #expect(snapshot == wanted, "seed \(seed), step \(step)")
            }
        }
    }
}

/// What `ServerAssembler` is to come to, in the plainest way: nothing but the last good versions is
/// carried over.
private struct ServerReference {
    private let keeping: ServerAssembler.EndpointKeeping
    private var present: [ManifestObject.Reference: APIObject] = [:]
    private var lastGood: [ManifestObject.Reference: ManifestObject.Value] = [:]
    private var configuration = ConfigurationAssembler()

    init(_ keeping: ServerAssembler.EndpointKeeping) { self.keeping = keeping }

    mutating func snapshot(
        _ changes: [(ManifestObject.Reference, APIObject?)]
    ) -> ClusterSnapshot {
        for (reference, object) in changes {
            present[reference] = object
            let isConfiguration = reference.kind == "IPAddressPool"
            if let value = object?.value {
                lastGood[reference] = value
            } else if object?.isRefused != true || isConfiguration {
                lastGood[reference] = nil
            }
        }
        var snapshot = ClusterSnapshot()
        var input = ConfigurationInput()
        var slices: [EndpointSlice] = []
        for (reference, value) in lastGood.sorted(by: { $0.key < $1.key }) {
            let space = reference.name.namespace
            if !space.isEmpty, snapshot.namespaces[space] == nil {
                let labels = ["kubernetes.io/metadata.name": space]
                snapshot.namespaces[space] = Namespace(
                    metadata: ObjectMeta(name: ObjectName(space), labels: labels))
            }
            switch value {
            case .service(let service): snapshot.services[service.name] = service
            case .endpointSlice(var slice):
                slice.metadata = ObjectMeta(name: slice.metadata.name)
                slices.append(slice)
            case .node(let node):
                snapshot.nodes[node.metadata.name.name] = node
                input.nodes.append(node)
            case .namespace(let space): snapshot.namespaces[reference.name.name] = space
            case .configuration(let object): input.entries.append(.init(object))
            default: break
            }
        }
        for slice in slices where isAsked(slice, snapshot) {
            snapshot.endpointSlices[slice.service, default: []].append(slice)
        }
        for (reference, object) in present where object.isRefused {
            guard reference.kind == "IPAddressPool" else { continue }
            input.refused.insert(.init(kind: .pool, name: reference.name))
        }
        let outcome = configuration.assemble(input)
        snapshot.configuration = outcome.configuration
        snapshot.problems = problems() + outcome.problems
        return snapshot
    }

    private func isAsked(_ slice: EndpointSlice, _ snapshot: ClusterSnapshot) -> Bool {
        guard !slice.service.name.isEmpty else { return false }
        return keeping == .all || snapshot.services[slice.service]?.kind == .loadBalancer
    }

    private func problems() -> [Problem] {
        let references = present.keys.sorted()
        var problems = references.flatMap { present[$0]?.problems ?? [] }
        for reference in references where present[reference]?.isRefused == true {
            guard lastGood[reference] != nil else { continue }
            problems.append(
                Problem(
                    .notice, object: reference.description,
                    rule: "its last good version stays in force",
                    remedy: "correct what is reported for it, or delete it"))
        }
        return problems
    }
}

/// Random changes, the same for the same seed: objects that meet each other in names and
/// namespaces, some of them broken.
private struct ServerEdits {
    var random: SplitMix

    init(seed: UInt64) { random = SplitMix(seed: seed) }

    mutating func change() throws -> (ManifestObject.Reference, APIObject?) {
        let (resource, text) = self.text()
        let object = try ServerObjectText.object(text, resource)
        return (object.reference, random.below(4) == 0 ? nil : object)
    }

    private mutating func text() -> (APIResource, String) {
        let name = ["web", "api", "a-service-with-a-long-name"][random.below(3)]
        let place = #""name":"\#(name)","namespace":"\#(["one", "two"][random.below(2)])""#
        switch random.below(9) {
        case 0, 1, 2:
            let type = ["LoadBalancer", "LoadBalancer", "ClusterIP", "Quantum"][random.below(4)]
            let port = 80 + random.below(2)
            return (
                .services,
                #"{"metadata":{\#(place)},"spec":{"type":"\#(type)","ports":[{"port":\#(port)}]}}"#
            )
        case 3, 4, 5: return (.endpointSlices, slice(of: name))
        case 6:
            let labels = ["{}", #"{"rack":"a"}"#][random.below(2)]
            let ready = ["True", "False"][random.below(2)]
            return (
                .nodes,
                #"{"metadata":{"name":"n\#(random.below(2))","labels":\#(labels)},"status":"#
                    + #"{"conditions":[{"type":"Ready","status":"\#(ready)"}]}}"#
            )
        case 7:
            let space = ["one", "two"][random.below(2)]
            return (.namespaces, #"{"metadata":{"name":"\#(space)","labels":{"a":"b"}}}"#)
        default:
            let last = random.below(4) == 0 ? 0 : 20 + random.below(8)
            let range = "192.0.2.\(random.below(20) + 1)-192.0.2.\(last)"
            return (
                .ipAddressPools,
                #"{"metadata":{"name":"\#(name)","namespace":"metallb-system"},"#
                    + #""spec":{"addresses":["\#(range)"]}}"#
            )
        }
    }

    private mutating func slice(of service: String) -> String {
        let space = ["one", "two"][random.below(2)]
        let name = "slice-\(random.below(3))"
        let type = ["IPv4", "IPv4", "IPv6", "FQDN"][random.below(4)]
        let conditions = ["{}", #"{"ready":true}"#, #"{"ready":false,"serving":true}"#]
        let endpoints = (0..<random.below(4)).map { index in
            let address = type == "IPv6" ? "2001:db8::\(index + 1)" : "198.51.100.\(index + 1)"
            let target = ["Pod", "VM"][random.below(2)]
            return #"{"addresses":["\#(address)"],"conditions":\#(conditions[random.below(3)]),"#
                + #""nodeName":"a-node-with-a-long-name-\#(random.below(2))","targetRef":"#
                + #"{"kind":"\#(target)","namespace":"\#(space)","name":"\#(service)-\#(index)"}}"#
        }
        let label = #"{"kubernetes.io/service-name":"\#(service)"}"#
        return #"{"metadata":{"name":"\#(name)","namespace":"\#(space)","labels":\#(label)},"#
            + #""addressType":"\#(type)","endpoints":[\#(endpoints.joined(separator: ","))],"#
            + #""ports":[{"name":"http","port":\#(8080 + random.below(2)),"protocol":"TCP"}]}"#
    }
}
