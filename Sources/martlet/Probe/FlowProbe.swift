import Dataplane
import Glibc
import LinuxNetwork
import NetworkTypes
import Speaker

/// Follows flows to a Service through this node: who owns the address, what the kernel's table does
/// with it, and whether the endpoints at the end of it can be reached and answer.
///
/// It looks at the network namespace that it runs in. What takes CAP_NET_ADMIN and is not allowed
/// is left open, and said so.
struct FlowProbe {
    /// The most flows of one question; every address with every port is one.
    static let maximumFlows = 32
    /// The most endpoints of a flow that are tried.
    static let maximumEndpoints = 16

    /// No more is tried after so long: each try that meets silence takes up to a second.
    private static let longest = Duration.seconds(30)

    private let deadline = MonotonicClock.now() + Self.longest
    /// The client's address, where one is given.
    let source: IPAddress?
    /// Martlet's table in the kernel.
    private let table: Result<KernelTable, SystemError>

    init(from source: IPAddress?) {
        self.source = source
        do throws(SystemError) {
            let socket = try NftablesSocket()
            var sequence: UInt32 = 1
            table = .success(try socket.readTable(&sequence))
        } catch {
            table = .failure(error)
        }
    }

    /// Every flow to a Service: to each of its addresses and ports; to those of the cluster itself
    /// where it has no other. Where there is none, one that says so.
    func flows(to service: ServiceReport) -> [FlowReport] {
        let outer = service.addresses.map { address in
            Entrance(address: address.address, steps: [owner(address), admission(service)])
        }
        let inner = (service.clusterIPs ?? []).map { Entrance(address: $0, steps: []) }
        let entrances = outer.isEmpty ? inner : outer
        var flows: [FlowReport] = []
        for entrance in entrances {
            for port in service.ports where flows.count < Self.maximumFlows {
                flows.append(flow(to: service, entrance, port))
            }
        }
        let left = entrances.count * service.ports.count - flows.count
        if left > 0 { flows.append(passedOver(left, service)) }
        return flows.isEmpty ? [nowhere(service)] : flows
    }

    /// What is said of the flows beyond the first ``maximumFlows``.
    private func passedOver(_ count: Int, _ service: ServiceReport) -> FlowReport {
        FlowReport(
            service: service.service, address: "", port: "", from: source?.description,
            steps: [
                .init(
                    station: "flows", passes: nil,
                    finding: "\(Self.maximumFlows) are followed, and \(count) more are not")
            ], end: "\(count) more flows are not followed", arrives: true)
    }

    /// An address of a Service, and what stands before the kernel there.
    private struct Entrance {
        var address: String
        var steps: [FlowReport.Step?]
    }

    private func nowhere(_ service: ServiceReport) -> FlowReport {
        let reason =
            if let name = service.externalName {
                "it is a CNAME for \(name), and clients go there themselves"
            } else if service.ports.isEmpty {
                "it has no port"
            } else {
                service.unmet.map { "it has no address: \($0)" }
                    ?? "it has no address of its own"
            }
        return FlowReport(
            service: service.service, address: "", port: "", from: source?.description, steps: [],
            end: "there is no flow to follow: \(reason)", arrives: false)
    }

    private func flow(
        to service: ServiceReport, _ address: Entrance, _ port: ServiceReport.PortReport
    ) -> FlowReport {
        var steps = address.steps.compactMap(\.self)
        var known = port.endpoints.filter { $0.chosen ?? $0.usable }
            .compactMap { SocketAddress($0.address, defaultPort: 0) }
        if let target = IPAddress(address.address), let number = port.number,
            let transport = port.transport.flatMap(ServiceChain.Transport.init(text:))
        {
            known = known.filter { $0.address.family == target.family }
            steps += kernel(service, to: target, number, transport, &known)
            steps += endpoints(known, transport)
            if transport == .tcp {
                let target = SocketAddress(target, port: number)
                // The ranges guard load balancer addresses, which are those with stations before.
                let ranges = address.steps.isEmpty ? nil : service.sourceRanges
                steps.append(outsider(target, ranges) ?? whole(target))
            }
        }
        let (end, arrives) = Self.end(steps)
        return FlowReport(
            service: service.service, address: address.address, port: port.port,
            from: source?.description, steps: steps, end: end, arrives: arrives)
    }

    // MARK: Stations

    private func owner(_ address: ServiceReport.AddressReport) -> FlowReport.Step {
        let isRouted = address.routes?.isEmpty == false
        guard let owner = address.owner else {
            return .init(
                station: "owner", passes: isRouted,
                finding: isRouted ? address.cause : "nobody answers for it: \(address.cause)")
        }
        return .init(station: "owner", passes: true, finding: "\(owner) \(address.cause)")
    }

    private func admission(_ service: ServiceReport) -> FlowReport.Step? {
        guard let texts = service.sourceRanges else { return nil }
        let list = texts.joined(separator: ", ")
        guard let source else {
            return .init(
                station: "source ranges", passes: nil,
                finding: "only \(list) may enter; say who asks with --from")
        }
        let isAdmitted = texts.contains { Prefix($0)?.contains(source) ?? false }
        return .init(
            station: "source ranges", passes: isAdmitted,
            finding: isAdmitted
                ? "\(source) is in \(list)" : "\(source) is dropped: only \(list) may enter")
    }

    /// What the kernel does. The endpoints that it has take the place of those that are known.
    private func kernel(
        _ service: ServiceReport, to address: IPAddress, _ port: UInt16,
        _ transport: ServiceChain.Transport, _ known: inout [SocketAddress]
    ) -> [FlowReport.Step] {
        switch table {
        case .failure(let error) where error.isRefusal:
            return [
                .init(
                    station: "kernel", passes: nil,
                    finding: "the tables cannot be looked at; run it as root, or with CAP_NET_ADMIN"
                )
            ]
        case .failure(let error):
            return [.init(station: "kernel", passes: nil, finding: "\(error)")]
        case .success(let table) where !table.isPresent:
            let proxy = service.proxy.map { "; taken on by \($0)" } ?? ""
            return [
                .init(
                    station: "kernel", passes: nil,
                    finding: "Martlet's own table is not on this node\(proxy)")
            ]
        case .success(let table):
            let way = KernelWay(to: address, port: port, transport, in: table)
            guard let entrance = way.entrance else {
                return [
                    .init(
                        station: "kernel", passes: false,
                        finding: "\(address) . \(transport) . \(port) is no entrance of table "
                            + "inet martlet")
                ]
            }
            var steps = [
                FlowReport.Step(
                    station: "kernel", passes: true, finding: "leads to chain \(entrance)")
            ]
            steps.append(Self.spread(way, known))
            if !way.endpoints.isEmpty { known = way.endpoints }
            return steps
        }
    }

    private static func spread(_ way: KernelWay, _ known: [SocketAddress]) -> FlowReport.Step {
        guard let chain = way.spread, !way.endpoints.isEmpty else {
            return .init(
                station: "endpoints in the kernel", passes: false,
                finding: "none: a connection is refused, or dropped where only other nodes have one"
            )
        }
        let list = way.endpoints.prefix(4).map(\.description).joined(separator: ", ")
        let more = way.endpoints.count > 4 ? " and \(way.endpoints.count - 4) more" : ""
        let stale = Set(way.endpoints).subtracting(known)
        guard stale.isEmpty, way.emptySlots == 0 else {
            let trouble =
                stale.isEmpty
                ? "\(way.emptySlots) slots are empty"
                : "\(stale.sorted().map(\.description).joined(separator: ", ")) should not be there"
            return .init(
                station: "endpoints in the kernel", passes: false,
                finding: "\(chain) spreads over \(list)\(more), but \(trouble)")
        }
        return .init(
            station: "endpoints in the kernel", passes: true,
            finding: "\(chain) spreads over \(list)\(more)")
    }

    private func endpoints(
        _ endpoints: [SocketAddress], _ transport: ServiceChain.Transport
    ) -> [FlowReport.Step] {
        guard !endpoints.isEmpty else {
            return [.init(station: "endpoints", passes: false, finding: "there is none")]
        }
        var steps = endpoints.prefix(Self.maximumEndpoints).map { step(to: $0, transport) }
        if endpoints.count > Self.maximumEndpoints {
            steps.append(
                .init(
                    station: "endpoints", passes: nil,
                    finding: "\(endpoints.count - Self.maximumEndpoints) more are not tried"))
        }
        return steps
    }

    /// The way to an endpoint, and whether it answers.
    private func step(
        to endpoint: SocketAddress, _ transport: ServiceChain.Transport
    ) -> FlowReport.Step {
        let station = "endpoint \(endpoint)"
        guard MonotonicClock.now() < deadline else { return tooLate(station) }
        var path = ""
        do throws(SystemError) {
            switch try RouteQuestion.way(to: endpoint.address) {
            case .none(let reason):
                return .init(station: station, passes: false, finding: "no way: \(reason)")
            case .local: path = "on this node"
            case .out(let interface, let router):
                path = "by \(interface)" + (router.map { " through \($0)" } ?? "")
                let next = router ?? endpoint.address
                if try RouteQuestion.neighbor(next, on: interface) == .failed {
                    path += ", where \(next) does not answer ARP or NDP"
                }
            }
        } catch {
            path = "\(error)"
        }
        let outcome: ConnectionAttempt.Outcome? =
            switch transport {
            case .tcp: ConnectionAttempt.tcp(to: endpoint)
            case .udp: ConnectionAttempt.udp(to: endpoint)
            case .sctp: nil
            }
        let (passes, words) = Self.verdict(outcome, transport)
        return .init(station: station, passes: passes, finding: "\(path): \(words)")
    }

    /// Why this node cannot be the client: its own address is not among those that may enter.
    private func outsider(_ target: SocketAddress, _ ranges: [String]?) -> FlowReport.Step? {
        guard let ranges else { return nil }
        let own: IPAddress?
        do throws(SystemError) {
            own = try RouteQuestion.source(to: target.address)
        } catch {
            return .init(station: Self.wholeStation, passes: nil, finding: "is not tried: \(error)")
        }
        guard let own, !ranges.contains(where: { Prefix($0)?.contains(own) ?? false }) else {
            return nil
        }
        return .init(
            station: Self.wholeStation, passes: nil,
            finding: "is not tried: this node asks from \(own), which is in none of the source "
                + "ranges")
    }

    /// The same address and port that a client would ask for, from this node.
    private func whole(_ target: SocketAddress) -> FlowReport.Step {
        guard MonotonicClock.now() < deadline else { return tooLate(Self.wholeStation) }
        let outcome = ConnectionAttempt.tcp(to: target)
        if case .failed(let error) = outcome, error.code == ENETUNREACH {
            // The kernel looks for a route before the table changes the destination.
            return .init(
                station: Self.wholeStation, passes: nil,
                finding: "\(target): this node has no route for it, so it cannot be a client "
                    + "itself; a default route would do")
        }
        let (passes, words) = Self.verdict(outcome, .tcp)
        return .init(
            station: Self.wholeStation, passes: passes,
            finding: "\(target): \(words)")
    }

    private func tooLate(_ station: String) -> FlowReport.Step {
        .init(
            station: station, passes: nil,
            finding: "is not tried: the others took \(Self.longest) already")
    }

    private static func verdict(
        _ outcome: ConnectionAttempt.Outcome?, _ transport: ServiceChain.Transport
    ) -> (passes: Bool?, words: String) {
        switch outcome {
        case .accepted?: (true, "answers")
        case .refused?: (false, "refuses: nobody listens there")
        case .silence? where transport == .udp: (nil, "does not refuse; it may serve")
        case .silence?: (false, "does not answer within a second")
        case .failed(let error)? where error.code == EHOSTUNREACH:
            (false, "is out of reach: there is no way, or nobody answers ARP or NDP for it")
        case .failed(let error)?: (false, "\(error)")
        case nil: (nil, "SCTP is not tried")
        }
    }

    private static let wholeStation = "from this node through all of it"

    /// Where it ends: at the first station that it does not pass. Of several endpoints that are
    /// drawn from, one that is broken breaks its share of the connections.
    static func end(_ steps: [FlowReport.Step]) -> (text: String, arrives: Bool) {
        func text(_ step: FlowReport.Step) -> String {
            "it ends at \(step.station): \(step.finding)"
        }
        let endpoints = steps.filter { $0.station.hasPrefix("endpoint ") }
        let broken = endpoints.filter { $0.passes == false }
        let others = steps.filter { !$0.station.hasPrefix("endpoint ") && $0.passes == false }
        if let first = others.first(where: { $0.station != wholeStation }) {
            return (text(first), false)
        }
        if let first = broken.first {
            guard broken.count < endpoints.count else { return (text(first), false) }
            return (
                "\(broken.count) of \(endpoints.count) endpoints cannot be reached, and their "
                    + "share of the connections fails: \(first.station): \(first.finding)", false
            )
        }
        if let last = others.first { return (text(last), false) }
        let isOpen = steps.contains { $0.passes == nil }
        return (isOpen ? "it arrives, as far as it could be followed" : "it arrives", true)
    }
}

extension ServiceChain.Transport {
    fileprivate init?(text: String) {
        switch text {
        case "TCP": self = .tcp
        case "UDP": self = .udp
        case "SCTP": self = .sctp
        default: return nil
        }
    }
}
