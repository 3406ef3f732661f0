import Kubernetes
import NetworkTypes
import Testing

@Suite struct SnapshotIncrementalTests {
    @Test("file by file, the snapshot is what all files together make", arguments: 1...24)
    func incremental(seed: Int) {
        var edits = ManifestEdits(seed: UInt64(seed))
        var assembler = SnapshotAssembler()
        var reference = ReferenceAssembler()
        var files: [String: ManifestFile] = [:]
        for step in 0..<40 {
            var changes: [String: ManifestFile?] = [:]
            for _ in 0...edits.below(3) {
                let name = "\(["a", "b", "c", "d"][edits.below(4)]).yaml"
                let text = edits.text()
                changes[name] = .some(text.map { ManifestReader.read($0, file: name) })
            }
            for (name, file) in changes { files[name] = file }
            // A caller that has kept no count of what changed gives everything.
            let isWhole = edits.below(5) == 0
            let snapshot =
                isWhole ? assembler.assemble(Array(files.values)) : assembler.update(changes)
            let wanted = reference.assemble(Array(files.values))
            #expect(snapshot.services == wanted.services, "seed \(seed), step \(step)")
            #expect(snapshot.endpointSlices == wanted.endpointSlices, "seed \(seed), step \(step)")
            #expect(snapshot.problems == wanted.problems, "seed \(seed), step \(step)")
            #expect(snapshot == wanted, "seed \(seed), step \(step)")
        }
    }

    @Test func `a change of one file leaves all that other files say as it was`() {
        let text = { (name: String, port: Int) in
            """
            apiVersion: v1
            kind: Service
            metadata: {name: \(name), namespace: shop}
            spec: {type: LoadBalancer, ports: [{port: \(port)}]}
            """
        }
        var assembler = SnapshotAssembler()
        let files = (0..<500).map {
            ManifestReader.read(text("web-\($0)", 80), file: "\($0).yaml")
        }
        let before = assembler.assemble(files)
        let edited = ManifestReader.read(text("web-7", 81), file: "7.yaml")
        let after = assembler.update([edited.file: edited])
        #expect(
            after.services.differences(from: before.services)
                == [ObjectName(namespace: "shop", "web-7")])
        #expect(assembler.update([files[7].file: files[7]]) == before)
        #expect(assembler.update([files[8].file: nil]).services.count == 499)
    }

    @Test func `a file that is given twice is reported, not merged`() {
        let file = ManifestReader.read(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", file: "a.yaml")
        var assembler = SnapshotAssembler()
        let snapshot = assembler.assemble([file, file])
        #expect(snapshot.namespaces.count == 1)
        #expect(snapshot.problems.map(\.severity) == [.error])
    }
}

/// Random contents of manifest files, the same for the same seed: objects that meet each other in
/// names, labels and selectors, some of them broken, some texts cut short.
private struct ManifestEdits {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ mixed >> 31) % UInt64(bound))
    }

    /// The text of a file; `nil` for none.
    mutating func text() -> String? {
        guard below(6) > 0 else { return nil }
        var text = (0..<below(6)).map { _ in document() }.joined(separator: "---\n")
        if below(8) == 0 { text += "---\napiVersion: [\n" }
        return text
    }

    private mutating func document() -> String {
        let name = ["web", "api", "shop"][below(3)]
        let place = "name: \(name), namespace: \(["one", "two"][below(2)])"
        let labels = "{app: \(["web", "api"][below(2)]), tier: \(["front", "back"][below(2)])}"
        switch below(13) {
        case 0, 1, 2:
            let port = below(5) == 0 ? 0 : 80 + below(2)
            let kind = below(6) == 0 ? "Servic" : "Service"
            let ports = "[{port: \(port)}]"
            let selector = ["{}", "{app: web}", "{tier: front, app: api}"][below(3)]
            return """
                apiVersion: v1
                kind: \(kind)
                metadata: {\(place)}
                spec: {type: LoadBalancer, ports: \(ports), selector: \(selector)}

                """
        case 3: return "apiVersion: v1\nkind: Service\nmetadata: {name: [\(name)]}\n"
        case 4, 5, 6:
            return """
                apiVersion: v1
                kind: Pod
                metadata: {\(place)-\(below(3)), labels: \(labels)}
                spec: {nodeName: n\(below(2))}
                status: {phase: Running, podIPs: [{ip: 198.51.100.\(below(9) + 1)}]}

                """
        case 7:
            return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata: {\(place)-\(below(2)), labels: {kubernetes.io/service-name: \(name)}}
                addressType: IPv4
                ports: [{port: \(8080 + below(2))}]
                endpoints: [{addresses: [203.0.113.\(below(9) + 1)]}]

                """
        case 8:
            return """
                apiVersion: v1
                kind: Endpoints
                metadata: {\(place)}
                subsets: [{addresses: [{ip: 203.0.113.\(below(9) + 1)}], ports: [{port: 8080}]}]

                """
        case 9: return "apiVersion: v1\nkind: Node\nmetadata: {name: n\(below(2))}\n"
        case 10:
            return """
                apiVersion: v1
                kind: Namespace
                metadata: {name: \(["one", "two"][below(2)]), labels: \(labels)}

                """
        case 11: return "apiVersion: v1\nkind: Secret\nmetadata: {\(place)}\n"
        default:
            let scope = below(2) == 0 ? "" : ", namespace: metallb-system"
            let last = below(4) == 0 ? 0 : 20 + below(8)
            return """
                apiVersion: metallb.io/v1beta1
                kind: IPAddressPool
                metadata: {name: \(name)\(scope)}
                spec: {addresses: [192.0.2.\(below(20) + 1)-192.0.2.\(last)]}

                """
        }
    }
}
