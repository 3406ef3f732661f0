/// What the server does to a Service that is written: defaults, ClusterIPs, node ports, checks.
struct ServiceStrategy {
    var addresses: ServiceAddresses
    private var errors: [FieldError] = []
    private var spec = JSONObject()
    private let old: JSONObject?

    init(addresses: ServiceAddresses, old: JSONObject?) {
        self.addresses = addresses
        self.old = old
    }

    private var type: String { spec["type"]?.string ?? "ClusterIP" }
    private var oldType: String? { old.map { $0["spec", "type"]?.string ?? "ClusterIP" } }
    private var hasNodePorts: Bool { type == "NodePort" || type == "LoadBalancer" }

    /// A write of the Service itself.
    mutating func main(_ service: JSONObject) -> (JSONObject, [FieldError]) {
        var service = service
        spec = service["spec"]?.object ?? JSONObject()
        fillIn()
        dropWhatTheTypeHasNot()
        checkSpec()
        if errors.isEmpty {
            allocateAddresses()
            allocatePorts()
        }
        service["spec"] = .object(spec)
        if old == nil {
            service["status"] = ["loadBalancer": [:]]
        } else if type != "LoadBalancer", oldType == "LoadBalancer" {
            service["status", "loadBalancer"] = [:]
        }
        return (service, errors)
    }

    private mutating func fillIn() {
        if spec["type"]?.string ?? "" == "" { spec["type"] = "ClusterIP" }
        if spec["sessionAffinity"] == nil { spec["sessionAffinity"] = "None" }
        if hasNodePorts, spec["externalTrafficPolicy"] == nil {
            spec["externalTrafficPolicy"] = "Cluster"
        }
        if type != "ExternalName", spec["internalTrafficPolicy"] == nil {
            spec["internalTrafficPolicy"] = "Cluster"
        }
        if type == "LoadBalancer", spec["allocateLoadBalancerNodePorts"] == nil {
            spec["allocateLoadBalancerNodePorts"] = true
        }
        spec["ports"] = spec["ports"]?.array.map { ports in
            .array(
                ports.map { port in
                    guard var port = port.object else { return port }
                    if port["protocol"] == nil { port["protocol"] = "TCP" }
                    let target = port["targetPort"]
                    if target == nil || target == 0 || target == "" {
                        port["targetPort"] = port["port"]
                    }
                    return .object(port)
                })
        }
    }

    private mutating func dropWhatTheTypeHasNot() {
        guard let old else { return }
        let before = old["spec"]?.object ?? JSONObject()
        func isUnchanged(_ key: String) -> Bool { spec[key] == before[key] }
        if type != "LoadBalancer" {
            for key in ["allocateLoadBalancerNodePorts", "loadBalancerClass"]
            where isUnchanged(key) || key == "allocateLoadBalancerNodePorts" { spec[key] = nil }
        }
        if !hasNodePorts {
            spec["externalTrafficPolicy"] = nil
            addresses.releasePorts(old)
            spec["ports"] = spec["ports"]?.array.map { ports in
                .array(
                    ports.map {
                        var port = $0
                        port["nodePort"] = nil
                        return port
                    })
            }
        }
        if type != "LoadBalancer" || spec["externalTrafficPolicy"] != "Local" {
            spec["healthCheckNodePort"] = nil
        }
        if type == "ExternalName", oldType != "ExternalName" {
            addresses.release(old)
            for key in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                spec[key] = nil
            }
        }
    }

    private mutating func checkSpec() {
        let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
        if !types.contains(type) {
            errors.append(.unsupported("spec.type", .string(type), types))
        }
        let ports = spec["ports"]?.array ?? []
        let isHeadless = spec["clusterIP"] == "None"
        if ports.isEmpty, !isHeadless, type != "ExternalName" {
            errors.append(.required("spec.ports"))
        }
        var seen: Set<String> = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let place = "spec.ports[\(index)]"
            let number = port["port"]?.integer ?? 0
            if !(1...65_535).contains(number) {
                errors.append(
                    .invalid(
                        "\(place).port", .integer(number),
                        "must be between 1 and 65535, inclusive"))
            }
            let transport = port["protocol"]?.string ?? ""
            if !["TCP", "UDP", "SCTP"].contains(transport) {
                errors.append(
                    .unsupported(
                        "\(place).protocol", .string(transport), ["SCTP", "TCP", "UDP"]))
            }
            if !seen.insert("\(number)/\(transport)").inserted {
                errors.append(
                    .duplicate(place, ["port": .integer(number), "protocol": .string(transport)]))
            }
            let name = port["name"]?.string ?? ""
            if name.isEmpty, ports.count > 1 { errors.append(.required("\(place).name")) }
            if !name.isEmpty, !names.insert(name).inserted {
                errors.append(.duplicate("\(place).name", .string(name)))
            }
        }
        checkLoadBalancer()
        if type == "ExternalName", spec["externalName"]?.string ?? "" == "" {
            errors.append(.required("spec.externalName"))
        }
    }

    private mutating func checkLoadBalancer() {
        if let name = spec["loadBalancerClass"], type != "LoadBalancer" {
            _ = name
            errors.append(
                .forbidden(
                    "spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'")
            )
        }
        if oldType == "LoadBalancer", type == "LoadBalancer",
            spec["loadBalancerClass"] != old?["spec", "loadBalancerClass"]
        {
            errors.append(
                .invalid(
                    "spec.loadBalancerClass", spec["loadBalancerClass"] ?? .null,
                    "may not change once set"))
        }
        for (index, range) in (spec["loadBalancerSourceRanges"]?.array ?? []).enumerated()
        where !TextFormat.isPrefix(range.string?.trimmed ?? "") {
            errors.append(
                .invalid(
                    "spec.loadBalancerSourceRanges[\(index)]", range,
                    "must be a valid CIDR value"))
        }
        if spec["externalTrafficPolicy"] != nil, !hasNodePorts,
            (spec["externalIPs"]?.array ?? []).isEmpty
        {
            errors.append(
                .invalid(
                    "spec.externalTrafficPolicy", spec["externalTrafficPolicy"] ?? .null,
                    "may only be set for externally-accessible services"))
        }
    }

    private mutating func allocateAddresses() {
        guard type != "ExternalName" else { return }
        var given = (spec["clusterIPs"]?.array ?? []).compactMap(\.string)
        let first = spec["clusterIP"]?.string ?? ""
        if given.isEmpty, !first.isEmpty { given = [first] }
        if let old, oldType != "ExternalName" {
            let before = (old["spec", "clusterIPs"]?.array ?? []).compactMap(\.string)
            if given.isEmpty { given = before }
            if let was = before.first, given.first != was {
                errors.append(
                    .invalid(
                        "spec.clusterIPs[0]", .string(given.first ?? ""), "may not change once set")
                )
                return
            }
        }
        let before = Set((old?["spec", "clusterIPs"]?.array ?? []).compactMap(\.string))
        var families = (spec["ipFamilies"]?.array ?? []).compactMap(\.string)
        if families.isEmpty { families = given.filter { $0 != "None" }.map(Self.family) }
        let all = addresses.families
        if families.isEmpty, let primary = all.first { families = [primary] }
        if spec["ipFamilyPolicy"] == nil {
            spec["ipFamilyPolicy"] = families.count > 1 ? "RequireDualStack" : "SingleStack"
        }
        if spec["ipFamilyPolicy"] != "SingleStack" {
            for family in all where !families.contains(family) { families.append(family) }
            if families.count < 2, spec["ipFamilyPolicy"] == "RequireDualStack" {
                errors.append(
                    .invalid(
                        "spec.ipFamilyPolicy", "RequireDualStack",
                        "this cluster is not configured for dual-stack services"))
                return
            }
        } else {
            families = Array(families.prefix(1))
            if given.first != "None" { given = Array(given.prefix(1)) }
        }
        if given.first != "None" {
            for (index, address) in given.enumerated() where !before.contains(address) {
                if !addresses.take(address) {
                    errors.append(
                        .invalid(
                            "spec.clusterIPs[\(index)]", .string(address),
                            "failed to allocate IP \(address): provided IP is already allocated"))
                    return
                }
            }
            for family in families.dropFirst(given.count) {
                given.append(addresses.address(family))
            }
        }
        spec["clusterIP"] = .string(given.first ?? "")
        spec["clusterIPs"] = .array(given.map { .string($0) })
        spec["ipFamilies"] = .array(families.map { .string($0) })
    }

    private static func family(_ address: String) -> String {
        address.contains(":") ? "IPv6" : "IPv4"
    }

    private mutating func allocatePorts() {
        guard hasNodePorts, var ports = spec["ports"]?.array else { return }
        let before = (old?["spec", "ports"]?.array ?? [])
        let held = Set(before.compactMap { $0["nodePort"]?.integer })
        let wantsPorts = type == "NodePort" || spec["allocateLoadBalancerNodePorts"] != false
        for index in ports.indices {
            if ports[index]["nodePort"] == nil || ports[index]["nodePort"] == 0 {
                // A replacement without node ports keeps those that the Service has.
                let same = before.first {
                    $0["port"] == ports[index]["port"]
                        && $0["protocol"] == ports[index]["protocol"]
                }
                ports[index]["nodePort"] = same?["nodePort"]
            }
            if let number = ports[index]["nodePort"]?.integer {
                if !held.contains(number), !addresses.take(port: Int(number)) {
                    errors.append(
                        .invalid(
                            "spec.ports[\(index)].nodePort", .integer(number),
                            "provided port is already allocated"))
                }
            } else if wantsPorts, let number = addresses.port() {
                ports[index]["nodePort"] = .integer(Int64(number))
            }
        }
        spec["ports"] = .array(ports)
        if type == "LoadBalancer", spec["externalTrafficPolicy"] == "Local",
            spec["healthCheckNodePort"] == nil
        {
            spec["healthCheckNodePort"] =
                old?["spec", "healthCheckNodePort"] ?? addresses.port().map { .integer(Int64($0)) }
        }
    }

    /// A write of the status.
    static func checkStatus(_ service: JSONObject) -> [FieldError] {
        var errors: [FieldError] = []
        let ingress = service["status", "loadBalancer", "ingress"]?.array ?? []
        if !ingress.isEmpty, service["spec", "type"] != "LoadBalancer" {
            errors.append(
                .forbidden(
                    "status.loadBalancer.ingress",
                    "may only be used when `spec.type` is \"LoadBalancer\""))
        }
        for (index, entry) in ingress.enumerated() {
            let place = "status.loadBalancer.ingress[\(index)]"
            let address = entry["ip"]?.string ?? ""
            if !address.isEmpty, !TextFormat.isAddress(address) {
                errors.append(
                    .invalid(
                        "\(place).ip", .string(address),
                        "must be a valid IP address, (e.g. 192.0.2.1)"
                    ))
            }
            if let mode = entry["ipMode"]?.string {
                if !["Proxy", "VIP"].contains(mode) {
                    errors.append(
                        .unsupported("\(place).ipMode", .string(mode), ["Proxy", "VIP"]))
                }
                if address.isEmpty {
                    errors.append(
                        .forbidden("\(place).ipMode", "may not be specified when `ip` is not set"))
                }
            }
            for (number, port) in (entry["ports"]?.array ?? []).enumerated()
            where port["port"]?.integer == nil || port["protocol"]?.string == nil {
                errors.append(.required("\(place).ports[\(number)]"))
            }
        }
        for (index, condition) in (service["status", "conditions"]?.array ?? []).enumerated() {
            let place = "status.conditions[\(index)]"
            if condition["type"]?.string ?? "" == "" { errors.append(.required("\(place).type")) }
            if condition["reason"]?.string ?? "" == "" {
                errors.append(.required("\(place).reason"))
            }
            let status = condition["status"]?.string ?? ""
            if !["True", "False", "Unknown"].contains(status) {
                errors.append(
                    .unsupported(
                        "\(place).status", .string(status), ["False", "True", "Unknown"]))
            }
            if !TextFormat.isTime(condition["lastTransitionTime"]?.string ?? "") {
                errors.append(.required("\(place).lastTransitionTime"))
            }
        }
        return errors
    }
}

extension ServiceAddresses {
    var families: [String] { settings.families }
}
