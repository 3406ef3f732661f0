public import NetworkTypes

/// An endpoint that is asked whether it lives.
public struct HealthCheckTarget: Hashable, Sendable {
    /// The Service whose check it is.
    public var service: ObjectName
    /// The endpoint.
    public var address: IPAddress
    /// The port that is asked, 1–65535.
    public var port: UInt16

    /// Names an endpoint and where it is asked.
    public init(service: ObjectName, address: IPAddress, port: UInt16) {
        self.service = service
        self.address = address
        self.port = port
    }

    /// Every endpoint of a Service that is to be asked: those that its objects call usable, each
    /// once, at the check's own port or at the first port of the check's protocol.
    public static func targets(
        of service: Service, in slices: some Sequence<EndpointSlice>
    ) -> Set<HealthCheckTarget> {
        guard let check = service.healthCheck, service.kind != .externalName else { return [] }
        let transport: TransportProtocol =
            if case .udp = check.method { .udp } else { .tcp }
        var ports: [IPAddress: UInt16] = [:]
        for slice in slices {
            let served = service.ports.lazy.compactMap { port in
                slice.ports.first {
                    $0.name == port.name && $0.protocol == port.protocol
                        && $0.protocol == transport
                }?.port
            }
            guard let port = check.port ?? served.first else { continue }
            for endpoint in slice.endpoints
            where endpoint.isUsable && ports[endpoint.address] == nil {
                ports[endpoint.address] = port
            }
        }
        return Set(
            ports.map {
                HealthCheckTarget(service: service.name, address: $0.key, port: $0.value)
            })
    }
}
