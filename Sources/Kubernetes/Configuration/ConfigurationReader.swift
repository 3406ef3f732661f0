import NetworkTypes

/// Reads objects of the configuration kinds, and the entries of the older file that mean the same:
/// one piece of code for both, so that no rule is written twice.
///
/// What is wrong goes to the log; the caller asks the log whether the object may be used.
struct ConfigurationReader {
    /// How fields are called.
    enum Dialect {
        /// `metallb.io` kinds; `BGPPeer` of v1beta2.
        case kinds
        /// `BGPPeer` of v1beta1, which knows fewer fields.
        case firstPeerVersion
        /// The older file.
        case older
    }

    let dialect: Dialect

    func object(
        _ kind: ConfigurationObject.Kind, _ metadata: ObjectMeta, _ spec: FieldReader?
    ) -> ConfigurationObject? {
        guard let spec else {
            switch kind {
            case .l2Advertisement: return .l2Advertisement(L2Advertisement(metadata: metadata))
            case .bgpAdvertisement: return .bgpAdvertisement(BGPAdvertisement(metadata: metadata))
            case .bfdProfile: return .bfdProfile(BFDProfile(metadata: metadata))
            case .pool, .bgpPeer, .community: return nil
            }
        }
        switch kind {
        case .pool: return .pool(pool(metadata, spec))
        case .l2Advertisement: return .l2Advertisement(l2Advertisement(metadata, spec))
        case .bgpAdvertisement: return .bgpAdvertisement(bgpAdvertisement(metadata, spec))
        case .bgpPeer: return bgpPeer(metadata, spec).map { .bgpPeer($0) }
        case .bfdProfile: return .bfdProfile(bfdProfile(metadata, spec))
        case .community: return .community(community(metadata, spec))
        }
    }

    // MARK: What the kinds share

    /// A list of names without duplicates.
    func names(
        _ spec: FieldReader, _ key: String, check: (String, FieldValue) -> Void = { _, _ in }
    ) -> [String] {
        var names: [String] = []
        for value in spec.list(key) {
            guard let name = value.string() else { continue }
            if name.isEmpty {
                value.fail("is empty", remedy: "remove the entry, or name something")
            } else if names.contains(name) {
                value.fail("repeats \(FieldValue.clip(name))", remedy: "remove one of the two")
            }
            check(name, value)
            names.append(name)
        }
        return names
    }

    /// A name that the kernel takes for an interface: 1–15 bytes, no slash, no blank.
    static func checkInterfaceName(_ name: String, _ value: FieldValue) {
        let isName =
            (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "/") }
        guard !isName else { return }
        value.fail(
            "\"\(FieldValue.clip(name))\" cannot be the name of an interface",
            remedy: "use 1 to 15 printable characters without / and blanks, as ip link shows")
    }

    /// The field's name in the kinds, given its name in the older file.
    static func currentName(_ older: Substring) -> String {
        olderNames.first { $0.value == older }?.key ?? String(older)
    }

    /// The field's name in the dialect.
    func name(_ field: String) -> String {
        guard dialect == .older else { return field }
        return Self.olderNames[field] ?? field
    }

    private static let olderNames = [
        "myASN": "my-asn", "peerASN": "peer-asn", "peerAddress": "peer-address",
        "sourceAddress": "source-address", "peerPort": "peer-port", "holdTime": "hold-time",
        "keepaliveTime": "keepalive-time", "routerID": "router-id",
        "nodeSelectors": "node-selectors", "bfdProfile": "bfd-profile",
        "ebgpMultiHop": "ebgp-multihop", "avoidBuggyIPs": "avoid-buggy-ips",
        "autoAssign": "auto-assign", "aggregationLength": "aggregation-length",
        "aggregationLengthV6": "aggregation-length-v6", "localPref": "localpref",
        "receiveInterval": "receive-interval", "transmitInterval": "transmit-interval",
        "detectMultiplier": "detect-multiplier", "echoInterval": "echo-interval",
        "echoMode": "echo-mode", "passiveMode": "passive-mode", "minimumTtl": "minimum-ttl",
    ]
}
