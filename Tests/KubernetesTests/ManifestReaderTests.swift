import Kubernetes
import NetworkTypes
import Testing

@Suite struct ManifestReaderTests {
    @Test func `a ClusterIP Service of one port reads with the API's defaults`() throws {
        let file = try ManifestFixture.file("clusterip-service.yaml")
        #expect(file.problems.isEmpty)
        let service = try #require(file.services.first)
        #expect(service.name == ObjectName(namespace: "default", "backend"))
        #expect(service.kind == .clusterIP)
        #expect(service.ports == [Service.Port(port: 80)])
        #expect(service.ports[0].targetPort == .number(80))
        #expect(service.ipFamilyPolicy == .singleStack)
        #expect(service.externalTrafficPolicy == .cluster)
        #expect(service.sessionAffinity == .none)
        #expect(!service.isHeadless && service.clusterIPs.isEmpty)
    }

    @Test func `a NodePort Service reads its target port, node port and selector`() throws {
        let file = try ManifestFixture.file("nodeport-order-service.yaml")
        #expect(file.problems.isEmpty)
        let service = try #require(file.services.first)
        #expect(service.kind == .nodePort)
        #expect(
            service.ports == [
                Service.Port(port: 8080, targetPort: .number(8170), nodePort: 32222)
            ])
        #expect(service.selector == ["component": "order-service-app"])
        let nginx = try ManifestFixture.file("nodeport-nginx.yaml")
        #expect(nginx.problems.isEmpty)
        #expect(nginx.services.first?.ports.first?.nodePort == 32000)
    }

    @Test func `a plain LoadBalancer manifest without a cluster IP is not headless`() throws {
        let file = try ManifestFixture.file("loadbalancer-service.yaml")
        #expect(file.problems.isEmpty)
        let service = try #require(file.services.first)
        #expect(service.kind == .loadBalancer)
        #expect(service.ports.first?.nodePort == 32143)
        #expect(service.ports.first?.port == 8080)
        #expect(!service.isHeadless)
    }

    @Test func `an ExternalName Service keeps its DNS name and needs no ports`() throws {
        let file = try ManifestFixture.file("externalname-service.yaml")
        #expect(file.problems.isEmpty)
        let service = try #require(file.services.first)
        #expect(service.kind == .externalName)
        #expect(service.externalName == "my.database.example.com")
        #expect(service.ports.isEmpty)
    }

    @Test func `the output of kubectl get is read without a word`() throws {
        let file = try ManifestFixture.file("kubectl-list.yaml")
        #expect(file.problems.isEmpty)
        let services = file.services
        #expect(
            services.map(\.name.description) == ["shop/web", "default/kubernetes", "shop/peers"])
        let web = services[0]
        #expect(web.ingress.map(\.address.description) == ["203.0.113.20", "2001:db8:9::20"])
        #expect(web.clusterIPs.map(\.family) == [.ipv4, .ipv6])
        #expect(web.ipFamilyPolicy == .preferDualStack)
        #expect(web.externalTrafficPolicy == .local)
        #expect(web.sessionAffinity == .clientIP(timeoutSeconds: 600))
        #expect(web.ports.map(\.targetPort) == [.name("http"), .number(8443)])
        #expect(web.healthCheckNodePort == 31877)
        #expect(web.sourceRanges.map(\.description) == ["192.0.2.0/24"])
        #expect(services[2].isHeadless)
    }

    @Test func `JSON is read like YAML`() {
        let file = ManifestReader.read(
            """
            {"apiVersion": "v1", "kind": "ServiceList", "items": [
              {"metadata": {"name": "web", "namespace": "shop"},
               "spec": {"type": "LoadBalancer", "ports": [{"port": 80, "targetPort": "http"}]}}
            ]}
            """, file: "list.json")
        #expect(file.problems.isEmpty)
        #expect(file.services.first?.name == ObjectName(namespace: "shop", "web"))
        #expect(file.services.first?.ports.first?.targetPort == .name("http"))
    }

    @Test func `every object of several documents says where it stands`() {
        let file = ManifestReader.read(
            """
            # first
            apiVersion: v1
            kind: Namespace
            metadata: {name: shop}
            ---
            ---
            # nothing but a comment
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: key, namespace: shop}
            type: kubernetes.io/basic-auth
            data: {password: c2VjcmV0}
            stringData: {username: operator}
            """, file: "many.yaml")
        #expect(file.problems.isEmpty)
        #expect(file.objects.map(\.line) == [2, 9])
        guard case .secret(let secret)? = file.objects.last?.value else {
            Issue.record("no Secret")
            return
        }
        #expect(secret.type == "kubernetes.io/basic-auth")
        #expect(
            secret.values == ["password": Array("secret".utf8), "username": Array("operator".utf8)])
    }

    @Test func `kinds that Martlet does not read are mentioned once each`() {
        let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\n"
        let file = ManifestReader.read(
            deployment + deployment + "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n",
            file: "x.yaml")
        #expect(file.problems.map(\.severity) == [.notice, .notice])
        #expect(file.problems.first?.rule.contains("apps/v1 Deployment") == true)
        #expect(file.problems.first?.line == 2)
        #expect(file.objects.isEmpty && file.refused.isEmpty && file.isParsable)
    }

    @Test func `a slip in a kind or its version is pointed out`() {
        let kind = ManifestReader.read(
            "apiVersion: v1\nkind: Sevice\nmetadata: {name: a}\n", file: "x.yaml")
        #expect(kind.problems.first?.severity == .warning)
        #expect(kind.problems.first?.remedy == "did you mean \"Service\"?")
        let version = ManifestReader.read(
            "apiVersion: metallb.io/v1\nkind: IPAddressPool\nmetadata: {name: a}\n"
                + "spec: {addresses: [192.0.2.0/24]}\n", file: "x.yaml")
        #expect(version.errors.first?.field == "apiVersion")
        #expect(version.errors.first?.remedy == "use metallb.io/v1beta1")
    }

    @Test func `a syntax error names line and column, and spoils the file only`() throws {
        let file = ManifestReader.read(
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\nkind: [Service\nfoo: bar\n",
            file: "broken.yaml")
        #expect(!file.isParsable)
        let problem = try #require(file.errors.first)
        #expect(problem.file == "broken.yaml")
        #expect(problem.line == 6)
        #expect(problem.rule.contains("column"))
        #expect(!problem.remedy.isEmpty)
    }

    @Test func `errors of all documents are found in one pass, unparsable ones included`() {
        let file = ManifestReader.read(
            "a: [\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {}\n"
                + "---\nb: {\n",
            file: "x.yaml")
        #expect(file.errors.count == 3)
        #expect(file.errors.compactMap(\.line).contains(6))
    }

    @Test func `a field given twice is an error with its line`() {
        let file = ManifestReader.read(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  name: other\n", file: "x.yaml"
        )
        #expect(!file.isParsable)
        #expect(file.errors.first?.rule.contains("\"name\" is given twice") == true)
        #expect(file.errors.first?.line == 4)
    }

    @Test func `control characters are refused with their line`() {
        let file = ManifestReader.read("a: b\nc: \u{1}\n", file: "x.yaml")
        #expect(!file.isParsable)
        #expect(file.errors.first?.line == 2)
    }

    @Test func `anchors, aliases and merge keys are read`() {
        let file = ManifestReader.read(
            """
            apiVersion: v1
            kind: List
            items:
            - &first
              apiVersion: v1
              kind: Service
              metadata: {name: a}
              spec: &spec
                type: LoadBalancer
                ports: [{port: 80}]
            - <<: *first
              metadata: {name: b}
            - apiVersion: v1
              kind: Service
              metadata: {name: c}
              spec: *spec
            """, file: "x.yaml")
        #expect(file.problems.isEmpty)
        #expect(file.services.map(\.name.name) == ["a", "b", "c"])
        #expect(file.services.allSatisfy { $0.kind == .loadBalancer })
    }

    @Test func `values that are given without quotes keep their type`() {
        let file = ManifestReader.read(
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: a, labels: {on: yes, version: 1.10, build: 7, free: "yes"}}
            spec: {}
            """, file: "x.yaml")
        #expect(
            file.errors.map(\.field) == [
                "metadata.labels.on", "metadata.labels.version", "metadata.labels.build",
            ])
        #expect(file.errors.last?.remedy == "put it in quotes: \"7\"")
    }

    @Test func `no message shows the value of a Secret`() {
        let file = ManifestReader.read(
            """
            apiVersion: v1
            kind: Secret
            metadata: {name: a}
            data: {one: hunter22, two: 815815, three: "???"}
            stringData: {four: [815815]}
            """, file: "x.yaml")
        #expect(file.errors.count == 3)
        #expect(!file.errors.contains { "\($0)".contains("815815") || "\($0)".contains("???") })
    }

    @Test func `a broken object is refused by name, so that it differs from a deleted one`() {
        let file = ManifestReader.read(
            "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 0}]}\n",
            file: "x.yaml")
        #expect(file.objects.isEmpty)
        let name = ObjectName(namespace: "default", "web")
        #expect(file.refused == [ManifestObject.Reference(kind: "Service", name: name)])
        #expect(file.isParsable)
    }

    @Test func `names and namespaces keep the API's rules`() {
        for (kind, name, isValid) in [
            ("Service", "web-1", true), ("Service", "Web", false), ("Service", "a.b", false),
            ("Service", String(repeating: "a", count: 63), true),
            ("Service", String(repeating: "a", count: 64), false), ("Node", "node-1.example", true),
            ("Node", "-a", false), ("Node", "a..b", false),
        ] {
            let spec = kind == "Service" ? "spec: {ports: [{port: 80}]}\n" : ""
            let file = ManifestReader.read(
                "apiVersion: v1\nkind: \(kind)\nmetadata: {name: \(name)}\n\(spec)", file: "x.yaml")
            #expect(file.errors.isEmpty == isValid, "\(kind) \(name)")
        }
        let missing = ManifestReader.read(
            "apiVersion: v1\nkind: Node\nmetadata: {}\n", file: "x.yaml")
        #expect(missing.errors.map(\.field) == ["metadata.name"])
    }

    @Test func `an annotation that is nearly one of ours is pointed out`() {
        let file = ManifestReader.read(
            """
            apiVersion: v1
            kind: Service
            metadata: {name: web, annotations: {metallb.io/loadbalancerIP: 192.0.2.1}}
            spec: {type: LoadBalancer, ports: [{port: 80}]}
            """, file: "x.yaml")
        #expect(file.problems.map(\.severity) == [.warning])
        #expect(file.problems.first?.remedy == "did you mean \"metallb.io/loadBalancerIPs\"?")
        #expect(file.services.count == 1)
    }
}
