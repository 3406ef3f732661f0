extension ConfigurationReader {
    /// Fields that v1beta2 has beyond the earlier dialects.
    static let laterPeerFields = [
        "dynamicASN", "localASN", "interface", "connectTime", "vrf", "passwordSecret",
        "enableGracefulRestart", "disableMP", "dualStackAddressFamily", "passive", "ttlSecurity",
        "role", "gracefulRestartTime", "shutdownMessage", "maximumPrefixes",
    ]

    /// Names the way out when an object of v1beta1 uses a field of v1beta2.
    func refuseLaterFields(_ spec: FieldReader) {
        guard dialect == .firstPeerVersion else { return }
        for field in Self.laterPeerFields where spec.has(field) {
            spec.ignore(field)
            spec.fail(
                field, "is not a field of BGPPeer v1beta1",
                remedy: "write apiVersion: metallb.io/v1beta2, which has it")
        }
    }

    func laterFields(_ spec: FieldReader, _ peer: inout BGPPeer) {
        let local = spec.int("localASN", in: 0...Int(UInt32.max)).map(UInt32.init)
        peer.localASN = local == 0 ? nil : local
        if let local { Self.refuseTransition(local) { spec.fail("localASN", $0, remedy: $1) } }
        peer.connectTimeSeconds =
            spec.value("connectTime")?.seconds(in: 1...65535, plainNumbers: false)
        if let value = spec.value("vrf"), let name = value.string(), !name.isEmpty {
            Self.checkInterfaceName(name, value)
            peer.vrf = name
        }
        peer.enableGracefulRestart = spec.bool("enableGracefulRestart") ?? false
        peer.disableMP = spec.bool("disableMP") ?? false
        peer.dualStackAddressFamily = spec.bool("dualStackAddressFamily") ?? false
        peer.passive = spec.bool("passive") ?? false
        peer.ttlSecurityHops = spec.int("ttlSecurity", in: 1...254)
        peer.role = spec.enumeration("role")
        peer.maximumPrefixes = spec.int("maximumPrefixes", in: 1...BGPPeer.prefixLimit)
        if let value = spec.value("gracefulRestartTime") {
            peer.gracefulRestartTimeSeconds =
                value.seconds(in: 1...4095, plainNumbers: true) ?? 120
            if !peer.enableGracefulRestart {
                value.report(
                    .warning, "has no effect without enableGracefulRestart",
                    remedy: "add enableGracefulRestart: true")
            }
        }
        if let value = spec.value("shutdownMessage"), let text = value.string() {
            if text.utf8.count > 255 {
                value.fail(
                    "has \(text.utf8.count) bytes", remedy: "use at most 255 (RFC 9003 §2)")
            }
            peer.shutdownMessage = text
        }
    }

    /// `password` or `passwordSecret`, never both; empty texts count as absent.
    ///
    /// - Parameters:
    ///   - limit: the most bytes that a password may have.
    ///   - reason: why no more.
    func password(_ spec: FieldReader, limit: Int, reason: String) -> BGPPeer.Password? {
        var password: BGPPeer.Password?
        if let value = spec.value("password"), let text = value.secretString(), !text.isEmpty {
            password = .text(text)
            // The value itself never appears in a message.
            if text.utf8.count > limit {
                value.fail(
                    "has \(text.utf8.count) bytes", remedy: "use at most \(limit), \(reason)")
            }
            if text.utf8.contains(where: { $0 == 10 || $0 == 13 }) {
                value.fail("holds a line break", remedy: "write it on one line, in quotes")
            }
        }
        guard dialect == .kinds, let value = spec.value("passwordSecret"),
            let secret = value.reader()
        else { return password }
        let name = secret.string("name") ?? ""
        let namespace = secret.string("namespace") ?? ""
        secret.finish()
        guard !name.isEmpty else { return password }
        if password != nil {
            value.fail(
                "cannot be used together with password", remedy: "keep exactly one of the two")
        }
        if !NameRules.isDNSSubdomain(name) {
            secret.fail(
                "name", "\"\(FieldValue.clip(name))\" cannot be the name of a Secret",
                remedy: "use lower-case letters, digits, - and .")
        }
        return .secret(ObjectName(namespace: namespace, name))
    }

    /// Rules that hold among the fields of a session.
    func checkSession(_ spec: FieldReader, _ peer: BGPPeer) {
        let multiHop = name("ebgpMultiHop")
        if peer.ebgpMultiHop && peer.isInternal {
            spec.fail(
                multiHop, "cannot be used with an internal peer (AS \(peer.effectiveASN))",
                remedy: "remove it: internal peers may be any number of hops away")
        }
        if peer.ebgpMultiHop && peer.ttlSecurityHops != nil {
            spec.fail(
                "ttlSecurity", "cannot be used together with \(multiHop) (RFC 5082)",
                remedy: "keep ttlSecurity with the number of hops, and remove \(multiHop)")
        }
        if peer.disableMP && peer.dualStackAddressFamily {
            spec.fail(
                "disableMP", "contradicts dualStackAddressFamily",
                remedy: "remove disableMP, the older of the two")
        }
        if peer.role != nil && peer.isInternal {
            spec.fail(
                "role", "cannot be used with an internal peer (RFC 9234 §4.1)",
                remedy: "remove role, or correct the AS numbers")
        }
    }

    /// `node-selectors` of the older file: the same selectors with dashed names.
    func olderSelectors(_ spec: FieldReader) -> [LabelSelector] {
        var selectors: [LabelSelector] = []
        for value in spec.list(name("nodeSelectors")) {
            guard let reader = value.reader() else { continue }
            var selector = LabelSelector()
            selector.matchLabels = reader.value("match-labels")?.labels() ?? [:]
            for expression in reader.readers("match-expressions") {
                if let requirement = expression.labelRequirement() {
                    selector.matchExpressions.append(requirement)
                }
            }
            reader.finish()
            if selectors.contains(selector) {
                value.fail("repeats an entry of the list", remedy: "remove one of the two")
            }
            selectors.append(selector)
        }
        return selectors
    }
}
