import LoadBalancing
import Membership
import NetworkTypes

extension Judge {
    /// An address came to a node, as that node says: there must be a cause, and it must be true.
    package func moved(_ move: Tenure.Move, in world: Simulation) {
        let isTrue: Bool
        switch move.cause {
        case .firstUse, .resumed: return
        case .movedByHand:
            isTrue = wantedAt[move.address].map { world.now - $0 <= bounds.causeMemory } ?? false
        case .preempted, .balanced: isTrue = world.settings.preemption != .never
        case .tookOver(let former, _), .handedOver(let former, _):
            // The one that gets it may be the one that something happened to: it was cut off, and
            // could not know.
            isTrue = wasTroubled(former, in: world) || wasTroubled(move.to, in: world)
        }
        guard !isTrue else { return }
        violated(
            "\(move.address): \(move.to) \(move.cause); nothing of the kind has happened",
            in: world)
    }

    private func wasTroubled(_ name: String, in world: Simulation) -> Bool {
        guard let node = Cast.number(of: name), troubledAt.indices.contains(node) else {
            return false
        }
        if let at = troubledAt[node], world.now - at <= bounds.causeMemory { return true }
        let speaker = world.speakers[node]
        return !speaker.isRunning || speaker.isDraining || world.isDisconnected(node)
    }

    /// What does not hold once everything has been well for a while: the cluster must be of one
    /// mind.
    package func disagreements(in world: Simulation) -> [String] {
        var found: [String] = []
        let running = world.speakers.filter(\.isRunning)
        for speaker in running {
            guard let process = speaker.process else { continue }
            for other in running where other.index != speaker.index {
                if process.liveness[other.name] != .alive {
                    found.append("\(speaker.name) does not know that \(other.name) is alive")
                }
                if process.claims[other.name, default: [:]] != other.process?.tenure.claims {
                    found.append("\(speaker.name) does not know the claims of \(other.name)")
                }
            }
            if process.agent.members.count > world.speakers.count {
                found.append("\(speaker.name) knows \(process.agent.members.count) members")
            }
            if process.backlog.waiting > 0 {
                found.append("\(speaker.name) has \(process.backlog.waiting) inputs waiting")
            }
        }
        guard !running.isEmpty else { return found }
        for (index, address) in addresses.enumerated() {
            let owners = Set(
                running.map { $0.process?.tenure.ownership?.owner(of: address) ?? "nobody" })
            let answering = world.answerers(of: index).map(Cast.name)
            if owners.count != 1 || Array(owners) != answering {
                found.append(
                    "\(address): owned by \(owners.sorted()), answered for by \(answering)")
            }
        }
        if world.pending > 100 * (world.speakers.count + world.clients.count) {
            found.append("\(world.pending) happenings are scheduled")
        }
        return found
    }
}
