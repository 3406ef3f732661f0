import NetworkTypes
import Yams

/// Writes objects of the configuration kinds as YAML, one document each. Fields at their default
/// are left out; reading the text gives equal objects.
public enum ManifestWriter {
    /// The YAML text of the objects, in the order given.
    ///
    /// - Throws: `YamlError` when the emitter runs out of memory.
    public static func text(_ objects: [ConfigurationObject]) throws -> String {
        guard !objects.isEmpty else { return "" }
        return try objects.map { object in
            "---\n" + (try Yams.serialize(node: node(object), width: -1, allowUnicode: true))
        }
        .joined()
    }

    private static func node(_ object: ConfigurationObject) -> Yams.Node {
        let version = object.kind == .bgpPeer ? "v1beta2" : "v1beta1"
        var root = MappingBuilder()
        root.add("apiVersion", "metallb.io/\(version)")
        root.add("kind", object.kind.rawValue)
        var metadata = MappingBuilder()
        metadata.add("name", object.metadata.name.name)
        metadata.add("namespace", object.metadata.name.namespace, unless: "")
        metadata.add("labels", object.metadata.labels)
        metadata.add("annotations", object.metadata.annotations)
        root.add("metadata", metadata)
        let spec = spec(object)
        if !spec.isEmpty { root.add("spec", spec) }
        return root.node
    }

    private static func spec(_ object: ConfigurationObject) -> MappingBuilder {
        var spec = MappingBuilder()
        switch object {
        case .pool(let pool): write(pool, &spec)
        case .l2Advertisement(let advertisement): write(advertisement, &spec)
        case .bgpAdvertisement(let advertisement): write(advertisement, &spec)
        case .bgpPeer(let peer): write(peer, &spec)
        case .bfdProfile(let profile): write(profile, &spec)
        case .community(let community):
            spec.add(
                "communities",
                mappings: community.aliases.map { alias in
                    var entry = MappingBuilder()
                    entry.add("name", alias.name)
                    entry.add("value", alias.value.description)
                    return entry
                }, evenIfEmpty: true)
        }
        return spec
    }

    private static func write(_ pool: IPAddressPool, _ spec: inout MappingBuilder) {
        spec.add("addresses", pool.addresses.map(\.description))
        spec.add("autoAssign", pool.autoAssign, unless: true)
        spec.add("avoidBuggyIPs", pool.avoidBuggyIPs, unless: false)
        if let allocation = pool.serviceAllocation {
            var inner = MappingBuilder()
            inner.add("priority", allocation.priority, unless: 0)
            inner.add("namespaces", allocation.namespaces)
            inner.add("namespaceSelectors", allocation.namespaceSelectors)
            inner.add("serviceSelectors", allocation.serviceSelectors)
            spec.add("serviceAllocation", inner)
        }
        spec.add("conflictDetection", pool.conflictDetection, unless: true)
        spec.add("retention", pool.retentionSeconds, unless: 0)
    }

    private static func write(_ advertisement: L2Advertisement, _ spec: inout MappingBuilder) {
        spec.add("ipAddressPools", advertisement.ipAddressPools)
        spec.add("ipAddressPoolSelectors", advertisement.ipAddressPoolSelectors)
        spec.add("nodeSelectors", advertisement.nodeSelectors)
        spec.add("serviceSelectors", advertisement.serviceSelectors)
        spec.add("interfaces", advertisement.interfaces)
        spec.add(
            "preferredNodeSelectors",
            mappings: advertisement.preferredNodeSelectors.map { preference in
                var entry = MappingBuilder()
                entry.add("weight", preference.weight, unless: nil)
                entry.add("preference", MappingBuilder(preference.preference))
                return entry
            })
        spec.add("preemption", advertisement.preemption.rawValue, unless: "Never")
        spec.add("reannounceInterval", advertisement.reannounceIntervalSeconds, unless: 60)
    }

    private static func write(_ advertisement: BGPAdvertisement, _ spec: inout MappingBuilder) {
        spec.add("aggregationLength", advertisement.aggregationLength, unless: 32)
        spec.add("aggregationLengthV6", advertisement.aggregationLengthV6, unless: 128)
        spec.add("localPref", advertisement.localPref.map(Int.init), unless: nil)
        spec.add("communities", advertisement.communities.map(\.description))
        spec.add("ipAddressPools", advertisement.ipAddressPools)
        spec.add("ipAddressPoolSelectors", advertisement.ipAddressPoolSelectors)
        spec.add("nodeSelectors", advertisement.nodeSelectors)
        spec.add("serviceSelectors", advertisement.serviceSelectors)
        spec.add("peers", advertisement.peers)
    }

    private static func write(_ peer: BGPPeer, _ spec: inout MappingBuilder) {
        spec.add("myASN", Int(peer.myASN), unless: nil)
        switch peer.remoteAS {
        case .number(let number): spec.add("peerASN", Int(number), unless: nil)
        case .sameAsOurs: spec.add("dynamicASN", "internal")
        case .anyOther: spec.add("dynamicASN", "external")
        }
        spec.add("localASN", peer.localASN.map(Int.init), unless: nil)
        switch peer.endpoint {
        case .address(let address): spec.add("peerAddress", address.description)
        case .interface(let name): spec.add("interface", name)
        }
        spec.add("sourceAddress", peer.sourceAddress?.description ?? "", unless: "")
        spec.add("peerPort", Int(peer.peerPort), unless: 179)
        if peer.holdTimeSeconds != 90 || peer.keepaliveTimeSeconds != 30 {
            spec.add("holdTime", "\(peer.holdTimeSeconds)s")
            if peer.keepaliveTimeSeconds != peer.holdTimeSeconds / 3 {
                spec.add("keepaliveTime", "\(peer.keepaliveTimeSeconds)s")
            }
        }
        spec.add("connectTime", peer.connectTimeSeconds.map { "\($0)s" } ?? "", unless: "")
        spec.add("routerID", peer.routerID?.description ?? "", unless: "")
        spec.add("nodeSelectors", peer.nodeSelectors)
        spec.add("vrf", peer.vrf, unless: "")
        write(peer.password, &spec)
        spec.add("bfdProfile", peer.bfdProfile, unless: "")
        spec.add("enableGracefulRestart", peer.enableGracefulRestart, unless: false)
        spec.add("ebgpMultiHop", peer.ebgpMultiHop, unless: false)
        spec.add("disableMP", peer.disableMP, unless: false)
        spec.add("dualStackAddressFamily", peer.dualStackAddressFamily, unless: false)
        spec.add("passive", peer.passive, unless: false)
        spec.add("ttlSecurity", peer.ttlSecurityHops, unless: nil)
        spec.add("role", peer.role?.rawValue ?? "", unless: "")
        spec.add("gracefulRestartTime", peer.gracefulRestartTimeSeconds, unless: 120)
        spec.add("shutdownMessage", peer.shutdownMessage, unless: "")
        spec.add("maximumPrefixes", peer.maximumPrefixes, unless: nil)
    }

    private static func write(_ password: BGPPeer.Password?, _ spec: inout MappingBuilder) {
        switch password {
        case nil: break
        case .text(let text): spec.add("password", text)
        case .secret(let name):
            var secret = MappingBuilder()
            secret.add("name", name.name)
            secret.add("namespace", name.namespace, unless: "")
            spec.add("passwordSecret", secret)
        }
    }

    private static func write(_ profile: BFDProfile, _ spec: inout MappingBuilder) {
        spec.add("receiveInterval", profile.receiveIntervalMilliseconds, unless: 300)
        spec.add("transmitInterval", profile.transmitIntervalMilliseconds, unless: 300)
        spec.add("detectMultiplier", profile.detectMultiplier, unless: 3)
        spec.add("echoInterval", profile.echoIntervalMilliseconds, unless: 50)
        spec.add("echoMode", profile.echoMode, unless: false)
        spec.add("passiveMode", profile.passiveMode, unless: false)
        spec.add("minimumTtl", profile.minimumTTL, unless: nil)
        if let authentication = profile.authentication {
            var inner = MappingBuilder()
            inner.add("type", authentication.kind.rawValue)
            inner.add("keyID", Int(authentication.keyID), unless: 1)
            write(authentication.password, &inner)
            spec.add("authentication", inner)
        }
    }
}
