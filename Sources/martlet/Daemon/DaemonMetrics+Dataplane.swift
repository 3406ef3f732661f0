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
                "martlet_dataplane_service_ports", .gauge,
                help: "Service ports in the table.",
                samples: [.init([:], Double(usage.ports.count))]),
            MetricFamily(
                "martlet_dataplane_repairs_total", .counter,
                help: "How often the table was put right after somebody else had changed it.",
                samples: [.init([:], Double(usage.repairs))]),
        ]
        if usage.counters != .none {
            families.append(
                MetricFamily(
                    "martlet_dataplane_connections_total", .counter,
                    help: "New connections to a Service port, refused and dropped ones among them.",
                    samples: usage.ports.compactMap { sample($0.identity, $0.connections) }))
        }
        if usage.counters == .traffic {
            families += [
                MetricFamily(
                    "martlet_dataplane_packets_total", .counter,
                    help: "Packets of a Service port, both directions.",
                    samples: usage.ports.compactMap { sample($0.identity, $0.traffic?.packets) }),
                MetricFamily(
                    "martlet_dataplane_bytes_total", .counter,
                    help: "Bytes of a Service port with IP headers, both directions.",
                    samples: usage.ports.compactMap { sample($0.identity, $0.traffic?.bytes) }),
            ]
        }
        guard perEndpoint, usage.counters != .none else { return families }
        families.append(
            MetricFamily(
                "martlet_dataplane_endpoint_connections_total", .counter,
                help: "New connections that were sent to an endpoint.",
                samples: usage.ports.flatMap { port in
                    port.endpoints.compactMap { endpoint in
                        sample(port.identity, endpoint.connections, endpoint: endpoint.address)
                    }
                }))
        return families
    }

    /// One count; `nil` for what could not be read.
    private static func sample(
        _ identity: ServiceChain.Identity, _ count: UInt64?, endpoint: SocketAddress? = nil
    ) -> MetricFamily.Sample? {
        guard let count else { return nil }
        var sample = MetricFamily.Sample(
            [
                "namespace": identity.namespace, "service": identity.service,
                "port": identity.port, "protocol": "\(identity.transport)",
            ], Double(count))
        if let endpoint { sample.labels.append((name: "endpoint", value: "\(endpoint)")) }
        return sample
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
                help: "1 for a Service and family whose endpoints all failed, and all stay in.",
                samples: report.failingOpen.sorted().map { group in
                    .init(
                        [
                            "namespace": group.service.namespace, "service": group.service.name,
                            "family": "\(group.family)",
                        ], 1)
                }),
            MetricFamily(
                "martlet_health_check_unasked", .gauge,
                help: "Endpoints beyond the bound, which are not asked and count as up.",
                samples: [.init([:], Double(report.unasked))]),
            MetricFamily(
                "martlet_health_check_not_asked_total", .counter,
                help: "Questions that this node could not ask; they count for neither side.",
                samples: [.init([:], Double(report.notAsked))]),
        ]
    }
}
