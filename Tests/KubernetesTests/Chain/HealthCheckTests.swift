import Kubernetes
import NetworkTypes
import Testing

@Suite("Health checks by annotation")
struct HealthCheckTests {
    private func read(_ annotations: String) -> ManifestFile {
        ManifestReader.read(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: shop\n"
                + "  annotations: {\(annotations)}\nspec: {ports: [{port: 80}]}\n",
            file: "web.yaml")
    }

    private func check(_ annotations: String) throws -> HealthCheck {
        let file = read(annotations)
        #expect(file.problems.isEmpty, "\(file.problems)")
        let service = try #require(file.services.first)
        return try #require(service.healthCheck)
    }

    @Test("nothing is asked unless the annotation says so")
    func off() throws {
        let service = try #require(read("").services.first)
        #expect(service.healthCheck == nil)
    }

    @Test("one annotation is enough; the rest has usual values")
    func defaults() throws {
        let tcp = try check("martlet.dev/health-check: tcp")
        #expect(tcp.method == .tcp && tcp.port == nil && tcp.failsOpen)
        #expect(tcp.interval == .seconds(2) && tcp.timeout == .seconds(1))
        #expect(tcp.rise == 2 && tcp.fall == 3)
        #expect(
            try check("martlet.dev/health-check: http").method
                == .http(path: "/", statuses: 200...399))
        #expect(
            try check("martlet.dev/health-check: udp").method == .udp(sends: [], expects: nil))
    }

    @Test("every setting is read")
    func settings() throws {
        let http = try check(
            """
            martlet.dev/health-check: http, martlet.dev/health-check-port: "8081",
            martlet.dev/health-check-path: /healthz, martlet.dev/health-check-expect: "204",
            martlet.dev/health-check-interval: 500ms, martlet.dev/health-check-timeout: 250ms,
            martlet.dev/health-check-rise: "1", martlet.dev/health-check-fall: "5",
            martlet.dev/health-check-panic: "false"
            """)
        #expect(http.method == .http(path: "/healthz", statuses: 204...204))
        #expect(http.port == 8081 && http.rise == 1 && http.fall == 5 && !http.failsOpen)
        #expect(http.interval == .milliseconds(500) && http.timeout == .milliseconds(250))
    }

    @Test("a datagram and its answer are written with escapes")
    func bytes() throws {
        let udp = try check(
            #"martlet.dev/health-check: udp, martlet.dev/health-check-send: 'a\x00\n\\', "#
                + #"martlet.dev/health-check-expect: 'ok\xfF'"#)
        #expect(
            udp.method
                == .udp(sends: [0x61, 0, 0x0a, 0x5c], expects: [0x6f, 0x6b, 0xff]))
    }

    @Test("an interval that is shorter than the usual time-out shortens that")
    func shortInterval() throws {
        let tcp = try check(
            "martlet.dev/health-check: tcp, martlet.dev/health-check-interval: 200ms")
        #expect(tcp.timeout == .milliseconds(200))
    }

    @Test(
        "what makes no sense is an error that names the annotation",
        arguments: [
            ("health-check", "icmp"), ("health-check", ""), ("health-check-port", "0"),
            ("health-check-port", "65536"), ("health-check-port", "http"),
            ("health-check-path", "healthz"), ("health-check-path", "/a b"),
            ("health-check-expect", "20"), ("health-check-expect", "300-200"),
            ("health-check-expect", "600"), ("health-check-expect", "200-300-400"),
            ("health-check-expect", "ok"), ("health-check-interval", "2"),
            ("health-check-interval", "50ms"), ("health-check-interval", "2h"),
            ("health-check-timeout", "0s"), ("health-check-rise", "0"),
            ("health-check-fall", "101"), ("health-check-panic", "yes"),
            ("endpoint-choice", "maglev"),
        ])
    func errors(_ name: String, _ value: String) {
        let other = name == "health-check" ? "" : "martlet.dev/health-check: http, "
        let file = read("\(other)martlet.dev/\(name): \"\(value)\"")
        #expect(file.errors.count == 1)
        #expect(file.errors.first?.rule.contains("martlet.dev/\(name) ") == true)
        #expect(file.services.isEmpty)
    }

    @Test("escapes that are not known, and too many bytes, are errors")
    func badBytes() {
        let tooLong = String(repeating: "a", count: 513)
        for text in [#"\q"#, #"\x1"#, #"\xzz"#, #"\x+1"#, "\\", tooLong] {
            let file = read(
                "martlet.dev/health-check: udp, martlet.dev/health-check-send: '\(text)'")
            #expect(file.errors.count == 1, "\(text)")
        }
    }

    @Test("a setting that does nothing is a warning")
    func idle() throws {
        let lonely = read("martlet.dev/health-check-port: \"80\"")
        #expect(lonely.problems.map(\.severity) == [.warning])
        let foreign = read(
            "martlet.dev/health-check: tcp, martlet.dev/health-check-path: /healthz")
        #expect(foreign.problems.map(\.severity) == [.warning])
        #expect(foreign.services.first?.healthCheck?.method == .tcp)
    }

    @Test("how endpoints are chosen is read", arguments: Service.EndpointSelection.allCases)
    func selection(_ selection: Service.EndpointSelection) throws {
        let file = read("martlet.dev/endpoint-choice: \(selection.rawValue)")
        #expect(file.problems.isEmpty)
        #expect(file.services.first?.endpointSelection == selection)
    }

    @Test("usable endpoints are asked, each once, at the check's port or where traffic goes")
    func targets() throws {
        var service = Service(metadata: ObjectMeta(name: ObjectName(namespace: "shop", "web")))
        service.ports = [
            .init(name: "dns", protocol: .udp, port: 53), .init(name: "http", port: 80),
        ]
        let (one, two) = try (
            #require(IPAddress("198.51.100.1")), #require(IPAddress("198.51.100.2"))
        )
        let slice = EndpointSlice(
            metadata: ObjectMeta(name: service.name), service: service.name, family: .ipv4,
            endpoints: [.init(address: one), .init(address: two, ready: false)],
            ports: [
                .init(name: "dns", protocol: .udp, port: 5353), .init(name: "http", port: 8080),
            ])
        #expect(HealthCheckTarget.targets(of: service, in: [slice]).isEmpty)
        for (method, port) in [
            (HealthCheck.Method.tcp, 8080 as UInt16), (.udp(sends: [], expects: nil), 5353),
        ] {
            service.healthCheck = HealthCheck(method)
            let found = HealthCheckTarget.targets(of: service, in: [slice, slice])
            #expect(found == [.init(service: service.name, address: one, port: port)])
        }
        service.healthCheck?.port = 9000
        #expect(HealthCheckTarget.targets(of: service, in: [slice]).map(\.port) == [9000])
    }

    @Test("an endpoint found dead is neither ready nor serving, and other Services keep theirs")
    func takingOut() throws {
        var snapshot = ClusterSnapshot()
        let (one, two) = try (
            #require(IPAddress("198.51.100.1")), #require(IPAddress("198.51.100.2"))
        )
        for name in ["api", "web"] {
            let service = ObjectName(namespace: "shop", name)
            snapshot.endpointSlices[service] = [
                EndpointSlice(
                    metadata: ObjectMeta(name: service), service: service, family: .ipv4,
                    endpoints: [.init(address: one, serving: true), .init(address: two)])
            ]
        }
        let web = ObjectName(namespace: "shop", "web")
        let next = snapshot.takingOut([web: [one], ObjectName("gone"): [one]])
        #expect(next.endpointSlices[web]?[0].endpoints.map(\.isUsable) == [false, true])
        #expect(next.endpointSlices.differences(from: snapshot.endpointSlices) == [web])
        #expect(snapshot.takingOut([:]) == snapshot)
    }
}
