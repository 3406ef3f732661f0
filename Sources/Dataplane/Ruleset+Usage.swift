public import NetworkTypes

extension Ruleset {
    /// The Service ports in the table, in the order of their identities, with the endpoints that
    /// were admitted.
    public var services: [ServiceChain] { entries.map(\.service) }

    /// What went through one Service port, as far as the kernel's elements tell.
    public struct Usage: Hashable, Sendable {
        /// New connections that came in, refused and dropped ones among them.
        public var connections: UInt64 = 0
        /// Packets of both directions with their bytes; only when traffic is counted.
        public var traffic = ElementCounter()
        /// New connections by endpoint.
        public var endpoints: [Place: UInt64] = [:]

        /// Nothing yet.
        public init() {}
    }

    /// Where an endpoint is.
    public struct Place: Hashable, Comparable, Sendable {
        /// Its address.
        public let address: IPAddress
        /// Its port.
        public let port: UInt16

        /// By address, then by port.
        public static func < (left: Self, right: Self) -> Bool {
            (left.address, left.port) < (right.address, right.port)
        }

        init(_ endpoint: ServiceChain.Endpoint) { self.init(endpoint.address, endpoint.port) }

        init(_ address: IPAddress, _ port: UInt16) {
            self.address = address
            self.port = port
        }
    }

    /// By Service port what its elements counted.
    ///
    /// The kernel counts an element from when it was made. What was counted by one that is gone is
    /// to be remembered elsewhere: see ``UsageLedger``.
    ///
    /// An entrance that several Service ports want counts for the one that has it.
    public func usage(
        of counters: [SetElement.Key: ElementCounter]
    ) -> [ServiceChain.Identity: Usage] {
        var usages: [ServiceChain.Identity: Usage] = [:]
        for entry in entries {
            var usage = Usage()
            let held = Set(entry.rules.elements.filter(isHeld).map(\.key))
            for key in held {
                guard let counter = counters[key] else { continue }
                switch key {
                case .frontend, .nodePort: usage.connections &+= counter.packets
                case .traffic(let address, let transport, let port)
                where held.contains(.frontend(address, transport, port: port)):
                    usage.traffic = usage.traffic + counter
                case .nodePortTraffic(let family, let transport, let port)
                where held.contains(.nodePort(family, transport, port: port)):
                    usage.traffic = usage.traffic + counter
                default: continue
                }
            }
            for spread in entry.rules.spreads { Self.add(spread, counters, to: &usage) }
            usages[entry.service.identity] = usage
        }
        return usages
    }

    /// Each new connection looks up one element that leads to its endpoint.
    private static func add(
        _ spread: ServiceRules.Spread, _ counters: [SetElement.Key: ElementCounter],
        to usage: inout Usage
    ) {
        for endpoint in spread.endpoints { usage.endpoints[Place(endpoint), default: 0] &+= 0 }
        for element in spread.elements {
            guard case .destination(let address, let port) = element.value else { continue }
            usage.endpoints[Place(address, port), default: 0] &+=
                counters[element.key]?.packets ?? 0
        }
    }
}
