import NetworkTypes

/// Judges the way from a Service's entrances to its endpoints, as far as objects tell: what leads
/// nowhere, and what two Services want at once. What breaks the rules of one object alone has been
/// said when it was read.
///
/// `martlet validate`, the daemons and `explain` share it. A look at everything costs what there
/// are Services, ports and endpoints; nothing is remembered.
public struct ServiceChainReview: Sendable {
    /// What is judged, and by which rules.
    public struct Settings: Hashable, Sendable {
        /// Where node ports may be; `nil` where an API server has judged that already.
        public var nodePorts: ClosedRange<UInt16>? = ServiceChainReview.usualNodePorts
        /// Whether `externalIPs` are served; `nil` where Martlet carries no traffic, and that is
        /// for others to say.
        public var allowsExternalIPs: Bool? = false
        /// Whose endpoints are known.
        public var known = KnownEndpoints.all
        /// Who takes traffic on; `nil` where nobody can tell.
        public var carrier: Carrier?
        /// Whether a Service without any endpoint is worth a warning: in a folder it is a slip, in
        /// a cluster most often one that is scaled to nothing.
        public var expectsEndpoints = true

        /// Of which Services whoever reviews them knows the endpoints.
        public enum KnownEndpoints: Hashable, Sendable {
            /// Of none: nobody has asked for them.
            case none
            /// Of type LoadBalancer, which is all that announcing takes.
            case loadBalancers
            /// Of all that have an address; slices of headless Services are not asked for.
            case allButHeadless
            /// Of all.
            case all

            /// Whether those of a Service are.
            public func covers(_ service: Service) -> Bool {
                switch self {
                case .none: false
                case .loadBalancers: service.kind == .loadBalancer && !service.isHeadless
                case .allButHeadless: !service.isHeadless
                case .all: true
                }
            }
        }

        /// Who takes traffic on to endpoints.
        public enum Carrier: Hashable, Sendable {
            /// Martlet's own data plane.
            case martlet
            /// kube-proxy, or a network plugin in its place.
            case another
        }

        /// The rules for a folder of manifests.
        public init() {}

        /// The rules for what an API server has: it has judged the objects one by one.
        public static var server: Settings {
            var settings = Settings()
            settings.nodePorts = nil
            settings.allowsExternalIPs = nil
            settings.known = .loadBalancers
            settings.expectsEndpoints = false
            return settings
        }
    }

    /// The range that API servers allot node ports from unless they are told otherwise.
    public static let usualNodePorts: ClosedRange<UInt16> = 30_000...32_767

    let settings: Settings
    let snapshot: ClusterSnapshot
    /// `nil` where Pods are not known.
    let pods: PodIndex?
    let labels: PodLabels
    let entrances: EntranceIndex

    /// Prepares the review of a cluster.
    ///
    /// - Parameter pods: every Pod there is, where that is known; with them a selector that matches
    ///   nothing is told from a Pod that lacks a port.
    public init(
        _ snapshot: ClusterSnapshot, settings: Settings = Settings(),
        pods: [Pod]? = nil
    ) {
        self.settings = settings
        self.snapshot = snapshot
        self.pods = pods.map { PodIndex($0) }
        labels = PodLabels(pods ?? [])
        entrances = EntranceIndex(snapshot.services.values)
    }

    /// What is to be said of all Services, in the order of their names.
    public func findings() -> [ServiceFinding] {
        snapshot.services.values.sorted { $0.name < $1.name }.flatMap { findings(on: $0) }
    }

    /// What is to be said of one Service.
    public func findings(on service: Service) -> [ServiceFinding] {
        var report = FindingReport(service)
        guard service.kind != .externalName else {
            judgeExternalName(&report)
            return report.findings
        }
        guard !service.metadata.isBeingDeleted else { return [] }
        judgeEndpoints(&report)
        judgeNodePorts(&report)
        judgeAddresses(&report)
        judgeExternalIPs(&report)
        judgeSourceRanges(&report)
        judgeChoice(&report)
        return report.findings
    }

    // MARK: ExternalName

    private func judgeExternalName(_ report: inout FindingReport) {
        let service = report.service
        let idle = [
            service.ports.isEmpty ? nil : "ports", service.selector.isEmpty ? nil : "selector",
            service.externalIPs.isEmpty ? nil : "externalIPs",
            service.sourceRanges.isEmpty ? nil : "loadBalancerSourceRanges",
        ].compactMap(\.self)
        if let first = idle.first {
            report.add(
                .externalNameHasNoDataPath, .warning, "spec.\(first)",
                "\(idle.joined(separator: ", ")) of an ExternalName Service have no effect: it is "
                    + "a CNAME for \(service.externalName ?? "another name"), and clients go there "
                    + "themselves; no address and no port is opened for it",
                "remove them, or use another type with an EndpointSlice for the outside addresses")
        }
        guard let name = service.externalName, IPAddress(name) != nil else { return }
        report.add(
            .externalNameIsAddress, .warning, "spec.externalName",
            "\(name) is an address: as a name it is asked for in the DNS, where nobody has it",
            "use a Service without selector and an EndpointSlice that holds the address")
    }

    // MARK: Who may enter, and who is chosen

    private func judgeSourceRanges(_ report: inout FindingReport) {
        let service = report.service
        guard service.kind == .loadBalancer, !service.sourceRanges.isEmpty else { return }
        let families = service.knownFamilies
        guard !families.isEmpty else { return }
        let named = Set(service.sourceRanges.map(\.network.family))
        let field = "spec.loadBalancerSourceRanges"
        for family in families.subtracting(named).sorted(by: { $0.rawValue < $1.rawValue }) {
            report.add(
                .sourceRangesLackFamily, .warning, field, lack(of: family.apiName),
                "name who may enter by \(family.apiName); "
                    + "\(family == .ipv4 ? "0.0.0.0/0" : "::/0") is everybody")
        }
        for (index, range) in service.sourceRanges.enumerated()
        where !families.contains(range.network.family) {
            report.add(
                .sourceRangeOfOtherFamily, .warning, "\(field)[\(index)]",
                "\(range) is \(range.network.family.apiName), which the Service does not have",
                "remove it, or name \(range.network.family.apiName) in ipFamilies")
        }
    }

    /// kube-proxy keeps the ranges of each family by themselves, and one without any is open.
    private func lack(of family: String) -> String {
        let lack = "there is no range of \(family)"
        return switch settings.carrier {
        case .martlet?: "\(lack), so nobody may enter by \(family)"
        case .another?:
            "\(lack): the proxy may take that for no limit, as kube-proxy does, and let everybody "
                + "enter by \(family)"
        case nil:
            "\(lack): with Martlet's data plane nobody may enter by \(family), and beside "
                + "kube-proxy everybody may"
        }
    }

    private func judgeChoice(_ report: inout FindingReport) {
        let service = report.service
        if let selection = service.endpointSelection, selection == .random,
            service.sessionAffinity != .none
        {
            report.add(
                .choiceOverruled, .warning, "spec.sessionAffinity",
                "ClientIP keeps a client at its endpoint, so annotation "
                    + "\(Service.endpointSelectionAnnotation): random decides only where it begins",
                "remove the annotation, or sessionAffinity")
        }
        guard let check = service.healthCheck, check.port == nil else { return }
        let transport: TransportProtocol =
            if case .udp = check.method { .udp } else { .tcp }
        guard !service.ports.contains(where: { $0.protocol == transport }) else { return }
        report.add(
            .healthCheckWithoutPort, .warning, "metadata",
            "the health check asks by \(transport.rawValue), and no port of the Service does",
            "add annotation \(HealthCheck.Setting.port.key) with the port to ask")
    }
}

/// Collects what is to be said of one Service.
struct FindingReport {
    let service: Service
    private(set) var findings: [ServiceFinding] = []

    init(_ service: Service) { self.service = service }

    mutating func add(
        _ rule: ServiceFinding.Rule, _ severity: Problem.Severity, _ field: String, _ text: String,
        _ remedy: String
    ) {
        findings.append(
            ServiceFinding(
                service: service.name, rule: rule, severity: severity, field: field, text: text,
                remedy: remedy))
    }
}

extension Service {
    /// The families that the Service has, as far as anything says so.
    var knownFamilies: Set<IPAddress.Family> {
        if !ipFamilies.isEmpty { return Set(ipFamilies) }
        return Set((givenAddresses + requestedAddresses).map(\.family))
    }

    /// The load balancer addresses that are asked for; what is no address is said elsewhere.
    var requestedAddresses: [IPAddress] {
        guard kind == .loadBalancer else { return [] }
        guard let list = annotation(.loadBalancerIPs) else {
            return [loadBalancerIP.flatMap { IPAddress($0) }].compactMap(\.self)
        }
        return list.split(separator: ",").compactMap { part in
            IPAddress(String(part.filter { !$0.isWhitespace }))
        }
    }
}
