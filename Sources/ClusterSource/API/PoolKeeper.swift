import FoundationEssentials
import Kubernetes
import NetworkTypes

/// Brings the statuses of pools to what was decided, at most once a second, however many addresses
/// are given meanwhile.
struct PoolKeeper: Sendable {
    let sender: RequestSender
    let cluster: ClusterMirror
    let permit: WritingPermit
    let namespace: String
    let alarm = Alarm()

    private static let rest = Duration.seconds(1)
    private static let retry = Duration.seconds(5)

    /// Writes until the task is cancelled.
    func run() async {
        var failed: Set<String> = []
        while !Task.isCancelled {
            await alarm.wait(until: nil)
            let outdated = permit.mayWrite ? await cluster.outdatedPools() : []
            // Of those that are right by now, or gone, or another's to write, nothing is wrong.
            for name in failed.subtracting(outdated.map(\.0)) {
                await cluster.note(nil, about: "pool \(name)")
            }
            failed = []
            for (name, status) in outdated {
                let failure = await write(status, of: name)
                await cluster.note(failure, about: "pool \(name)")
                if failure != nil { failed.insert(name) }
            }
            guard !outdated.isEmpty else { continue }
            if !failed.isEmpty { alarm.ring() }
            let rest = failed.isEmpty ? Self.rest : Self.retry
            do {
                try await Task.sleep(for: rest)
            } catch {
                return
            }
        }
    }

    private func write(_ status: ClusterMirror.PoolStatus, of name: String) async -> Problem? {
        guard let figures = status.figures else { return nil }
        let body = PoolStatusPatch.body(
            assignedIPv4: figures.assignedIPv4, assignedIPv6: figures.assignedIPv6,
            availableIPv4: figures.availableIPv4, availableIPv6: figures.availableIPv6,
            reservations: status.reservations.map { service, kept in
                APIObjectStatus.Reservation(
                    service: service, addresses: kept.addresses.map(\.description),
                    until: WallTime(kept.until).seconds)
            })
        let request = ObjectRequest.patch(
            .ipAddressPools, ObjectName(namespace: namespace, name), subresource: "status", .merge,
            body: body, manager: LeadershipKeeper.manager)
        do throws(APIFailure) {
            let answer = try await sender.send(request, .status, by: permit)
            let decoder = ObjectDecoder(
                resource: .ipAddressPools, configurationNamespace: namespace,
                keepsText: cluster.keepsTexts)
            await cluster.accept(written: try decoder.object(answer.body), of: .ipAddressPools)
            await cluster.noteWritten(status, ofPool: name)
            return nil
        } catch {
            // Gone meanwhile, or another's to write from now on.
            if error.code == 404 || !permit.mayWrite { return nil }
            return Problem(
                .warning, object: "IPAddressPool \(namespace)/\(name)",
                rule: "its status cannot be written: \(error.explanation)",
                remedy: error.code == 403
                    ? "allow patch of ipaddresspools/status (deploy/kubernetes/rbac)"
                    : "nothing to do; it is tried again")
        }
    }
}
