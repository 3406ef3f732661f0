public import NetworkTypes

/// Connections that the kernel is to forget, because they lead where nothing serves any more.
///
/// A connection's first packet decides its endpoint, and connection tracking remembers. For UDP
/// there is no end to a connection as long as a client goes on sending, so without this a client of
/// an endpoint that went away would send into the void until it pauses for half a minute. TCP and
/// SCTP end by themselves, but not when the address itself is gone: nobody would tell them.
public struct FlowFlush: Hashable, Sendable {
    /// The most that one update asks for. Those beyond it end by their own time-out.
    public static let maximumPerUpdate = 16_384

    /// The address that the client sent to; `nil` for any, as for a node port.
    public let destination: IPAddress?
    /// The protocol; `nil` for any.
    public let transport: ServiceChain.Transport?
    /// The port that the client sent to; `nil` for any.
    public let port: UInt16?
    /// The endpoint that the connection was given; `nil` for whatever it was given.
    public let endpoint: ServiceChain.Endpoint?
    /// The family of both.
    public let family: IPAddress.Family

    /// Everything that was sent to an address, which no Service has any more.
    init(to address: IPAddress) {
        destination = address
        transport = nil
        port = nil
        endpoint = nil
        family = address.family
    }

    private init(
        _ frontend: ServiceChain.Frontend, _ transport: ServiceChain.Transport,
        _ endpoint: ServiceChain.Endpoint? = nil
    ) {
        switch frontend {
        case .loadBalancer(let address, let port), .clusterIP(let address, let port),
            .externalIP(let address, let port):
            destination = address
            self.port = port
        case .nodePort(_, let port):
            destination = nil
            self.port = port
        }
        self.transport = transport
        self.endpoint = endpoint
        family = frontend.family
    }

    /// What `old` leaves behind when it becomes `new`, or goes: entrances that are no longer there,
    /// and endpoints that no longer serve at entrances that stay.
    static func between(_ old: ServiceChain, _ new: ServiceChain?) -> [FlowFlush] {
        guard old.identity.transport == .udp else { return [] }
        let entrances = Set(new?.frontends ?? [])
        let living: [ServiceChain.Policy: Set<Place>] = [
            .cluster: places(of: new, .cluster), .local: places(of: new, .local),
        ]
        return old.frontends.flatMap { frontend -> [FlowFlush] in
            guard let new, entrances.contains(frontend) else { return [FlowFlush(frontend, .udp)] }
            let policy = old.policy(at: frontend)
            return old.endpoints.filter {
                $0.address.family == frontend.family && $0.serves(policy)
                    && !living[new.policy(at: frontend), default: []].contains(Place($0))
            }.map { FlowFlush(frontend, .udp, $0) }
        }
    }

    /// What went elsewhere before `new` had these entrances.
    static func before(_ new: ServiceChain, _ old: ServiceChain? = nil) -> [FlowFlush] {
        guard new.identity.transport == .udp else { return [] }
        let known = Set(old?.frontends ?? [])
        return new.frontends.filter { !known.contains($0) }.map { FlowFlush($0, .udp) }
    }

    private static func places(
        of chain: ServiceChain?, _ policy: ServiceChain.Policy
    ) -> Set<Place> {
        Set((chain?.endpoints ?? []).lazy.filter { $0.serves(policy) }.map(Place.init))
    }

    /// An endpoint without what does not matter to a packet.
    private struct Place: Hashable {
        let address: IPAddress
        let port: UInt16

        init(_ endpoint: ServiceChain.Endpoint) {
            address = endpoint.address
            port = endpoint.port
        }
    }
}

extension FlowFlush: CustomStringConvertible {
    /// Where the connections lead: "UDP connections to 203.0.113.10 port 53 at 192.0.2.1 port 53".
    public var description: String {
        var words = [transport.map { "\($0)".uppercased() } ?? "all", "connections"]
        if destination != nil || port != nil { words.append("to") }
        if let destination { words.append("\(destination)") }
        if let port { words.append("port \(port)") }
        if let endpoint { words.append("at \(endpoint.address) port \(endpoint.port)") }
        return words.joined(separator: " ")
    }
}
