import Kubernetes
import Testing

@Suite("Annotations that move addresses")
struct HandOverAnnotationTests {
    private func node(_ annotation: String) throws -> (node: Node?, problems: [Problem]) {
        let file = ManifestReader.read(
            "apiVersion: v1\nkind: Node\nmetadata: {name: n1, annotations: {\(annotation)}}\n",
            file: "n.yaml")
        guard case .node(let node)? = file.objects.first?.value else { return (nil, file.problems) }
        return (node, file.problems)
    }

    @Test(
        "martlet.dev/drain asks for a hand-over, unless it says false",
        arguments: [("\"true\"", true), ("\"\"", true), ("\"false\"", false)])
    func drain(value: String, asks: Bool) throws {
        let (read, problems) = try node("martlet.dev/drain: \(value)")
        #expect(try #require(read).isAskedToDrain == asks)
        #expect(problems.isEmpty)
    }

    @Test("a drain annotation that is neither true nor false is an error that says what to write")
    func drainInvalid() throws {
        let (_, problems) = try node("martlet.dev/drain: \"yes\"")
        let error = try #require(problems.first { $0.severity == .error })
        #expect(error.rule.contains("\"yes\" is neither true nor false"))
        #expect(error.remedy.contains("true"))
    }

    @Test("martlet.dev/preferred-node names the node for a Service's addresses")
    func preferredNode() throws {
        let file = ManifestReader.read(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: web, namespace: shop, annotations: {martlet.dev/preferred-node: n2}}
            spec: {type: LoadBalancer, ports: [{port: 80}]}
            """, file: "s.yaml")
        #expect(file.problems.isEmpty)
        guard case .service(let service)? = file.objects.first?.value else {
            Issue.record("not a Service")
            return
        }
        #expect(service.preferredNode == "n2")
    }
}
