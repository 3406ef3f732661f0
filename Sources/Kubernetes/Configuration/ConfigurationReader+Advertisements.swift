import NetworkTypes

extension ConfigurationReader {
    func l2Advertisement(
        _ metadata: ObjectMeta, _ spec: FieldReader
    ) -> L2Advertisement {
        var advertisement = L2Advertisement(metadata: metadata)
        advertisement.ipAddressPools = names(spec, "ipAddressPools")
        advertisement.ipAddressPoolSelectors = spec.labelSelectors("ipAddressPoolSelectors")
        advertisement.nodeSelectors = spec.labelSelectors("nodeSelectors")
        advertisement.serviceSelectors = spec.labelSelectors("serviceSelectors")
        advertisement.interfaces = names(spec, "interfaces", check: Self.checkInterfaceName)
        for value in spec.list("preferredNodeSelectors") {
            guard let reader = value.reader() else { continue }
            let weight = reader.requiredInt("weight", in: 1...100)
            let preference = reader.required("preference")?.labelSelector()
            reader.finish()
            guard let weight, let preference else { continue }
            let entry = L2Advertisement.NodePreference(weight: weight, preference: preference)
            if advertisement.preferredNodeSelectors.contains(entry) {
                value.fail("repeats an entry of the list", remedy: "remove one of the two")
            }
            advertisement.preferredNodeSelectors.append(entry)
        }
        advertisement.preemption = spec.enumeration("preemption") ?? .never
        advertisement.reannounceIntervalSeconds =
            spec.value("reannounceInterval")?.seconds(in: 0...86400, plainNumbers: true) ?? 60
        return advertisement
    }

    /// `spec` of a BGPAdvertisement, or an entry of `bgp-advertisements`.
    func bgpAdvertisement(
        _ metadata: ObjectMeta, _ spec: FieldReader
    ) -> BGPAdvertisement {
        var advertisement = BGPAdvertisement(metadata: metadata)
        advertisement.aggregationLength = spec.int(name("aggregationLength"), in: 1...32) ?? 32
        advertisement.aggregationLengthV6 =
            spec.int(name("aggregationLengthV6"), in: 1...128) ?? 128
        advertisement.localPref =
            spec.int(name("localPref"), in: 0...Int(UInt32.max)).map(UInt32.init)
        advertisement.communities = communities(spec)
        guard dialect == .kinds else { return advertisement }
        advertisement.ipAddressPools = names(spec, "ipAddressPools")
        advertisement.ipAddressPoolSelectors = spec.labelSelectors("ipAddressPoolSelectors")
        advertisement.nodeSelectors = spec.labelSelectors("nodeSelectors")
        advertisement.serviceSelectors = spec.labelSelectors("serviceSelectors")
        advertisement.peers = names(spec, "peers")
        // A block stands for all Services in it; a choice among Services needs single addresses.
        let isSingle =
            advertisement.aggregationLength == 32 && advertisement.aggregationLengthV6 == 128
        if !advertisement.serviceSelectors.isEmpty && !isSingle {
            spec.fail(
                "serviceSelectors",
                "cannot be used with aggregationLength \(advertisement.aggregationLength) and"
                    + " aggregationLengthV6 \(advertisement.aggregationLengthV6)",
                remedy: "use 32 and 128, or remove serviceSelectors")
        }
        return advertisement
    }

    private func communities(
        _ spec: FieldReader
    ) -> [BGPAdvertisement.CommunityReference] {
        var references: [BGPAdvertisement.CommunityReference] = []
        for value in spec.list("communities") {
            guard let text = value.string() else { continue }
            let reference: BGPAdvertisement.CommunityReference
            if let community = BGPCommunity(text) {
                reference = .value(community)
            } else if text.contains(":") || text.isEmpty {
                Self.refuseCommunity(text, value)
                continue
            } else {
                reference = .name(text)
            }
            if references.contains(reference) {
                value.fail("repeats \(FieldValue.clip(text))", remedy: "remove one of the two")
            }
            references.append(reference)
        }
        if references.count > BGPAdvertisement.communityLimit {
            spec.fail(
                "communities", "has \(references.count) entries",
                remedy: "use at most \(BGPAdvertisement.communityLimit)")
        }
        return references
    }

    static func refuseCommunity(_ text: String, _ value: FieldValue) {
        value.fail(
            "\"\(FieldValue.clip(text))\" is not a community",
            remedy: "write a:b with numbers up to 65535,"
                + " or large:a:b:c with numbers up to 4294967295")
    }

    func community(_ metadata: ObjectMeta, _ spec: FieldReader) -> Community {
        var community = Community(metadata: metadata)
        for entry in spec.list("communities") {
            guard let reader = entry.reader() else { continue }
            let name = reader.required("name")
            let text = name?.string()
            let value = reader.required("value").flatMap { Self.communityValue($0) }
            reader.finish()
            guard let text, let value else { continue }
            if text.isEmpty || text.contains(":") {
                name?.fail(
                    "\"\(FieldValue.clip(text))\" cannot be the name of a community",
                    remedy: "use a name without colons, which would look like a value")
            } else if community.aliases.contains(where: { $0.name == text }) {
                name?.fail("repeats \(FieldValue.clip(text))", remedy: "remove one of the two")
            }
            community.aliases.append(Community.Alias(name: text, value: value))
        }
        return community
    }

    static func communityValue(_ value: FieldValue) -> BGPCommunity? {
        guard let text = value.string() else { return nil }
        if let community = BGPCommunity(text) ?? BGPCommunity.wellKnown[text] { return community }
        refuseCommunity(text, value)
        return nil
    }

    /// `spec` of a BFDProfile, or an entry of `bfd-profiles`.
    func bfdProfile(_ metadata: ObjectMeta, _ spec: FieldReader) -> BFDProfile {
        var profile = BFDProfile(metadata: metadata)
        let interval = 10...60000
        profile.receiveIntervalMilliseconds =
            spec.int(name("receiveInterval"), in: interval) ?? 300
        profile.transmitIntervalMilliseconds =
            spec.int(name("transmitInterval"), in: interval) ?? 300
        profile.detectMultiplier = spec.int(name("detectMultiplier"), in: 2...255) ?? 3
        profile.echoIntervalMilliseconds = spec.int(name("echoInterval"), in: interval) ?? 50
        profile.echoMode = spec.bool(name("echoMode")) ?? false
        profile.passiveMode = spec.bool(name("passiveMode")) ?? false
        profile.minimumTTL = spec.int(name("minimumTtl"), in: 1...254)
        if dialect == .kinds, let reader = spec.reader("authentication") {
            profile.authentication = authentication(reader)
        }
        return profile
    }

    private func authentication(_ reader: FieldReader) -> BFDProfile.Authentication? {
        defer { reader.finish() }
        let kind: BFDProfile.Authentication.Kind? = reader.required("type")?.enumeration()
        let keyID = reader.int("keyID", in: 0...255) ?? 1
        let limit = kind?.passwordLimit ?? .max
        let password = password(reader, limit: limit, reason: BFDProfile.passwordLimitReason)
        guard let password else {
            if !reader.has("password") && !reader.has("passwordSecret") {
                reader.fail(
                    nil, "one of password and passwordSecret is required",
                    remedy: "add password, or the name of a Secret as passwordSecret")
            } else if !reader.log.hasErrors {
                reader.fail(nil, "has an empty password", remedy: "write a password")
            }
            return nil
        }
        return kind.map {
            BFDProfile.Authentication(kind: $0, keyID: UInt8(keyID), password: password)
        }
    }
}
