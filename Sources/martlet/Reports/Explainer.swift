import ClusterSource
import Controller
import Dataplane
import FoundationEssentials
import Kubernetes
import LoadBalancing
import NetworkTypes
import Speaker

/// Makes reports from a state of the cluster, with the very code that decides: the allocator's
/// ledger and the election. A running daemon and an offline `martlet explain` share it.
struct Explainer: Sendable {
    let state: ClusterState
    let node: String
    let ledger: AllocationLedger
    let ownership: Ownership
    /// What is so on this node's interfaces; `nil` offline.
    var wire: [Layer2InterfaceState]?
    /// Addresses that nobody takes over although the gossip has lost their owner, and who answers.
    let held: [IPAddress: String]
    /// The nodes for whose silence addresses wait, and since when.
    let awaited: [String: Instant]
    /// What the routers are told; `nil` without any.
    let routes: RouteKnowledge?
    /// The speaker's own decisions; `nil` where none runs.
    let tenure: Tenure?
    /// What speakers say in their status objects; `nil` where nobody has looked.
    let statuses: ClusterReading?
    let standpoint: Standpoint
    /// Who takes traffic on here; `nil` where nobody has looked.
    let proxy: String?
    /// By which rules the ways of Services are judged.
    let ways: ServiceChainReview.Settings
    /// What this node's own questions to endpoints found; `nil` where none are asked.
    let health: EndpointProber.Report?
    let now: Instant

    /// From where the cluster is seen.
    enum Standpoint: Sendable {
        /// By a daemon.
        case inside
        /// From a folder, before anybody has given anything: what would be given is the answer.
        case beforehand
        /// By one who looks at what is written, and decides nothing.
        case outside
    }

    /// - Parameter ledger: the allocator's own, where this process allocates; left out, decisions
    ///   are worked out anew from the state.
    /// - Parameter tenure: the speaker's own, where one runs; left out, the election is held anew.
    /// - Parameter ways: by which rules the ways of Services are judged; left out, those for what
    /// is
    ///   looked at.
    /// - Parameter backing: by what Martlet's own data plane goes; `nil` where none runs.
    init(
        state: ClusterState, node: String, scope: ServiceScope, ledger: AllocationLedger? = nil,
        tenure: Tenure? = nil, held: [IPAddress: String] = [:],
        awaited: [String: Instant] = [:],
        wire: [Layer2InterfaceState]? = nil, routes: RouteKnowledge? = nil,
        statuses: ClusterReading? = nil, standpoint: Standpoint = .inside,
        ways: ServiceChainReview.Settings? = nil, backing: ServiceChains.Options? = nil,
        health: EndpointProber.Report? = nil, proxy: String? = nil, now: Instant
    ) {
        self.ways = ways ?? Self.ways(from: standpoint)
        self.health = health
        self.proxy = proxy
        self.statuses = statuses
        self.standpoint = standpoint
        var decided = ledger ?? AllocationLedger(scope: scope)
        if ledger == nil { _ = decided.update(state, at: now, date: Date()) }
        self.ledger = decided
        var shown = state
        if standpoint == .beforehand {
            for (name, outcome) in decided.outcomes where !outcome.addresses.isEmpty {
                shown.snapshot.services[name]?.ingress =
                    outcome.addresses.map(Service.Ingress.init(address:))
            }
        }
        self.state = shown
        self.node = node
        self.wire = wire
        self.now = now
        self.tenure = tenure
        self.held = held
        self.awaited = awaited
        // What a node would tell its routers is nothing to one who sees from no node.
        let isNowhere = standpoint == .outside && node.isEmpty
        self.routes =
            routes ?? (isNowhere ? nil : Self.routes(of: shown, node: node, scope: scope))
        ownership =
            tenure?.ownership
            ?? ElectionInput(shown, node: node, scope: scope).elect()
        chains = ServiceChains(
            shown, node: node, scope: scope, options: backing ?? ServiceChains.Options())
    }

    /// The rules for a folder, and for what an API server was asked for all at once.
    private static func ways(from standpoint: Standpoint) -> ServiceChainReview.Settings {
        var ways: ServiceChainReview.Settings = standpoint == .beforehand ? .init() : .server
        ways.allowsExternalIPs = nil
        ways.known = standpoint == .beforehand ? .all : .allButHeadless
        return ways
    }

    let chains: ServiceChains

    /// Why nothing is decided of a Service for now.
    static let undecided =
        "its pool cannot be read, and it keeps what it has; see the problems that are reported"

    /// The Services that a subject names: `namespace/name`, a bare name in any namespace, or an
    /// address that Services have.
    func services(named subject: String) -> [Service] {
        let services = state.snapshot.services.values
        let found: [Service]
        if let address = IPAddress(subject) {
            found = services.filter { $0.ingress.contains { $0.address == address } }
        } else {
            found = services.filter {
                $0.name.description == subject || $0.name.name == subject
            }
        }
        return found.sorted { $0.name < $1.name }
    }

    /// The reports of Services, with one review for all of them.
    func reports(on services: [Service]) -> [ServiceReport] {
        let review = ServiceChainReview(state.snapshot, settings: ways)
        return services.map { report(on: $0, review) }
    }

    private func report(on service: Service, _ review: ServiceChainReview) -> ServiceReport {
        var report = ServiceReport(
            service: service.name.description, type: service.kind.rawValue,
            externalName: service.externalName, poolsPassedOver: [], addresses: [], ports: [])
        switch ledger.outcomes[service.name] {
        case .excluded(let exclusion): report.excluded = exclusion.description
        case .invalid(let fault, _): report.unmet = fault.description
        case .decided(let decision):
            report.pool = decision.assignment?.pool
            report.poolRule = decision.assignment?.rule.description
            report.poolsPassedOver =
                decision.assignment?.passedOver.map(\.description)
                ?? decision.unmet?.passedOver.map(\.description) ?? []
            report.unmet = decision.unmet?.reason.description ?? unwritten(service)
        case .undecided: report.unmet = Self.undecided
        case nil: break
        }
        if report.excluded == nil {
            report.addresses = service.ingress.compactMap { self.report(on: $0.address) }
        }
        report.ports = ports(of: service)
        report.clusterIPs =
            service.clusterIPs.isEmpty ? nil : service.clusterIPs.map(\.description)
        report.sourceRanges =
            service.sourceRanges.isEmpty ? nil : service.sourceRanges.map(\.description)
        report.proxy = proxy
        let findings = review.findings(on: service)
        report.findings = findings.isEmpty ? nil : findings.map { ProblemReport($0.problem()) }
        if let statuses { report.speakers = statuses.words(on: service.name) }
        return report
    }

    /// What a controller would have written to a Service, seen by one who is none.
    func unwritten(_ service: Service) -> String? {
        guard standpoint == .outside, service.ingress.isEmpty,
            let addresses = ledger.outcomes[service.name]?.addresses, !addresses.isEmpty
        else { return nil }
        return "\(addresses.map(\.description).joined(separator: " and ")) could be given, but no "
            + "controller has written it; is one running, and of this class?"
    }

    private func report(on address: IPAddress) -> ServiceReport.AddressReport? {
        guard let explanation = Explanation(of: address, in: ownership) else { return nil }
        let (owner, cause) = holder(of: address, explanation.decision)
        let wait = leaseWait(for: address)
        // A move that another one has followed elsewhere is no news.
        let lastMove = tenure?.lastMove(of: address).flatMap { $0.to == owner ? $0 : nil }
        return ServiceReport.AddressReport(
            address: address.description, pool: explanation.pool, owner: owner, cause: cause,
            services: explanation.services.map(\.description),
            lastMove: lastMove.map { move in
                ServiceReport.MoveReport(
                    from: move.from, to: move.to, cause: "\(move.cause)", epoch: move.epoch,
                    agoSeconds: (now - move.at).seconds)
            },
            nodes: explanation.nodes.map { verdict in
                switch verdict.verdict {
                case .owns where verdict.node == node && wait != nil:
                    ServiceReport.NodeReport(
                        node: node, owns: false, reason: wait.map(text) ?? "",
                        remedy: wait?.remedy)
                case .owns(let cause):
                    ServiceReport.NodeReport(
                        node: verdict.node, owns: true, reason: cause.description)
                case .loses(let reason):
                    ServiceReport.NodeReport(
                        node: verdict.node, owns: false, reason: reason.description,
                        remedy: reason.remedy)
                }
            },
            wire: wire?.compactMap { interface in
                interface.addresses.first { $0.address == address }.map { state in
                    ServiceReport.WireReport(
                        interface: interface.interface, state: state.state.reportText,
                        answeringForSeconds: state.answeringSince.map {
                            Double((now - $0).wholeNanoseconds) / 1e9
                        },
                        conflictWith: state.lastConflict?.offender.description)
                }
            }, routes: routes?.reports(on: address))
    }

    /// What an address waits for that this node is elected for and does not begin with yet.
    private func leaseWait(for address: IPAddress) -> LossReason? {
        guard let reason = tenure?.absence(of: address)?.reason else { return nil }
        switch reason {
        case .waitsForLease, .leaseNotFresh: return reason
        default: return nil
        }
    }

    /// The reason for a wait, with how long it has lasted.
    private func text(_ wait: LossReason) -> String {
        guard case .waitsForLease(let nodes) = wait,
            let since = nodes.compactMap({ awaited[$0] }).min()
        else { return wait.description }
        return "\(wait), for \(Int((now - since).seconds)) s now"
    }

    /// Who answers for an address, and why: the elected owner, or who the wire still hears.
    func holder(
        of address: IPAddress, _ decision: OwnershipDecision
    ) -> (owner: String?, cause: String) {
        guard let holder = held[address] else {
            if decision.owner == node, let wait = leaseWait(for: address) {
                return (nil, "nobody for now: \(node) \(text(wait))")
            }
            guard decision.owner == nil, let told = routes?.listeners(to: address), !told.isEmpty
            else { return (decision.owner, decision.cause.description) }
            return (nil, "routed: this node tells \(told.joined(separator: ", "))")
        }
        return (holder, "still answers, although the gossip has lost it; nobody takes it over")
    }
}
