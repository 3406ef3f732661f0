import Kubernetes
import NetworkTypes
import Testing

@testable import ClusterSource

@Suite struct ClusterReadingTests {
    /// Answers as an API server does that has these bodies, and nothing else.
    private func reading(
        _ bodies: [String: String], refusing: [String: Int] = [:]
    ) async throws -> Result<ClusterReading, APIFailure> {
        let server = try await SmallServer.start { request in
            let path = String(request.uri.prefix { $0 != "?" })
            if let code = refusing[path] {
                return .answer(
                    code, #"{"kind":"Status","code":\#(code),"message":"not for you"}"#)
            }
            return .answer(200, bodies[path] ?? #"{"metadata":{},"items":[]}"#)
        }
        let access = try server.access()
        let result: Result<ClusterReading, APIFailure>
        do throws(APIFailure) {
            result = .success(
                try await KubernetesSource.read(
                    access: access, userAgent: "martlet/test", namespace: "metallb-system",
                    scope: ServiceScope()))
        } catch {
            result = .failure(error)
        }
        #expect(server.requests.allSatisfy { $0.method == "GET" }, "a look changes nothing")
        try await server.stop()
        return result
    }

    private static let kinds = "/apis/metallb.io/v1beta1/namespaces/metallb-system"
    private static let lease =
        "/apis/coordination.k8s.io/v1/namespaces/metallb-system/leases/martlet-controller"
    private static let services = "/api/v1/services"

    private static let bodies = [
        services: """
        {"metadata":{"resourceVersion":"5"},"items":[
        {"metadata":{"name":"web","namespace":"default","uid":"u","resourceVersion":"4"},
        "spec":{"type":"LoadBalancer","clusterIP":"198.18.0.9","ports":[{"port":80}]},
        "status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.10"},{"ip":"2001:db8::10"}]}}}]}
        """,
        "\(kinds)/servicel2statuses": """
        {"metadata":{},"items":[
        {"status":{"node":"n1","serviceName":"web","serviceNamespace":"default",
        "interfaces":[{"name":"eth0"}]}},
        {"status":{"node":"n2","serviceName":"gone","serviceNamespace":"default",
        "interfaces":[{"name":"eth0"}]}}]}
        """,
        "\(kinds)/configurationstates": """
        {"metadata":{},"items":[{"metadata":{"name":"controller"},"status":{"result":"Valid"}}]}
        """,
        lease: """
        {"metadata":{"name":"martlet-controller","resourceVersion":"3"},
        "spec":{"holderIdentity":"pod-1","renewTime":"2026-01-02T03:04:05.000000Z"}}
        """,
    ]

    @Test func `a look at a cluster finds who has what, who allocates and who is content`()
        async throws
    {
        let reading = try await reading(Self.bodies).get()
        let addresses = ["192.0.2.10", "2001:db8::10"].compactMap { IPAddress($0) }
        #expect(reading.state.speakers.keys.sorted() == ["n1"], "n2's Service is gone")
        let record = try #require(reading.state.speakers["n1"])
        #expect(record.claims.keys.sorted() == addresses.sorted())
        #expect(record.interfaces.map(\.name) == ["eth0"])
        #expect(!record.knowsAllInterfaces)
        #expect(reading.lease?.holder == "pod-1")
        #expect(reading.verdicts.map(\.process) == ["controller"])
        #expect(reading.objects == 1)
        #expect(reading.unread.isEmpty)
        #expect(reading.state.isComplete)
    }

    @Test func `a kind that cannot be read is named with the way out, and the rest is told`()
        async throws
    {
        let reading = try await reading(
            Self.bodies,
            refusing: [
                "\(Self.kinds)/bfdprofiles": 403, "\(Self.kinds)/servicebgpstatuses": 404,
                Self.lease: 403,
            ]
        ).get()
        #expect(reading.state.snapshot.services.count == 1)
        #expect(!reading.state.isComplete)
        let said = reading.unread.map(\.description)
        #expect(said.count == 3)
        #expect(
            said.contains {
                $0.contains("bfdprofiles.metallb.io") && $0.contains("not for you")
                    && $0.contains("ask for the verb list")
            })
        #expect(said.contains { $0.contains("CustomResourceDefinitions") })
        #expect(said.contains { $0.contains("ask for the verb get on leases") })
    }

    @Test func `before the first controller there is no Lease, and that is no trouble`()
        async throws
    {
        let reading = try await reading(Self.bodies, refusing: [Self.lease: 404]).get()
        #expect(reading.lease == nil)
        #expect(reading.unread.isEmpty)
    }

    @Test func `without Services there is nothing to tell`() async throws {
        let result = try await reading(Self.bodies, refusing: [Self.services: 403])
        #expect(throws: APIFailure.self) { try result.get() }
    }
}
