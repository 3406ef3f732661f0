import Dataplane
import NetworkTypes
import Testing

/// Short ways to write Services in tests.
enum Example {
    static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    static func service(
        _ name: String = "web", transport: ServiceChain.Transport = .tcp,
        frontends: [ServiceChain.Frontend], endpoints: [ServiceChain.Endpoint] = []
    ) -> ServiceChain {
        ServiceChain(
            identity: .init(
                namespace: "default", service: name, port: "http", transport: transport),
            frontends: frontends, endpoints: endpoints)
    }

    /// A load balancer address, a cluster address and a node port; one endpoint here, one
    /// elsewhere.
    static func web() throws -> ServiceChain {
        service(
            frontends: [
                .loadBalancer(try address("203.0.113.10"), port: 80),
                .clusterIP(try address("198.18.0.10"), port: 80),
                .nodePort(.ipv4, port: 32000),
            ],
            endpoints: [
                .init(try address("192.0.2.1"), port: 8080, isLocal: true),
                .init(try address("192.0.2.2"), port: 8080, isLocal: false),
            ])
    }
}
