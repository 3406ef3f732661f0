import AdminServer
import Dataplane
import LoadBalancing
import NetworkTypes
import Speaker

extension DaemonMetrics {
    /// What goes through Martlet's own data plane.
    ///
    /// - Parameter perEndpoint: whether connections are told by endpoint, which are many.
    static func dataplane(_ usage: DataplaneUsage, perEndpoint: Bool) -> [MetricFamily] {
        var families = [
            MetricFamily(
                "martlet_dataplane_connections_total", .counter,
                help: "New connections to a Service port, refused and dropped ones among them.",
                samples: usage.ports.map { port in
                    sample(port.identity, port.usage.connections)
                }),
            MetricFamily(
                "martlet_dataplane_packets_total", .counter,
                help: "Packets of a Service port in both directions, where traffic is counted.",
                samples: usage.ports.compactMap { port in
                    port.usage.traffic.packets == 0
                        ? nil : sample(port.identity, port.usage.traffic.packets)
                }),
            MetricFamily(
                "martlet_dataplane_bytes_total", .counter,
                help: "Their bytes with IP headers.",
                samples: usage.ports.compactMap { port in
                    port.usage.traffic.packets == 0
                        ? nil : sample(port.identity, port.usage.traffic.bytes)
                }),
        ]
        guard perEndpoint else { return families }
        families.append(
            MetricFamily(
                "martlet_dataplane_endpoint_connections_total", .counter,
                help: "New connections that were sent to an endpoint.",
                samples: usage.ports.flatMap { port in
                    port.usage.endpoints.sorted { $0.key < $1.key }.map { place, count in
                        let identity = port.identity
                        return MetricFamily.Sample(
                            [
                                "namespace": identity.namespace, "service": identity.service,
                                "port": identity.port, "protocol": "\(identity.transport)",
                                "endpoint": "\(SocketAddress(place.address, port: place.port))",
                            ], Double(count))
                    }
                }))
        return families
    }

    private static func sample(
        _ identity: ServiceChain.Identity, _ count: UInt64
    ) -> MetricFamily.Sample {
        MetricFamily.Sample(
            [
                "namespace": identity.namespace, "service": identity.service,
                "port": identity.port, "protocol": "\(identity.transport)",
            ], Double(count))
    }

    /// What became of health checks.
    static func health(_ report: EndpointProber.Report) -> [MetricFamily] {
        [
            MetricFamily(
                "martlet_health_check_excluded", .gauge,
                help: "Endpoints of a Service that this node has taken out for bad answers.",
                samples: report.excluded.sorted { $0.key < $1.key }.map { service, addresses in
                    .init(
                        ["namespace": service.namespace, "service": service.name],
                        Double(addresses.count))
                }),
            MetricFamily(
                "martlet_health_check_failing_open", .gauge,
                help: "1 for a Service and family whose endpoints all fail, and all stay in.",
                samples: report.failingOpen.sorted().map { group in
                    .init(
                        [
                            "namespace": group.service.namespace, "service": group.service.name,
                            "family": "\(group.family)",
                        ], 1)
                }),
        ]
    }
}
