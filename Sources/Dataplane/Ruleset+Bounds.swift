import NetworkTypes

extension Ruleset {
    /// How many Service ports a table holds. Those beyond it, in the order of their identities, are
    /// left out and reported.
    public static let maximumServicePorts = 65_536

    /// How many endpoints one Service port spreads over. Those beyond it are left out and reported.
    public static let maximumEndpoints = 1_000

    /// How many elements all sets of a table hold together. Service ports with which there would be
    /// more, in the order of their identities, are left out and reported.
    public static let maximumElements = 1 << 21

    /// How many chains with affinity a table holds. Service ports beyond it, in the order of their
    /// identities, choose by a hash of the client's address, which is reported.
    ///
    /// Each has maps of its own, which the kernel finds by walking a list of all of them: a first
    /// installation of so many takes it a second, of five times as many forty.
    public static let maximumAffineChains = 1_024

    /// Why something that was asked for is not, or not wholly, in the table.
    public enum Omission: Hashable, Sendable {
        /// There are more Service ports than a table holds.
        case tableFull
        /// So many elements that the Service port needs would be more than a table holds.
        case elements(Int)
        /// Clients are not remembered: there are more chains with affinity than a table holds.
        case affinity
        /// So many endpoints were left out.
        case endpoints(Int)
        /// The names have characters that nf_tables does not take, or are too long.
        case unusableName
        /// Another chain has the same identity.
        case duplicate
    }

    /// The desired chains in order, within the bounds, each identity once, and what was left out.
    static func admitted(
        _ desired: [ServiceChain]
    ) -> (wanted: [ServiceChain], omissions: [ServiceChain.Identity: Omission]) {
        var omissions: [ServiceChain.Identity: Omission] = [:]
        let isSorted = zip(desired, desired.dropFirst()).allSatisfy { $0.identity < $1.identity }
        var wanted = isSorted ? desired : desired.sorted { $0.identity < $1.identity }
        if !isSorted {
            var previous: ServiceChain.Identity?
            wanted.removeAll { service in
                defer { previous = service.identity }
                guard service.identity == previous else { return false }
                omissions[service.identity] = .duplicate
                return true
            }
        }
        if wanted.count > maximumServicePorts {
            for service in wanted[maximumServicePorts...] {
                omissions[service.identity] = .tableFull
            }
            wanted.removeLast(wanted.count - maximumServicePorts)
        }
        for index in wanted.indices where wanted[index].endpoints.count > maximumEndpoints {
            let excess = wanted[index].endpoints.count - maximumEndpoints
            omissions[wanted[index].identity] = .endpoints(excess)
            // Local ones first: policy Local has no others.
            wanted[index].endpoints.sort {
                $0.isLocal != $1.isLocal ? $0.isLocal : $0.address < $1.address
            }
            wanted[index].endpoints.removeLast(excess)
        }
        limitAffinity(&wanted, &omissions)
        limitElements(&wanted, &omissions)
        return (wanted, omissions)
    }

    private static func limitAffinity(
        _ wanted: inout [ServiceChain], _ omissions: inout [ServiceChain.Identity: Omission]
    ) {
        var chains = 0
        for index in wanted.indices where wanted[index].affinity != .none {
            let needed = wanted[index].affineChainBound
            guard chains + needed > maximumAffineChains else {
                chains += needed
                continue
            }
            // By the same hash as clients are bound at first.
            wanted[index].affinity = .none
            if wanted[index].choice == .random { wanted[index].choice = .sourceHash }
            let identity = wanted[index].identity
            omissions[identity] = omissions[identity] ?? .affinity
        }
    }

    private static func limitElements(
        _ wanted: inout [ServiceChain], _ omissions: inout [ServiceChain.Identity: Omission]
    ) {
        guard wanted.reduce(0, { $0 + $1.elementBound }) > maximumElements else { return }
        var elements = 0
        wanted.removeAll { service in
            let needed = service.elementBound
            guard elements + needed > maximumElements else {
                elements += needed
                return false
            }
            omissions[service.identity] = .elements(needed)
            return true
        }
    }
}

extension ServiceChain {
    /// At most so many elements are in the table for it.
    var elementBound: Int {
        var sum = 0
        for family in IPAddress.Family.allCases {
            let entrances = frontends.filter { $0.family == family }
            guard !entrances.isEmpty else { continue }
            let serving = endpoints.count { $0.address.family == family }
            // Where traffic enters, its address, and where it is counted; and backends that may
            // speak to themselves.
            sum += 3 * entrances.count + serving
            guard serving > 0 else { continue }
            let slots = choice == .consistent ? ConsistentSlots.count : serving
            let numbers = affinity == .none ? 0 : serving
            sum += policies(at: entrances).count * (slots + numbers)
        }
        return sum
    }

    /// At most so many chains remember clients for it.
    var affineChainBound: Int {
        guard affinity != .none else { return 0 }
        return IPAddress.Family.allCases.reduce(0) { sum, family in
            guard endpoints.contains(where: { $0.address.family == family }) else { return sum }
            return sum + policies(at: frontends.filter { $0.family == family }).count
        }
    }

    /// The policies under which something that enters at one of these is spread over endpoints.
    func policies(at frontends: [Frontend]) -> [Policy] {
        var policies = Set(frontends.map(policy(at:)))
        // What begins inside the cluster reaches all endpoints.
        if frontends.contains(where: \.isExternal) { policies.insert(.cluster) }
        return [.cluster, .local].filter(policies.contains)
    }
}

extension Ruleset.Omission: CustomStringConvertible {
    /// In words.
    public var description: String {
        switch self {
        case .tableFull: "the table holds \(Ruleset.maximumServicePorts) Service ports, no more"
        case .elements(let needed):
            "it needs \(needed) elements, and the table holds \(Ruleset.maximumElements) in all"
        case .affinity:
            "clients are sent by a hash of their address and not remembered: the table holds "
                + "\(Ruleset.maximumAffineChains) chains with affinity"
        case .endpoints(let excess):
            "\(excess) endpoints beyond \(Ruleset.maximumEndpoints) were left out"
        case .unusableName: "nf_tables cannot have its name"
        case .duplicate: "another Service port has the same name"
        }
    }
}

extension ServiceChain.Identity {
    /// The Service whose port this is.
    var key: Ruleset.ServiceKey { Ruleset.ServiceKey(namespace: namespace, service: service) }

    /// Whether chain names can be made of it: letters, digits, `-`, `_` and `.`, and at most 200
    /// bytes. Names that Kubernetes takes always can; the slashes between the parts keep them
    /// apart.
    var isUsableName: Bool {
        let parts = [namespace, service, port]
        return parts.allSatisfy { part in
            !part.isEmpty
                && part.utf8.allSatisfy {
                    switch $0 {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                        UInt8(ascii: "_"), UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
        } && parts.reduce(0) { $0 + $1.utf8.count } <= 200
    }
}
