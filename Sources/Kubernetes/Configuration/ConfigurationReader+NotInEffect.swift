extension ConfigurationReader {
    /// Says which fields of the object were read and checked, but change nothing as yet, so that
    /// none is ignored in silence.
    func reportWhatWaits(_ object: ConfigurationObject, _ spec: FieldReader) {
        let fields = fieldsThatWait(object).filter(spec.has)
        // Entries of the older file have long paths; their problem names the entry already.
        let path = dialect == .older ? "" : "\(spec.path)."
        guard !fields.isEmpty else { return }
        spec.report(
            .notice, nil,
            "read, not yet in effect: " + fields.map { path + $0 }.joined(separator: ", "),
            remedy: "nothing to do; a later version acts on them")
    }

    private func fieldsThatWait(_ object: ConfigurationObject) -> [String] {
        switch object {
        case .pool, .l2Advertisement:
            []
        case .bgpAdvertisement:
            [
                "aggregationLength", "aggregationLengthV6", "localPref", "communities",
                "ipAddressPools", "ipAddressPoolSelectors", "nodeSelectors", "serviceSelectors",
                "peers",
            ].map(name)
        case .bgpPeer:
            ([
                "myASN", "peerASN", "peerAddress", "sourceAddress", "peerPort", "holdTime",
                "keepaliveTime", "routerID", "nodeSelectors", "password", "bfdProfile",
                "ebgpMultiHop",
            ] + Self.laterPeerFields).map(name)
        case .bfdProfile:
            [
                "receiveInterval", "transmitInterval", "detectMultiplier", "echoInterval",
                "echoMode", "passiveMode", "minimumTtl",
            ].map(name)
        case .community:
            ["communities"]
        }
    }
}
