public import NetworkTypes

/// Connections that the kernel is to forget, because they lead where nothing serves any more.
///
/// A connection's first packet decides its endpoint, and connection tracking remembers. For UDP
/// there is no end to a connection as long as a client goes on sending, so without this a client of
/// an endpoint that went away would send into the void until it pauses for half a minute.
public struct FlowFlush: Hashable, Sendable {
    /// The most that one update asks for: the kernel walks its whole table for each. Those beyond
    /// it end by their own time-out.
    public static let maximumPerUpdate = 256

    /// The address that the client sent to; `nil` for any, as for a node port.
    public let destination: IPAddress?
    /// The port that the client sent to.
    public let port: UInt16
    /// The endpoint that the connection was given; `nil` for whatever it was given.
    public let endpoint: ServiceChain.Endpoint?
    /// The family of both.
    public let family: IPAddress.Family

    /// What `old` leaves behind when it becomes `new`, or goes: entrances that are no longer there,
    /// and endpoints that are no longer there at entrances that stay.
    static func between(_ old: ServiceChain, _ new: ServiceChain?) -> [FlowFlush] {
        guard old.identity.transport == .udp else { return [] }
        let entrances = Set(new?.frontends ?? [])
        let living = Set((new?.endpoints ?? []).map(\.place))
        let gone = old.endpoints.filter { !living.contains($0.place) }
        return old.frontends.flatMap { frontend -> [FlowFlush] in
            guard entrances.contains(frontend) else { return [FlowFlush(frontend, nil)] }
            return gone.filter { $0.address.family == frontend.family }.map {
                FlowFlush(frontend, $0)
            }
        }
    }

    /// What went elsewhere before `new` had these entrances.
    static func before(_ new: ServiceChain, _ old: ServiceChain? = nil) -> [FlowFlush] {
        guard new.identity.transport == .udp else { return [] }
        let known = Set(old?.frontends ?? [])
        return new.frontends.filter { !known.contains($0) }.map { FlowFlush($0, nil) }
    }

    private init(_ frontend: ServiceChain.Frontend, _ endpoint: ServiceChain.Endpoint?) {
        switch frontend {
        case .loadBalancer(let address, let port), .clusterIP(let address, let port):
            destination = address
            self.port = port
        case .nodePort(_, let port):
            destination = nil
            self.port = port
        }
        self.endpoint = endpoint
        family = frontend.family
    }
}

extension ServiceChain.Endpoint {
    /// The endpoint without what does not matter to a packet.
    fileprivate var place: Self { Self(address, port: port, isLocal: false) }
}
