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
        while !Task.isCancelled {
            await alarm.wait(until: nil)
            guard permit.mayWrite else { continue }
            var rest = Self.rest
            for (name, status) in await cluster.outdatedPools() {
                guard let failure = await write(status, of: name) else { continue }
                rest = Self.retry
                await cluster.note(failure, about: "pool \(name)")
                alarm.ring()
            }
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
            let answer = try await sender.send(request, .status)
            let decoder = ObjectDecoder(
                resource: .ipAddressPools, configurationNamespace: namespace, keepsText: true)
            await cluster.accept(written: try decoder.object(answer.body), of: .ipAddressPools)
            await cluster.noteWritten(status, ofPool: name)
            await cluster.note(nil, about: "pool \(name)")
            return nil
        } catch {
            if error.code == 404 { return nil }
            return Problem(
                .warning, object: "IPAddressPool \(namespace)/\(name)",
                rule: "its status cannot be written: \(error.explanation)",
                remedy: error.code == 403
                    ? "allow patch of ipaddresspools/status (deploy/kubernetes/rbac)"
                    : "nothing to do; it is tried again")
        }
    }
}
