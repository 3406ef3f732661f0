import NetworkTypes

extension Service {
    /// Standard fields of `spec` that Martlet does not use, those of older versions included.
    private static let unusedSpecFields: Set<String> = [
        "ipFamily", "topologyKeys", "trafficDistribution",
    ]

    /// Reads a Service with the API server's rules and defaults.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> Service? {
        var service = Service(metadata: metadata)
        object.ignore("apiVersion", "kind")
        if let spec = object.requiredReader("spec") {
            service.kind = spec.enumeration("type") ?? .clusterIP
            service.readAddresses(spec)
            service.readPolicies(spec)
            service.readPorts(spec)
            service.selector = spec.value("selector")?.labels() ?? [:]
            service.publishNotReadyAddresses = spec.bool("publishNotReadyAddresses") ?? false
            service.readExternalName(spec)
            service.readLoadBalancer(spec)
            spec.finish(alsoKnown: unusedSpecFields)
        }
        service.readStatus(object)
        service.readAnnotations(object)
        return service
    }

    // MARK: Addresses

    private mutating func readAddresses(_ spec: FieldReader) {
        readClusterIPs(spec)
        readFamilies(spec)
        externalIPs = spec.list("externalIPs").compactMap { $0.address() }
        for (index, address) in clusterIPs.enumerated() where index < ipFamilies.count {
            guard address.family != ipFamilies[index] else { continue }
            spec.fail(
                spec.has("clusterIPs") ? "clusterIPs" : "clusterIP",
                "\(address) is not of family \(ipFamilies[index].apiName), which "
                    + "ipFamilies[\(index)] asks for",
                remedy: "give both in the same order")
        }
        if isHeadless, kind == .loadBalancer || kind == .nodePort {
            spec.fail(
                "clusterIP", "None is not possible for type \(kind.rawValue)",
                remedy: "leave clusterIP out, or use type ClusterIP")
        }
    }

    private mutating func readClusterIPs(_ spec: FieldReader) {
        let single = spec.value("clusterIP")
        let all = spec.value("clusterIPs")
        var values = all?.list() ?? []
        let texts = values.map(\.rawText)
        if let single, let first = texts.first, single.rawText != first {
            single.fail(
                "\(single.shown) is not the first of clusterIPs",
                remedy: "leave clusterIP out, or make it equal to clusterIPs[0]")
        }
        if values.isEmpty, let single, single.rawText != "" { values = [single] }
        if values.count == 1, values[0].rawText == "None" {
            isHeadless = true
            return
        }
        if values.count > 2 {
            all?.fail(
                "holds \(values.count) addresses", remedy: "give one for each family, two at most")
        }
        guard kind != .externalName else {
            values.first?.fail(
                "an ExternalName Service has no addresses", remedy: "remove the field")
            return
        }
        for value in values {
            guard let address = value.address() else { continue }
            if clusterIPs.contains(where: { $0.family == address.family }) {
                value.fail(
                    "\(address) is the second address of family \(address.family.apiName)",
                    remedy: "give one for each family")
            }
            clusterIPs.append(address)
        }
    }

    private mutating func readFamilies(_ spec: FieldReader) {
        for value in spec.list("ipFamilies") {
            guard let name: FamilyName = value.enumeration() else { continue }
            if ipFamilies.contains(name.family) {
                value.fail("\(name.rawValue) is named twice", remedy: "remove one of the two")
            }
            ipFamilies.append(name.family)
        }
        let policy: IPFamilyPolicy? = spec.enumeration("ipFamilyPolicy")
        let wantsTwo = ipFamilies.count > 1 || clusterIPs.count > 1
        // As the API server defaults it: two families or addresses without a policy mean both.
        ipFamilyPolicy = policy ?? (wantsTwo ? .requireDualStack : .singleStack)
        if wantsTwo, ipFamilyPolicy == .singleStack {
            spec.fail(
                "ipFamilyPolicy", "SingleStack does not allow two families",
                remedy: "use PreferDualStack or RequireDualStack, or name one family")
        }
    }

    // MARK: Policies

    private mutating func readPolicies(_ spec: FieldReader) {
        externalTrafficPolicy = spec.enumeration("externalTrafficPolicy") ?? .cluster
        internalTrafficPolicy = spec.enumeration("internalTrafficPolicy") ?? .cluster
        healthCheckNodePort = UInt16(spec.int("healthCheckNodePort", in: 0...65535) ?? 0)
        let affinity: AffinityName? = spec.enumeration("sessionAffinity")
        let configuration = spec.reader("sessionAffinityConfig")
        let client = configuration?.reader("clientIP")
        let timeout = client?.int("timeoutSeconds", in: 1...86_400)
        client?.finish()
        configuration?.finish()
        if affinity == .clientIP {
            sessionAffinity = .clientIP(timeoutSeconds: timeout ?? 10_800)
        } else if configuration != nil {
            spec.fail(
                "sessionAffinityConfig", "needs sessionAffinity ClientIP",
                remedy: "set sessionAffinity: ClientIP, or remove sessionAffinityConfig")
        }
    }

    private mutating func readExternalName(_ spec: FieldReader) {
        guard kind == .externalName else {
            externalName = spec.string("externalName").flatMap { $0.isEmpty ? nil : $0 }
            return
        }
        guard let value = spec.required("externalName"), let text = value.string() else { return }
        // One trailing dot says that the name is complete (RFC 1034 §3.1).
        let name = text.last == "." ? text.dropLast() : text[...]
        if !NameRules.isDNSSubdomain(name) {
            value.fail(
                "\"\(FieldValue.clip(text))\" is not a DNS name",
                remedy: "write a name such as db.example.com; addresses and URLs are not possible")
        }
        externalName = text
    }

    // MARK: Load balancer

    private mutating func readLoadBalancer(_ spec: FieldReader) {
        loadBalancerIP = spec.string("loadBalancerIP").flatMap { $0.isEmpty ? nil : $0 }
        allocateNodePorts = spec.bool("allocateLoadBalancerNodePorts") ?? true
        sourceRanges = spec.list("loadBalancerSourceRanges").compactMap { $0.prefix() }
        if let value = spec.value("loadBalancerClass"), let name = value.string() {
            loadBalancerClass = name
            if !NameRules.isQualifiedName(name) {
                value.fail(
                    "\"\(FieldValue.clip(name))\" is not a class name",
                    remedy: "use [prefix/]name, such as example.com/internal")
            }
        }
        guard kind != .loadBalancer else { return }
        for key in ["loadBalancerIP", "loadBalancerClass", "loadBalancerSourceRanges"]
        where spec.has(key) && !(spec.value(key)?.rawText?.isEmpty ?? false) {
            spec.report(
                .warning, key, "has no effect on type \(kind.rawValue)",
                remedy: "set type: LoadBalancer, or remove the field")
        }
        let isReachable = kind == .nodePort || !externalIPs.isEmpty
        if !isReachable, externalTrafficPolicy == .local {
            spec.report(
                .warning, "externalTrafficPolicy", "has no effect on type \(kind.rawValue)",
                remedy: "set type: LoadBalancer or NodePort, or remove the field")
        }
    }

    private mutating func readStatus(_ object: FieldReader) {
        guard let status = object.reader("status") else { return }
        if let balancer = status.reader("loadBalancer") {
            for entry in balancer.readers("ingress") {
                // An entry with a host name only was given by someone else; it is no address.
                if let text = entry.value("ip"), text.rawText != "" {
                    if let address = text.address() { ingress.append(Ingress(address: address)) }
                }
                entry.ignore("hostname", "ipMode", "ports")
                entry.finish()
            }
            balancer.finish()
        }
        status.ignore("conditions")
        status.finish()
    }
}

/// `ipFamilies` and `addressType` in the API's words.
enum FamilyName: String, CaseIterable {
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"

    var family: IPAddress.Family { self == .ipv4 ? .ipv4 : .ipv6 }
}

extension IPAddress.Family {
    /// `IPv4` or `IPv6`, as the API spells it.
    var apiName: String {
        switch self {
        case .ipv4: FamilyName.ipv4.rawValue
        case .ipv6: FamilyName.ipv6.rawValue
        }
    }
}

private enum AffinityName: String, CaseIterable {
    case none = "None"
    case clientIP = "ClientIP"
}
