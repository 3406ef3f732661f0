import NetworkTypes

extension ConfigurationDraft {
    mutating func admit(_ peer: BGPPeer, _ entry: Entry, _ isIncumbent: Bool) -> [Problem] {
        var peer = peer
        var refusal = checkProfile(peer, entry, isIncumbent)
        refusal += resolvePassword(&peer, entry, isIncumbent)
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

    private mutating func resolvePassword(
        _ peer: inout BGPPeer, _ entry: Entry, _ isIncumbent: Bool
    ) -> [Problem] {
        switch peer.password {
        case nil:
            return []
        case .text(let text):
            peer.passwordBytes = Array(text.utf8)
            return []
        case .secret(let given):
            let name = ObjectName(namespace: namespace, given.name)
            let field = "spec.passwordSecret"
            guard given.namespace.isEmpty || given.namespace == namespace else {
                return [
                    entry.problem(
                        .error, field: field,
                        rule: "Secret \(given) is in another namespace than the configuration",
                        remedy: "put the Secret into \(namespace)")
                ]
            }
            guard let rule = broken(secrets[name], name, &peer.passwordBytes) else { return [] }
            let problem = entry.problem(
                .error, field: field, rule: rule.rule, remedy: rule.remedy)
            let last = previous.bgpPeers[peer.metadata.name.name]
            guard isIncumbent, let last, !last.passwordBytes.isEmpty else { return [problem] }
            peer.passwordBytes = last.passwordBytes
            problems.append(problem)
            return []
        }
    }

    /// Fills in the password, or says what is wrong with the Secret.
    private func broken(
        _ secret: Secret?, _ name: ObjectName, _ password: inout [UInt8]
    ) -> (rule: String, remedy: String)? {
        guard let secret else {
            let others = secrets.keys.filter { $0.namespace == namespace }.map(\.name)
            let near = NearestName.suggestion(for: name.name, among: others).map {
                "did you mean \($0)?"
            }
            return (
                "there is no Secret \(name)",
                near ?? "add it, of type kubernetes.io/basic-auth with the key password"
            )
        }
        guard secret.type == "kubernetes.io/basic-auth" else {
            return (
                "Secret \(name) is of type \(secret.type)",
                "make it of type kubernetes.io/basic-auth"
            )
        }
        guard let bytes = secret.values["password"], !bytes.isEmpty else {
            return ("Secret \(name) has no key password", "add the key password")
        }
        guard bytes.count <= BGPPeer.passwordLimit else {
            return (
                "the password of Secret \(name) has \(bytes.count) bytes",
                "use at most \(BGPPeer.passwordLimit), which is what Linux signs with"
            )
        }
        guard !bytes.contains(where: { $0 == 10 || $0 == 13 }) else {
            return (
                "the password of Secret \(name) holds a line break",
                "encode it without one (echo -n)"
            )
        }
        password = bytes
        return nil
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
