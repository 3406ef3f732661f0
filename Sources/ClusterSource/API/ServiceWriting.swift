import FoundationEssentials
import Kubernetes
import NetworkTypes

/// Writes what was decided for Services: one PATCH each, several under way at a time.
struct ServiceWriting: Sendable {
    let sender: RequestSender
    let cluster: ClusterMirror
    let permit: WritingPermit
    let namespace: String

    /// What is to be written of one Service.
    private struct Piece: Sendable {
        var allocation: ServiceAllocation??
        var condition: StatusCondition?
        /// Types of conditions that are to go.
        var ended: [String] = []

        var isEmpty: Bool { allocation == nil && condition == nil && ended.isEmpty }
    }

    /// Carries out updates; the outcome names the Services that were not written.
    func write(_ updates: [StatusUpdate]) async -> WriteOutcome {
        var pieces: [ObjectName: Piece] = [:]
        var order: [ObjectName] = []
        for update in updates {
            switch update {
            case .allocation(let name, let allocation):
                if pieces[name] == nil { order.append(name) }
                pieces[name, default: Piece()].allocation = .some(allocation)
            case .condition(let name, let condition):
                if pieces[name] == nil { order.append(name) }
                pieces[name, default: Piece()].condition = condition
            case .conditionEnded(let name, let type):
                if pieces[name] == nil { order.append(name) }
                pieces[name, default: Piece()].ended.append(type)
            case .pool, .event: break
            }
        }
        var outcome = WriteOutcome()
        await withTaskGroup(of: (ObjectName, String?).self) { group in
            for name in order {
                guard let piece = pieces[name], !piece.isEmpty else { continue }
                group.addTask { (name, await write(piece, of: name)) }
            }
            for await (name, failure) in group { outcome.failures[name] = failure }
        }
        return outcome
    }

    /// Writes one; says why where it was not.
    private func write(_ piece: Piece, of name: ObjectName) async -> String? {
        guard let (service, version) = await cluster.identity(of: name) else {
            // It is gone: what is left is to keep its addresses back, or not to.
            return await keepBack(piece, of: name)
        }
        var piece = piece
        if let allocation = piece.allocation, await cluster.says(allocation, of: name) {
            piece.allocation = nil
        }
        if let wanted = piece.condition, let said = await cluster.condition(wanted.type, of: name),
            (said.status, said.reason, said.message)
                == (wanted.status, wanted.reason, wanted.message)
        {
            piece.condition = nil
        }
        guard !piece.isEmpty else { return nil }
        let condition = await condition(piece.condition, of: name)
        let uid = service.metadata.uid
        let ended = piece.ended.map { StatusCondition.prefix + $0 }
        let body: [UInt8]
        switch (piece.allocation, condition) {
        case (let allocation??, _) where !allocation.addresses.isEmpty:
            body = ServicePatch.assign(
                allocation.addresses, pool: allocation.pool, ports: service.ports,
                condition: condition, uid: uid, resourceVersion: version)
        case (.some, _):
            body = ServicePatch.clear(
                condition: condition, forgetting: ended, uid: uid, resourceVersion: version)
        case (nil, let condition?):
            body = ServicePatch.condition(condition, uid: uid, resourceVersion: version)
        case (nil, nil):
            body = ServicePatch.forget(ended, uid: uid, resourceVersion: version)
        }
        let request = ObjectRequest.patch(
            .services, name, subresource: ServicePatch.subresource, .strategicMerge, body: body,
            manager: LeadershipKeeper.manager)
        do throws(APIFailure) {
            let answer = try await sender.send(request, .allocation, by: permit)
            let decoder = ObjectDecoder(
                resource: .services, configurationNamespace: namespace,
                keepsText: cluster.keepsTexts)
            await cluster.accept(written: try decoder.object(answer.body), of: .services)
            return nil
        } catch {
            // Gone meanwhile: the watch will say so.
            if error.code == 404 { return nil }
            return error.isConflict
                ? "it was changed meanwhile; looked at again" : "\(error.explanation)"
        }
    }

    private func keepBack(_ piece: Piece, of name: ObjectName) async -> String? {
        guard let decided = piece.allocation else { return nil }
        if let allocation = decided, let until = allocation.reservedUntil {
            _ = await cluster.decide([
                .reserve(
                    pool: allocation.pool, name,
                    ClusterMirror.Reservation(addresses: allocation.addresses, until: until))
            ])
        } else {
            _ = await cluster.decide([.forget(name)])
        }
        return nil
    }

    /// The condition with the time of its last transition.
    private func condition(
        _ condition: StatusCondition?, of name: ObjectName
    ) async -> APIObjectStatus.Condition? {
        guard let condition else { return nil }
        let last = await cluster.condition(condition.type, of: name)
        let since =
            last?.status == condition.status
            ? last?.since.map { WallTime($0).seconds } : nil
        return APIObjectStatus.Condition(
            type: StatusCondition.prefix + condition.type, isTrue: condition.status,
            reason: condition.reason, message: condition.message,
            lastTransitionTime: since ?? WallTime.now().seconds)
    }
}

extension WallTime {
    /// The same moment as a date.
    init(_ date: Date) {
        self.init(nanosecondsSince1970: UInt64(max(0, date.timeIntervalSince1970) * 1e9))
    }
}
