import ClusterSource
import Kubernetes
import LinuxNetwork
import LoadBalancing
import Logging
import Membership
import NetworkTypes

extension NodeSpeaker {
    /// How long a node does not own an address again for which it was found not to answer.
    private static let disputeLasts = Duration.seconds(60)

    /// Nobody answered for an address that another node has: asked often enough.
    func noteUnanswered(_ address: IPAddress) {
        guard let ownership = tenure.report.ownership,
            let decision = ownership.decision(for: address), let owner = decision.owner,
            owner != settings.node
        else { return }
        let message =
            "\(owner) has \(address) and nobody answers for it on the LAN; see the log of the "
            + "speaker on \(owner), and its cabling"
        logger.error("\(message)")
        recentEvents.note("notAnswered", "\(address)", message)
        tellFailure(of: address, message)
        // What was found of the owner before must not be held against the next one: only who has
        // answered claims.
        guard let membership, members[owner]?.claims[address] == decision.epoch else { return }
        let claim = LiveMember.DisputedClaim(node: owner, epoch: decision.epoch)
        disputes[address] = (claim, MonotonicClock.now() + Self.disputeLasts)
        membership.spread(.dispute(address, node: owner, epoch: decision.epoch))
        elections.ring()
    }

    /// Another station than the owner answered for an address, beside it or alone.
    func noteWrongAnswer(_ address: IPAddress, by stations: [MACAddress]) {
        let names = stations.map { station in
            stationName(station).map { "\($0) (\(station))" } ?? "\(station)"
        }
        let owner = tenure.report.ownership?.owner(of: address) ?? "its owner"
        let message =
            "\(names.joined(separator: " and ")) \(names.count == 1 ? "answers" : "answer") for "
            + "\(address), and only \(owner) should; if it lasts, take the address off the others"
        logger.error("\(message)")
        recentEvents.note("answeredByOthers", "\(address)", message)
    }

    func noteAnsweredAgain(_ address: IPAddress) {
        logger.notice("answered by one station again", metadata: ["address": "\(address)"])
    }

    private func stationName(_ station: MACAddress) -> String? {
        members.first { $0.value.interfaces.values.contains { $0.mac == station } }?.key
            ?? state.speakers.values.first { $0.interfaces.contains { $0.mac == station } }?.node
    }

    /// Takes back what is no longer so.
    func endDisputes(at now: Instant) {
        let over = disputes.filter { $0.value.until <= now }.map(\.key)
        guard !over.isEmpty else { return }
        for address in over {
            disputes[address] = nil
            membership?.withdraw(.dispute(address))
        }
        elections.ring()
    }

    /// Where other speakers may be found: the addresses of the cluster's Nodes, and those that
    /// speakers with the same state folder have published.
    func seeds() -> [Seed] {
        guard let gossip = settings.gossip else { return [] }
        return addressesOfOthers().sorted { $0.key < $1.key }.flatMap { name, addresses in
            addresses.map {
                Seed(name: name, address: SocketAddress($0, port: gossip.port))
            }
        }
    }

    /// The addresses of other nodes, by name; nodes of which none is known are missing.
    func addressesOfOthers() -> [String: [IPAddress]] {
        var addresses: [String: Set<IPAddress>] = [:]
        for node in state.snapshot.nodes.values {
            addresses[node.metadata.name.name] = Set(node.addresses)
        }
        for record in state.speakers.values where record.isServing {
            addresses[record.node, default: []].formUnion(record.addresses)
        }
        addresses[settings.node] = nil
        return addresses.filter { !$0.value.isEmpty }.mapValues { $0.sorted() }
    }
}
