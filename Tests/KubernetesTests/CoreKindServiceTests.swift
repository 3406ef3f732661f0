import Kubernetes
import NetworkTypes
import Testing

@Suite struct CoreKindServiceTests {
    /// The file of one Service whose `spec` is the given flow mapping, which stands in line 4.
    private func read(_ spec: String) -> ManifestFile {
        ManifestReader.read(
            "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
                + "spec: {\(spec)}\n",
            file: "web.yaml")
    }

    @Test(
        arguments: [
            ("ports: [{port: 1}]", nil),
            ("ports: [{port: 65535}]", nil),
            ("ports: [{port: 0}]", "spec.ports[0].port"),
            ("ports: [{port: 65536}]", "spec.ports[0].port"),
            ("ports: [{port: \"80\"}]", "spec.ports[0].port"),
            ("ports: [{}]", "spec.ports[0].port"),
            ("ports: []", "spec.ports"),
            ("selector: {a: b}", "spec.ports"),
            ("clusterIP: None", nil),
            ("ports: [{port: 80, protocol: tcp}]", "spec.ports[0].protocol"),
            ("ports: [{port: 80, protocol: SCTP}]", nil),
            ("ports: [{port: 80, targetPort: http}]", nil),
            ("ports: [{port: 80, targetPort: \"8080\"}]", "spec.ports[0].targetPort"),
            ("ports: [{port: 80, targetPort: 0}]", "spec.ports[0].targetPort"),
            ("ports: [{port: 80, targetPort: a-name-too-long1}]", "spec.ports[0].targetPort"),
            ("ports: [{port: 80, name: a}, {port: 81}]", "spec.ports[1].name"),
            ("ports: [{port: 80, name: a}, {port: 81, name: a}]", "spec.ports[1].name"),
            ("ports: [{port: 80, name: a}, {port: 80, name: b}]", "spec.ports[1].port"),
            ("ports: [{port: 53, name: a}, {port: 53, name: b, protocol: UDP}]", nil),
            ("ports: [{port: 80, name: HTTP}]", "spec.ports[0].name"),
            ("ports: [{port: 80, nodePort: 30080}]", "spec.ports[0].nodePort"),
            ("type: NodePort, ports: [{port: 80, nodePort: 65536}]", "spec.ports[0].nodePort"),
            (
                "type: NodePort, ports: [{port: 80, name: a, nodePort: 30080}, "
                    + "{port: 81, name: b, nodePort: 30080}]", "spec.ports[1].nodePort"
            ),
            ("ports: [{port: 80}], type: Loadbalancer", "spec.type"),
            ("ports: [{port: 80}], sessionAffinity: ClientIP", nil),
            ("ports: [{port: 80}], sessionAffinity: Client", "spec.sessionAffinity"),
            (
                "ports: [{port: 80}], sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}",
                "spec.sessionAffinityConfig"
            ),
            ("ports: [{port: 80}], ipFamilies: [IPv4, IPv6]", nil),
            ("ports: [{port: 80}], ipFamilies: [IPv4, IPv4]", "spec.ipFamilies[1]"),
            ("ports: [{port: 80}], ipFamilies: [ipv6]", "spec.ipFamilies[0]"),
            (
                "ports: [{port: 80}], ipFamilies: [IPv4, IPv6], ipFamilyPolicy: SingleStack",
                "spec.ipFamilyPolicy"
            ),
            ("ports: [{port: 80}], clusterIP: 198.18.0.1", nil),
            ("ports: [{port: 80}], clusterIP: \"\"", nil),
            ("ports: [{port: 80}], clusterIP: none", "spec.clusterIP"),
            ("ports: [{port: 80}], clusterIP: 198.18.0.1, ipFamilies: [IPv6]", "spec.clusterIP"),
            (
                "ports: [{port: 80}], clusterIP: 198.18.0.1, clusterIPs: [198.18.0.2]",
                "spec.clusterIP"
            ),
            ("ports: [{port: 80}], clusterIPs: [198.18.0.1, 198.18.0.2]", "spec.clusterIPs[1]"),
            ("ports: [{port: 80}], type: LoadBalancer, clusterIP: None", "spec.clusterIP"),
            (
                "ports: [{port: 80}], type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.0/24]",
                nil
            ),
            (
                "ports: [{port: 80}], type: LoadBalancer, loadBalancerSourceRanges: [192.0.2.1]",
                "spec.loadBalancerSourceRanges[0]"
            ),
            (
                "ports: [{port: 80}], type: LoadBalancer, loadBalancerClass: a/b/c",
                "spec.loadBalancerClass"
            ),
            ("ports: [{port: 80}], externalIPs: [192.0.2]", "spec.externalIPs[0]"),
            (
                "ports: [{port: 80}], publishNotReadyAddresses: \"true\"",
                "spec.publishNotReadyAddresses"
            ),
            ("type: ExternalName", "spec.externalName"),
            ("type: ExternalName, externalName: db.example.com.", nil),
            ("type: ExternalName, externalName: \"http://db\"", "spec.externalName"),
            ("ports: [{port: 80}], selector: {app: a b}", "spec.selector.app"),
        ] as [(String, String?)])
    func `each rule refuses what breaks it, and names the field`(spec: String, field: String?)
        throws
    {
        let file = read(spec)
        guard let field else {
            #expect(file.errors.isEmpty)
            #expect(file.services.count == 1)
            return
        }
        #expect(file.errors.map(\.field) == [field])
        let problem = try #require(file.errors.first)
        #expect(problem.file == "web.yaml" && problem.line == 4)
        #expect(problem.object == "Service shop/web")
        #expect(!problem.rule.isEmpty && !problem.remedy.isEmpty)
        #expect(file.services.isEmpty)
    }

    @Test(arguments: [(1, true), (86_400, true), (0, false), (86_401, false)])
    func `the affinity timeout is 1 to 86400 seconds`(seconds: Int, isValid: Bool) {
        let file = read(
            "ports: [{port: 80}], sessionAffinity: ClientIP, "
                + "sessionAffinityConfig: {clientIP: {timeoutSeconds: \(seconds)}}")
        #expect(file.errors.isEmpty == isValid)
        if isValid {
            #expect(file.services.first?.sessionAffinity == .clientIP(timeoutSeconds: seconds))
        }
    }

    @Test(arguments: [
        ("ports: [{port: 80, targetport: 1}]", "spec.ports[0].targetport", "targetPort"),
        (
            "externalTraficPolicy: Local, ports: [{port: 80}]", "spec.externalTraficPolicy",
            "externalTrafficPolicy"
        ),
        ("port: [{port: 80}], clusterIP: None", "spec.port", "ports"),
    ])
    func `a field that is nearly a known one is an error with a suggestion`(
        spec: String, field: String, suggestion: String
    ) {
        let file = read(spec)
        #expect(file.errors.map(\.field) == [field])
        #expect(file.errors.first?.rule == "is not a known field")
        #expect(file.errors.first?.remedy == "did you mean \"\(suggestion)\"?")
    }

    @Test func `all errors of one Service are found at once`() {
        let file = ManifestReader.read(
            """
            apiVersion: v1
            kind: Service
            metadata:
              name: web
              lables: {a: b}
            spec:
              type: LoadBalancr
              ports:
              - port: 80000
                nodePort: x
              sessionAffinity: 5
            """, file: "web.yaml")
        #expect(
            file.errors.map { "\($0.line ?? 0) \($0.field)" } == [
                "5 metadata.lables", "7 spec.type", "9 spec.ports[0].port",
                "10 spec.ports[0].nodePort", "11 spec.sessionAffinity",
            ])
        #expect(
            file.errors[2].description
                == "web.yaml:9: error: Service default/web: spec.ports[0].port: "
                + "80000 is out of range; use a number from 1 to 65535")
    }

    @Test func `two families without a policy mean both`() {
        #expect(
            read("ports: [{port: 80}], ipFamilies: [IPv6, IPv4]").services.first?.ipFamilyPolicy
                == .requireDualStack)
        #expect(
            read("ports: [{port: 80}], ipFamilies: [IPv6]").services.first?.ipFamilyPolicy
                == .singleStack)
    }

    @Test func `load balancer fields on another type are warned about`() {
        let file = read("ports: [{port: 80}], loadBalancerIP: 192.0.2.1")
        #expect(file.problems.map(\.severity) == [.warning])
        #expect(file.problems.first?.field == "spec.loadBalancerIP")
    }
}
