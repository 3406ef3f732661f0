import Kubernetes
import NetworkTypes
import Testing

@Suite("The review of Services' ways")
struct ServiceChainReviewTests {
    /// What is found in manifests of the namespace `shop`.
    private func findings(
        _ documents: String..., settings: ServiceChainReview.Settings = .init()
    ) -> [ServiceFinding] {
        let file = ManifestReader.read(documents.joined(separator: "\n---\n"), file: "a.yaml")
        #expect(file.errors.isEmpty, "\(file.errors)")
        let pods = file.objects.compactMap { object -> Pod? in
            if case .pod(let pod) = object.value { pod } else { nil }
        }
        return ServiceChainReview(
            ManifestFixture.snapshot(file), settings: settings, pods: pods
        ).findings()
    }

    private func service(_ name: String, _ spec: String, annotations: String = "") -> String {
        "{apiVersion: v1, kind: Service, metadata: {name: \(name), namespace: shop, "
            + "annotations: {\(annotations)}}, spec: {\(spec)}}"
    }

    private func pod(_ labels: String, port: String) -> String {
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop, labels: {\(labels)}}, "
            + "spec: {containers: [{name: c, ports: [{name: \(port), containerPort: 8080}]}]}, "
            + "status: {podIP: 198.51.100.1}}"
    }

    private func slice(_ service: String, port: String) -> String {
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: IPv4, "
            + "metadata: {name: \(service)-1, namespace: shop, "
            + "labels: {kubernetes.io/service-name: \(service)}}, "
            + "endpoints: [{addresses: [198.51.100.1]}], ports: [{\(port)}]}"
    }

    private let web = "selector: {app: web}, ports: [{port: 80, targetPort: http}]"

    @Test("a Service that leads to a Pod has nothing to be said of")
    func good() {
        #expect(findings(service("web", web), pod("app: web", port: "http")).isEmpty)
    }

    @Test("a targetPort name that no Pod has is found, with the name that was probably meant")
    func targetPort() throws {
        let found = findings(service("web", web), pod("app: web", port: "htpp"))
        let finding = try #require(found.first)
        #expect(found.map(\.rule) == [.targetPortUnknown])
        #expect(finding.severity == .warning && finding.field == "spec.ports[0].targetPort")
        #expect(finding.text.contains("\"http\"") && finding.remedy.contains("htpp"))
        #expect(finding.service == ObjectName(namespace: "shop", "web"))
    }

    @Test("one of several ports that no Pod has is found, the others are not blamed")
    func oneOfTwo() {
        let ports =
            "selector: {app: web}, ports: [{name: a, port: 80, targetPort: http}, "
            + "{name: b, port: 81, targetPort: admin}]"
        let found = findings(service("web", ports), pod("app: web", port: "http"))
        #expect(found.map(\.field) == ["spec.ports[1].targetPort"])
    }

    @Test("a selector that matches nothing is a warning where a Pod was meant, else a notice")
    func selector() throws {
        let slip = findings(service("web", web), pod("app: wed, tier: a", port: "http"))
        #expect(slip.map(\.rule) == [.selectorMatchesNothing])
        #expect(slip.map(\.severity) == [.warning])
        #expect(try #require(slip.first).remedy.contains("did you mean app=wed"))
        // A Pod of its own beside Deployments, whose Pods are in no folder.
        for labels in ["app: debug-shell", "role: web", ""] {
            let other = findings(service("web", web), pod(labels, port: "http"))
            #expect(other.map(\.severity) == [.notice], "\(labels)")
        }
        #expect(findings(service("web", web)).map(\.severity) == [.notice])
        let lacking =
            "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop, labels: {app: web}}, "
            + "spec: {containers: [{name: c}]}}"
        let without = findings(service("web", web), lacking)
        #expect(without.map(\.severity) == [.warning])
        #expect(try #require(without.first).remedy.contains("lacks an address"))
    }

    @Test("nothing is said of endpoints that nobody has asked for")
    func known() {
        var settings = ServiceChainReview.Settings()
        let documents = (
            service("head", "clusterIP: None, ports: [{port: 80}]"),
            service("plain", "ports: [{port: 80}]"),
            service("outer", "type: LoadBalancer, ports: [{port: 80}]")
        )
        let cases: [(ServiceChainReview.Settings.KnownEndpoints, [String])] = [
            (.none, []), (.loadBalancers, ["outer"]), (.allButHeadless, ["outer", "plain"]),
            (.all, ["head", "outer", "plain"]),
        ]
        for (known, names) in cases {
            settings.known = known
            let found = findings(documents.0, documents.1, documents.2, settings: settings)
            #expect(found.map(\.service.name) == names)
        }
    }

    @Test("a Service with nothing behind it, and a port that no slice has, are found")
    func slices() {
        let plain = "ports: [{name: http, port: 80}]"
        #expect(findings(service("web", plain)).map(\.rule) == [.nothingBehind])
        #expect(
            findings(service("web", plain), slice("web", port: "name: web, port: 8080"))
                .map(\.rule) == [.portUnserved])
        #expect(
            findings(service("web", plain), slice("web", port: "name: http, port: 8080")).isEmpty)
    }

    @Test("a Service without endpoints is no matter for a warning in a cluster")
    func cluster() {
        let found = findings(
            service("web", "type: LoadBalancer, ports: [{port: 80}]"),
            service("api", "ports: [{port: 80}]"), settings: .server)
        #expect(found.map(\.service.name) == ["web"])
        #expect(found.map(\.severity) == [.notice])
    }

    private func open(_ name: String, _ port: String, more: String = "") -> String {
        service(
            name, "type: NodePort, selector: {a: b}, ports: [{port: 80, \(port)}]\(more)")
    }

    private let backing =
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop, labels: {a: b}}, "
        + "spec: {containers: [{name: c}]}, status: {podIP: 198.51.100.1}}"

    @Test("a node port outside the range is found; the range is the operator's")
    func nodePortRange() {
        let ports = [(29_999, true), (30_000, false), (32_767, false), (32_768, true)]
        for (port, isOutside) in ports {
            let found = findings(open("web", "nodePort: \(port)"), backing)
            #expect(found.map(\.rule) == (isOutside ? [.nodePortOutsideRange] : []), "\(port)")
        }
        var settings = ServiceChainReview.Settings()
        settings.nodePorts = 20_000...22_767
        #expect(
            findings(open("web", "nodePort: 22222"), backing, settings: settings).isEmpty)
        #expect(findings(open("web", "nodePort: 1"), backing, settings: .server).isEmpty)
    }

    @Test("a node port that two Services want belongs to the first by name, per protocol")
    func nodePortTaken() throws {
        let found = findings(
            open("web", "nodePort: 32222"), open("api", "nodePort: 32222"),
            open("dns", "protocol: UDP, nodePort: 32222"), backing)
        let finding = try #require(found.first)
        #expect(found.map(\.rule) == [.nodePortTaken])
        #expect(finding.service.name == "web" && finding.severity == .error)
        #expect(finding.text.contains("32222/TCP") && finding.text.contains("shop/api"))
    }

    @Test("a health check node port clashes with node ports, and is idle without policy Local")
    func healthCheckNodePort() {
        let local = "type: LoadBalancer, selector: {a: b}, ports: [{port: 80}], "
        let found = findings(
            service("web", local + "externalTrafficPolicy: Local, healthCheckNodePort: 32000"),
            open("api", "nodePort: 32000"), backing)
        #expect(found.map(\.rule) == [.nodePortTaken])
        #expect(found.map(\.field) == ["spec.healthCheckNodePort"])
        #expect(
            findings(service("web", local + "healthCheckNodePort: 32000"), backing).map(\.rule)
                == [.idleHealthCheckNodePort])
    }

    private func sharing(_ name: String, port: String, key: String?) -> String {
        service(
            name, "type: LoadBalancer, selector: {a: b}, ports: [{\(port)}]",
            annotations: "metallb.io/loadBalancerIPs: 192.0.2.10"
                + (key.map { ", metallb.io/allow-shared-ip: \($0)" } ?? ""))
    }

    @Test("ports that clash on a shared address are found; other protocols do not clash")
    func sharedAddress() throws {
        let good = findings(
            sharing("tcp", port: "port: 53", key: "dns"),
            sharing("udp", port: "port: 53, protocol: UDP", key: "dns"), backing)
        #expect(good.isEmpty)
        let found = findings(
            sharing("a", port: "port: 53", key: "dns"), sharing("b", port: "port: 53", key: "dns"),
            backing)
        let finding = try #require(found.first)
        #expect(found.map(\.rule) == [.portTaken])
        #expect(finding.service.name == "b" && finding.text.contains("shop/a"))
    }

    @Test("an address that two ask for without a common key is found once, not port by port")
    func unshared() {
        for (one, two) in [(nil, nil), ("x", nil), (nil, "x"), ("x", "y")] as [(String?, String?)] {
            let found = findings(
                sharing("a", port: "port: 53", key: one), sharing("b", port: "port: 53", key: two),
                backing)
            #expect(found.map(\.rule) == [.addressNotShared])
            #expect(found.map(\.service.name) == ["b"])
        }
    }

    private func given(_ name: String, _ kind: String, wish: String = "") -> String {
        "{apiVersion: v1, kind: Service, metadata: {name: \(name), namespace: shop, "
            + "annotations: {\(wish)}}, "
            + "spec: {type: \(kind), selector: {a: b}, ports: [{port: 53}]}, "
            + "status: {loadBalancer: {ingress: [{ip: 192.0.2.10}]}}}"
    }

    @Test("who has an address keeps it, whoever comes first by name and asks for it")
    func givenFirst() {
        for wish in ["", "metallb.io/loadBalancerIPs: 192.0.2.10"] {
            let found = findings(
                sharing("a", port: "port: 53", key: nil), given("z", "LoadBalancer", wish: wish),
                backing)
            #expect(found.map(\.service.name) == ["a"], "\(found)")
            #expect(found.first?.text.contains("shop/z") == true)
        }
        // What the status of another type says is past.
        let past = findings(
            sharing("a", port: "port: 53", key: nil), given("z", "ClusterIP"), backing)
        #expect(past.isEmpty)
    }

    @Test("an empty key shares no address")
    func emptyKey() {
        let found = findings(
            sharing("a", port: "port: 53", key: "''"), sharing("b", port: "port: 80", key: "''"),
            backing)
        #expect(found.map(\.rule) == [.addressNotShared])
        #expect(found.first?.text.contains("neither of them shares it") == true)
    }

    @Test("an ExternalName Service is told that its ports and selector have no data path")
    func externalName() throws {
        #expect(
            findings(service("db", "type: ExternalName, externalName: db.example.com")).isEmpty)
        let found = findings(
            service(
                "db",
                "type: ExternalName, externalName: db.example.com, ports: [{port: 5432}]"))
        let finding = try #require(found.first)
        #expect(found.map(\.rule) == [.externalNameHasNoDataPath])
        #expect(finding.text.contains("CNAME for db.example.com"))
        #expect(
            findings(service("db", "type: ExternalName, externalName: 192.0.2.1")).map(\.rule)
                == [.externalNameIsAddress])
    }

    @Test("external addresses are refused unless allowed, and some can never be served")
    func externalIPs() {
        let spec = "selector: {a: b}, ports: [{port: 80}], externalIPs: "
        #expect(
            findings(service("web", spec + "[192.0.2.7]"), backing).map(\.rule)
                == [.externalIPRefused])
        var settings = ServiceChainReview.Settings()
        settings.allowsExternalIPs = true
        #expect(
            findings(service("web", spec + "[192.0.2.7]"), backing, settings: settings).isEmpty)
        for address in ["127.0.0.1", "0.0.0.0", "224.0.0.1", "\"::1\"", "\"fe80::1\""] {
            let found = findings(
                service("web", spec + "[\(address)]"), backing, settings: settings)
            #expect(found.map(\.rule) == [.externalIPUnusable], "\(address)")
            #expect(found.map(\.severity) == [.error])
        }
    }

    @Test("source ranges that close a family, or name one that the Service lacks, are found")
    func sourceRanges() {
        func rules(_ families: String, _ ranges: String) -> [ServiceFinding.Rule] {
            findings(
                service(
                    "web",
                    "type: LoadBalancer, selector: {a: b}, ports: [{port: 80}], "
                        + "ipFamilyPolicy: PreferDualStack, ipFamilies: [\(families)], "
                        + "loadBalancerSourceRanges: [\(ranges)]"), backing
            ).map(\.rule).filter { $0 != .selectorMatchesNothing }
        }
        #expect(rules("IPv4, IPv6", "192.0.2.0/24, \"2001:db8::/32\"").isEmpty)
        #expect(rules("IPv4, IPv6", "192.0.2.0/24") == [.sourceRangesLackFamily])
        #expect(
            rules("IPv4", "192.0.2.0/24, \"2001:db8::/32\"") == [.sourceRangeOfOtherFamily])
    }

    @Test("a family without a source range is closed by Martlet, and open beside kube-proxy")
    func carrier() {
        let open = service(
            "web",
            "type: LoadBalancer, selector: {a: b}, ports: [{port: 80}], "
                + "ipFamilyPolicy: PreferDualStack, ipFamilies: [IPv4, IPv6], "
                + "loadBalancerSourceRanges: [192.0.2.0/24]")
        func text(_ carrier: ServiceChainReview.Settings.Carrier?) -> String {
            var settings = ServiceChainReview.Settings()
            settings.carrier = carrier
            return findings(open, backing, settings: settings)
                .first { $0.rule == .sourceRangesLackFamily }?.text ?? ""
        }
        #expect(text(.martlet).contains("nobody may enter by IPv6"))
        #expect(!text(.martlet).contains("everybody"))
        #expect(text(.another).contains("everybody enter by IPv6"))
        #expect(!text(.another).contains("nobody"))
        #expect(text(nil).contains("nobody may enter") && text(nil).contains("everybody may"))
    }

    @Test("a random choice beside session affinity, and a check without a port, are found")
    func choice() {
        let affine = "selector: {a: b}, ports: [{port: 80}], sessionAffinity: ClientIP"
        #expect(
            findings(
                service("web", affine, annotations: "martlet.dev/endpoint-choice: random"), backing
            ).map(\.rule) == [.choiceOverruled])
        let udp = "selector: {a: b}, ports: [{port: 53, protocol: UDP}]"
        #expect(
            findings(
                service("dns", udp, annotations: "martlet.dev/health-check: tcp"), backing
            ).map(\.rule) == [.healthCheckWithoutPort])
    }

    @Test("a finding becomes a problem at the object's place")
    func problem() throws {
        let finding = try #require(
            findings(service("web", web), pod("app: web", port: "x")).first)
        let problem = finding.problem(file: "a.yaml", line: 3)
        #expect(problem.object == "Service shop/web" && problem.line == 3)
        #expect(problem.description.hasPrefix("a.yaml:3: warning: Service shop/web: spec.ports[0]"))
    }

    @Test("the examples are found to be in order, but for Pods that are elsewhere")
    func examples() throws {
        for name in ManifestFixture.names where name != "kubectl-list.yaml" {
            let snapshot = ManifestFixture.snapshot(try ManifestFixture.file(name))
            let found = ServiceChainReview(snapshot).findings()
            #expect(found.allSatisfy { $0.severity == .notice }, "\(name): \(found)")
        }
    }

    @Test("of an address that two want it is said who of them shares it")
    func sharing() {
        func wish(_ name: String, _ key: String?) -> String {
            service(
                name, "type: LoadBalancer, selector: {a: b}, ports: [{port: 8\(name.count)}]",
                annotations: "metallb.io/loadBalancerIPs: 192.0.2.9"
                    + (key.map { ", metallb.io/allow-shared-ip: \($0)" } ?? ""))
        }
        let cases: [(String?, String?, String?)] = [
            (nil, nil, "neither of them shares it"), ("k", nil, "only that one shares it"),
            (nil, "k", "only this one shares it"), ("k", "l", "share it under different keys"),
            ("k", "k", nil),
        ]
        for (first, second, words) in cases {
            let found = findings(wish("a", first), wish("bb", second), backing)
                .filter { $0.rule == .addressNotShared }
            #expect(found.map(\.service.name) == (words == nil ? [] : ["bb"]))
            if let words { #expect(found.first?.text.contains(words) == true, "\(found)") }
        }
    }

    @Test("a healthCheckNodePort that nothing answers says what it lacks")
    func idle() throws {
        let found = findings(
            service(
                "web",
                "type: LoadBalancer, selector: {a: b}, healthCheckNodePort: 32100, "
                    + "ports: [{port: 80}]"), backing)
        let finding = try #require(found.first { $0.rule == .idleHealthCheckNodePort })
        #expect(finding.text == "32100 is not answered without externalTrafficPolicy: Local")
        #expect(finding.remedy == "remove it, or set externalTrafficPolicy: Local")
    }
}
