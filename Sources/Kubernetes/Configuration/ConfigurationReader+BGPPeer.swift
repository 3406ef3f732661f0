import NetworkTypes

extension ConfigurationReader {
    /// `spec` of a BGPPeer of either version, or an entry of `peers`; `nil` when it lacks what
    /// makes a peer.
    func bgpPeer(_ metadata: ObjectMeta, _ spec: FieldReader) -> BGPPeer? {
        let myASN = spec.required(name("myASN")).flatMap { Self.asn($0) }
        let remoteAS = remoteAS(spec)
        let endpoint = endpoint(spec)
        var peer = BGPPeer(
            metadata: metadata, myASN: myASN ?? 0, remoteAS: remoteAS ?? .anyOther,
            endpoint: endpoint ?? .interface(""))
        peer.sourceAddress = source(spec, endpoint)
        // Port 0 is how the earlier dialects say "the default".
        let lowest = dialect == .kinds ? 1 : 0
        let port = spec.int(name("peerPort"), in: lowest...65535) ?? 0
        peer.peerPort = port == 0 ? 179 : UInt16(port)
        timers(spec, &peer)
        peer.routerID = routerID(spec)
        peer.nodeSelectors = dialect == .older ? olderSelectors(spec) : selectors(spec)
        peer.bfdProfile = spec.string(name("bfdProfile")) ?? ""
        peer.ebgpMultiHop = spec.bool(name("ebgpMultiHop")) ?? false
        peer.password = password(
            spec, limit: BGPPeer.passwordLimit, reason: BGPPeer.passwordLimitReason)
        if dialect == .kinds { laterFields(spec, &peer) } else { refuseLaterFields(spec) }
        guard myASN != nil, remoteAS != nil, endpoint != nil else { return nil }
        checkSession(spec, peer)
        return peer
    }

    private func selectors(_ spec: FieldReader) -> [LabelSelector] {
        spec.labelSelectors("nodeSelectors")
    }

    private static let asNumbers = 0...Int(UInt32.max)

    private static func asn(_ value: FieldValue) -> UInt32? {
        guard let number = value.int(in: asNumbers) else { return nil }
        if number == 0 {
            value.fail("AS number 0 is reserved (RFC 7607)", remedy: "use 1 to 4294967295")
            return nil
        }
        refuseTransition(UInt32(number)) { value.fail($0, remedy: $1) }
        return UInt32(number)
    }

    /// AS 23456 stands for numbers that an old router cannot write; nobody is it.
    static func refuseTransition(_ number: UInt32, _ fail: (String, String) -> Void) {
        guard number == 23456 else { return }
        fail("AS number 23456 is reserved (RFC 6793 §9)", "use the number that was given to you")
    }

    private enum DynamicASN: String, CaseIterable {
        case `internal`, external
    }

    private func remoteAS(_ spec: FieldReader) -> BGPPeer.RemoteAS? {
        let field = name("peerASN")
        let isKinds = dialect == .kinds
        let isGiven = spec.has(field)
        let number = spec.value(field)?.int(in: Self.asNumbers)
        if isGiven && number == nil { return nil }
        let dynamicText = isKinds ? spec.value("dynamicASN") : nil
        // Zero and the empty text are how the API's Go types say "absent".
        let dynamic = dynamicText?.rawText == "" ? nil : dynamicText
        if let dynamic {
            if let number, number != 0 {
                spec.fail(
                    "dynamicASN", "cannot be used together with \(field) (\(number))",
                    remedy: "keep exactly one of the two")
                return nil
            }
            return dynamic.enumeration(DynamicASN.self).map {
                $0 == .internal ? .sameAsOurs : .anyOther
            }
        }
        guard let number, number != 0 else {
            spec.fail(
                isGiven ? field : nil,
                isKinds ? "one of peerASN and dynamicASN is required" : "\(field) is required",
                remedy: isKinds
                    ? "add peerASN (not 0), or dynamicASN: internal or external"
                    : "add \(field), not 0")
            return nil
        }
        return .number(UInt32(number))
    }

    private func endpoint(_ spec: FieldReader) -> BGPPeer.Endpoint? {
        let field = name("peerAddress")
        let addressText = spec.value(field)
        let interfaceText = dialect == .kinds ? spec.value("interface") : nil
        let address = addressText?.rawText == "" ? nil : addressText
        let interface = interfaceText?.rawText == "" ? nil : interfaceText
        switch (address, interface) {
        case (let address?, nil):
            guard let value = address.address() else { return nil }
            if value.isMulticast || value.isUnspecified {
                address.fail("\(value) is not the address of a host", remedy: "name the router")
                return nil
            }
            return .address(value)
        case (nil, let interface?):
            guard let name = interface.string() else { return nil }
            Self.checkInterfaceName(name, interface)
            return .interface(name)
        case (_?, let interface?):
            interface.fail(
                "cannot be used together with \(field)", remedy: "keep exactly one of the two")
            return nil
        case (nil, nil):
            spec.fail(
                nil,
                dialect == .kinds
                    ? "one of peerAddress and interface is required" : "\(field) is required",
                remedy: "add the router's address as \(field)"
                    + (dialect == .kinds ? ", or the interface it is heard on" : ""))
            return nil
        }
    }

    private func source(_ spec: FieldReader, _ endpoint: BGPPeer.Endpoint?) -> IPAddress? {
        guard let value = spec.value(name("sourceAddress")), value.rawText != "",
            let source = value.address()
        else { return nil }
        if case .address(let peer)? = endpoint, peer.family != source.family {
            value.fail(
                "\(source) and the peer's address \(peer) are of different families",
                remedy: "use a source address of the peer's family")
        }
        if case .interface? = endpoint, source.family != .ipv6 {
            value.fail(
                "\(source) cannot be the source of a session over an interface,"
                    + " which is made over IPv6",
                remedy: "remove it: the interface's link-local address is taken")
        }
        return source
    }

    private func routerID(_ spec: FieldReader) -> IPAddress? {
        guard let value = spec.value(name("routerID")), value.rawText != "",
            let identifier = value.address(.ipv4)
        else { return nil }
        if identifier.isUnspecified {
            value.fail("0.0.0.0 is not a router ID (RFC 6286 §2.1)", remedy: "use another one")
        }
        return identifier
    }

    /// Hold and keepalive time: one derives the other, as thrice and a third (RFC 4271 §10).
    private func timers(_ spec: FieldReader, _ peer: inout BGPPeer) {
        let hold = spec.value(name("holdTime"))
        let keepalive = spec.value(name("keepaliveTime"))
        let seconds = 0...65535
        let holdSeconds = hold?.seconds(in: seconds, plainNumbers: false)
        let keepaliveSeconds = keepalive?.seconds(in: seconds, plainNumbers: false)
        if hold != nil && holdSeconds == nil || keepalive != nil && keepaliveSeconds == nil {
            return
        }
        guard holdSeconds != nil || keepaliveSeconds != nil else { return }
        let holdTime = holdSeconds ?? (keepaliveSeconds ?? 0) * 3
        let keepaliveTime = keepaliveSeconds ?? holdTime / 3
        if holdTime > 65535 {
            keepalive?.fail(
                "asks for a hold time of \(holdTime) s, which the protocol cannot carry",
                remedy: "use at most 21845s, or set \(name("holdTime"))")
        } else if holdTime == 1 || holdTime == 2 {
            hold?.fail(
                "a hold time of \(holdTime) s is not allowed (RFC 4271 §4.2)",
                remedy: "use 0s, which never expires, or at least 3s")
        } else if keepaliveTime > holdTime {
            keepalive?.fail(
                "\(keepaliveTime) s is above the hold time of \(holdTime) s",
                remedy: "use at most a third of the hold time")
        } else if keepaliveTime == 0 && holdTime > 0 {
            keepalive?.report(
                .warning, "without keepalives the hold time of \(holdTime) s may run out",
                remedy: "use a third of the hold time, or a hold time of 0s too")
        }
        peer.holdTimeSeconds = holdTime
        peer.keepaliveTimeSeconds = keepaliveTime
    }
}
