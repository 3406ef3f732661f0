import LoadBalancing
import Membership
import NetworkTypes

extension Simulation {
    /// Whether the node's process would answer a question now, if it has the address.
    package func canAnswer(_ node: Int) -> Bool {
        let speaker = speakers[node]
        guard let process = speaker.process, !speaker.isPaused else { return false }
        return process.agent.authorizedUntil > speaker.localNow
    }

    /// Who answers for the address now, by number of address.
    package func answerers(of index: Int) -> [Int] {
        judge.answerers[index].filter(canAnswer)
    }

    /// Whether datagrams and frames are cut in the same places, so that a node that is not heard
    /// does not answer either.
    package var isCutAlike: Bool { !hasCutsOfOneKind }

    /// Whether the node and some other do not hear each other.
    func isDisconnected(_ node: Int) -> Bool {
        guard !gossip.medium.isWhole || !lan.medium.isWhole else { return false }
        return speakers.indices.contains {
            $0 != node
                && !(gossip.medium.connects(node, $0) && lan.medium.connects(node, $0))
        }
    }

    /// Whether anything is being lost, late or disordered.
    var isRough: Bool {
        gossip.medium.quality.lossPerMille > 0 || lan.medium.quality.lossPerMille > 0
            || gossip.medium.quality.reorderPerMille > 0
            || speakers.contains { $0.lateness > settings.lateness }
    }
}

extension Judge {
    /// Looks at everything once.
    func inspect(_ world: Simulation) {
        let isRough = world.isRough
        for index in addresses.indices {
            let nodes = answerers[index]
            if nodes.count == 1, world.clients.count <= 1, doubleSince[index] == nil,
                world.canAnswer(nodes[0]), world.lan.medium.isWhole
            {
                // By far the most frequent case.
                for client in unservedSince.indices { unservedSince[client][index] = nil }
                continue
            }
            let active = nodes.filter(world.canAnswer)
            inspectDoubles(index, active, world, isRough)
            inspectService(index, active, world, isRough)
        }
    }

    private func inspectDoubles(
        _ index: Int, _ active: [Int], _ world: Simulation, _ isRough: Bool
    ) {
        let pair = active.indices.lazy.compactMap { first in
            active[(first + 1)...].first { world.lan.medium.connects(active[first], $0) }
                .map { (active[first], $0) }
        }.first
        guard let pair else {
            doubleSince[index] = nil
            return
        }
        let since = doubleSince[index] ?? world.now
        doubleSince[index] = since
        let lasting = world.now - since
        figures.longestOverlap = max(figures.longestOverlap, lasting)
        var allowedUntil = since + (isRough ? bounds.overlapUnderLoss : bounds.overlap)
        if let lastHeal, lastHeal + bounds.overlapAfterHeal > since {
            allowedUntil = max(
                allowedUntil, max(lastHeal, since) + bounds.overlapAfterHeal)
        }
        guard world.now > allowedUntil else { return }
        violated(
            "\(Cast.name(pair.0)) and \(Cast.name(pair.1)) have both answered for "
                + "\(addresses[index]) for \(lasting.inMilliseconds) ms", in: world)
        // Reported once for each time.
        doubleSince[index] = world.now
    }

    private func inspectService(
        _ index: Int, _ active: [Int], _ world: Simulation, _ isRough: Bool
    ) {
        for client in world.clients.indices {
            let port = world.clients[client].port
            let isServed = active.contains { world.lan.medium.connects($0, port) }
            guard !isServed, somebodyCould(serve: port, world) else {
                unservedSince[client][index] = nil
                continue
            }
            let since = unservedSince[client][index] ?? world.now
            unservedSince[client][index] = since
            let lasting = world.now - since
            figures.longestGap = max(figures.longestGap, lasting)
            let bound = isRough ? bounds.answeredAgainUnderLoss : bounds.answeredAgain
            guard
                world.now - max(since, lastDisturbance) > bound
                    || lasting > bounds.answeredAtAll
            else { continue }
            violated(
                "for \(lasting.inMilliseconds) ms nobody has answered for \(addresses[index])",
                in: world)
            unservedSince[client][index] = nil
            lastDisturbance = world.now
        }
    }

    /// Whether a node that is well hears this port. One that drains or is cordoned takes nothing
    /// that it does not have.
    private func somebodyCould(serve port: Int, _ world: Simulation) -> Bool {
        guard world.isCutAlike else { return false }
        return world.speakers.contains { speaker in
            guard let facts = world.cluster.nodes[speaker.name], facts.isReady, !facts.isCordoned
            else { return false }
            return speaker.isRunning && !speaker.isDraining
                && speaker.process?.isTerminating == false
                && speaker.process?.isAssessed == true && world.canAnswer(speaker.index)
                && world.lan.medium.connects(speaker.index, port)
        }
    }
}
