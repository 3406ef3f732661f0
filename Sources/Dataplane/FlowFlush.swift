public import NetworkTypes

/// Connections that the kernel is to forget, because they lead where nothing serves any more.
///
/// A connection's first packet decides its endpoint, and connection tracking remembers. For UDP
/// there is no end to a connection as long as a client goes on sending, so without this a client of
/// an endpoint that went away would send into the void until it pauses for half a minute. TCP and
/// SCTP end by themselves, but not when the address itself is gone: nobody would tell them.
public struct FlowFlush: Hashable, Sendable {
    /// The most that one update asks for. Those beyond it end by their own time-out; see
    /// ``RulesetDiff/omittedFlushes``.
    public static let maximumPerUpdate = 16_384

    /// The address that the client sent to; `nil` for any, as for a node port, whose connections
    /// were given an endpoint in any case.
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

    /// Whether a Service port has an entrance before and after a change, which others may want too.
    enum Tenure {
        /// Neither before nor after: what goes there is another's.
        case none
        /// Only after, and nobody had it before.
        case came
        /// Before and after.
        case stayed
        /// Only before.
        case went
    }

    /// What is left behind when `old` becomes `new`; `nil` is nothing. These are entrances that it
    /// has no longer, endpoints that no longer serve at those that it keeps, and what went
    /// elsewhere before entrances were its own.
    ///
    /// A node port may be at any address of the host, and another host's port of the same number is
    /// none of ours. So there only connections to endpoints of this Service port are meant, and
    /// what came before it had the port is left alone.
    static func between(
        _ old: ServiceChain?, _ new: ServiceChain?,
        tenure: (SetElement.Key, ServiceChain.Identity) -> Tenure
    ) -> [FlowFlush] {
        guard let identity = (old ?? new)?.identity, identity.transport == .udp else { return [] }
        let (formers, successors) = (Reach(old), Reach(new))
        var known: Set<SetElement.Key> = []
        var flushes: [FlowFlush] = []
        for frontend in (old?.frontends ?? []) + (new?.frontends ?? []) {
            let key = SetElement.Key(frontend, .udp)
            guard known.insert(key).inserted else { continue }
            let isNodePort = if case .nodePort = frontend { true } else { false }
            switch tenure(key, identity) {
            case .none: continue
            case .came: if !isNodePort { flushes.append(FlowFlush(frontend, .udp)) }
            case .went where !isNodePort: flushes.append(FlowFlush(frontend, .udp))
            case .went:
                flushes += formers.endpoints(at: frontend).map { FlowFlush(frontend, .udp, $0) }
            case .stayed:
                let successor = new?.frontends.first { SetElement.Key($0, .udp) == key }
                let living = Set(successors.endpoints(at: successor ?? frontend).map(Place.init))
                flushes += formers.endpoints(at: frontend)
                    .filter { !living.contains(Place($0)) }
                    .map { FlowFlush(frontend, .udp, $0) }
            }
        }
        return flushes
    }

    /// Which endpoints connections may have been given, by where they came in.
    private struct Reach {
        let chain: ServiceChain?

        init(_ chain: ServiceChain?) { self.chain = chain }

        /// Under policy Local these are this node's for who is outside, and all of them for who is
        /// inside the cluster. A connection does not say which it is, so that an endpoint counts
        /// that serves one of them.
        func endpoints(at frontend: ServiceChain.Frontend) -> [ServiceChain.Endpoint] {
            guard let chain else { return [] }
            let policies = chain.policies(at: [frontend])
            return chain.endpoints.filter { endpoint in
                endpoint.address.family == frontend.family
                    && policies.contains(where: endpoint.serves)
            }
        }
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
