import ClusterSource
import Controller
import Kubernetes
import LoadBalancing
import NetworkTypes

extension Explainer {
    /// Every Service of type LoadBalancer in brief, by name.
    func summaries() -> [StateReport.Service] {
        let tellers = Dictionary(grouping: statuses?.routes ?? [], by: \.service)
            .mapValues { Set($0.map(\.node)).sorted() }
        return state.snapshot.services.values.filter { $0.kind == .loadBalancer }
            .sorted { $0.name < $1.name }
            .map { service in
                StateReport.Service(
                    service: service.name.description, type: service.kind.rawValue,
                    addresses: service.ingress.map { summary(of: $0.address) },
                    unmet: unmet(service), announcedBy: tellers[service.name])
            }
    }

    private func summary(of address: IPAddress) -> StateReport.Address {
        let found = ownership.decision(for: address).map { holder(of: address, $0) }
        return StateReport.Address(
            address: address.description, pool: ledger.allocator.pool(of: address),
            owner: found?.owner, cause: found?.cause ?? "is not Martlet's")
    }

    private func unmet(_ service: Service) -> String? {
        switch ledger.outcomes[service.name] {
        case .decided(let decision):
            decision.unmet?.reason.description ?? unwritten(service)
        case .invalid(let fault, _): fault.description
        case .undecided: Self.undecided
        case .excluded(let exclusion): "it \(exclusion)"
        case nil: nil
        }
    }

    /// How full the pools are.
    func poolReports() -> [StateReport.Pool] {
        ledger.allocator.poolNames.compactMap { name in
            ledger.allocator.status(ofPool: name).map { status in
                StateReport.Pool(
                    pool: name, assignedIPv4: status.assignedIPv4,
                    assignedIPv6: status.assignedIPv6, availableIPv4: status.availableIPv4,
                    availableIPv6: status.availableIPv6)
            }
        }
    }
}
