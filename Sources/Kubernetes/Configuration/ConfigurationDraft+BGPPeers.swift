import NetworkTypes

extension ConfigurationDraft {
    mutating func admit(_ peer: BGPPeer, _ entry: Entry, _ isIncumbent: Bool) -> [Problem] {
        var peer = peer
        var refusal = checkProfile(peer, entry, isIncumbent)
        refusal += resolve(
            peer.password, into: &peer.passwordBytes, Secrecy(of: peer), entry,
            last: isIncumbent ? previous.bgpPeers[peer.metadata.name.name]?.passwordBytes : nil)
        let twin = configuration.bgpPeers.values
            .filter { isSamePeer($0, peer) }.map(\.metadata.name).min()
        if let twin {
            refusal.append(
                entry.problem(
                    .error,
                    field: peer.endpoint.field,
                    rule: "\(peer.endpoint) port \(peer.peerPort) is already the peer of"
                        + " BGPPeer \(twin), on the same nodes",
                    remedy: "delete one of the two, or let them select different nodes"))
        }
        guard refusal.isEmpty else { return refusal }
        configuration.bgpPeers[peer.metadata.name.name] = peer
        return []
    }

    /// Two sessions from one node between the same two ends would only collide (RFC 4271 §6.8).
    private func isSamePeer(_ left: BGPPeer, _ right: BGPPeer) -> Bool {
        left.endpoint == right.endpoint && left.peerPort == right.peerPort
            && left.vrf == right.vrf && left.sourceAddress == right.sourceAddress
            && mayShareNode(left.nodeSelectors, right.nodeSelectors)
    }

    private mutating func checkProfile(
        _ peer: BGPPeer, _ entry: Entry, _ isIncumbent: Bool
    ) -> [Problem] {
        let name = peer.bfdProfile
        guard !name.isEmpty, configuration.bfdProfiles[name] == nil else { return [] }
        let problem = entry.problem(
            .error, field: "spec.bfdProfile",
            rule: isKnown(.bfdProfile, name)
                ? "BFD profile \(name) is refused itself" : "there is no BFD profile \(name)",
            remedy: isKnown(.bfdProfile, name)
                ? "correct what is reported for BFDProfile \(namespace)/\(name)"
                : remedy(forUnknown: name, .bfdProfile))
        guard isIncumbent, let last = previous.bfdProfiles[name] else { return [problem] }
        configuration.bfdProfiles[name] = last
        problems.append(problem)
        return []
    }
}

extension BGPPeer.Endpoint: CustomStringConvertible {
    /// The address, or `interface NAME`.
    public var description: String {
        switch self {
        case .address(let address): address.description
        case .interface(let name): "interface \(name)"
        }
    }

    var field: String {
        switch self {
        case .address: "spec.peerAddress"
        case .interface: "spec.interface"
        }
    }
}
