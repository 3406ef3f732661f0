import ClusterSource
import LoadBalancing
import Membership
import NetworkTypes

extension NodeSpeaker {
    /// So many addresses a node says that it has no endpoint for; with its claims that leaves the
    /// gossip's store room. Of more the first count, here as with the others.
    private static let maximumUnserving = 16_384

    /// What the election works from here: the state as everybody has it, with this node's own facts
    /// as they are now rather than as they were last published.
    ///
    /// What this node finds of endpoints by its own health checks is no part of it, since others
    /// find something else, and equal inputs are what makes for one owner. Only what that leaves
    /// this node itself without counts, and all are told of it.
    package func electionInput() -> ElectionInput {
        var current = probing.told ?? state
        current.speakers[settings.node] = record()
        var live: [String: LiveMember]?
        if membership != nil {
            live = members
            live?[settings.node] = LiveMember(state: .alive, disputes: disputes.mapValues(\.claim))
        }
        return ElectionInput(
            current, node: settings.node, live: live, unserving: probing.unserving,
            memory: &electionMemory)
    }

    /// Works out for which addresses this node has no endpoint, and tells the others what is
    /// different. Not before the first word: that one has to be whole.
    func tellUnserving() {
        let changes = unservingChanges()
        if !changes.isEmpty { membership?.introduce(changes) }
    }

    /// Works out for which addresses this node has no endpoint. Returns what the others do not know
    /// of it yet.
    func unservingChanges() -> [GossipSubject: GossipStatement?] {
        let present = addressesWithoutEndpoint()
        var changes: [GossipSubject: GossipStatement?] = [:]
        for address in present.subtracting(probing.unserving) {
            changes[.unserving(address)] = .unserving(address)
        }
        for address in probing.unserving.subtracting(present) {
            changes[.unserving(address)] = .some(nil)
        }
        probing.unserving = present
        return changes
    }

    /// The addresses for which the endpoints' objects admit this node, and its health checks do
    /// not.
    private func addressesWithoutEndpoint() -> Set<IPAddress> {
        guard !probing.excluded.isEmpty, let told = probing.told else { return [] }
        let names = ElectionInput.nodeNames(
            told, own: settings.node, live: membership == nil ? nil : members)
        electionMemory.demands.update(
            told.snapshot, onlyNode: ElectionInput.onlyNode(among: names))
        let found = electionMemory.demands.unserving(
            at: settings.node, without: probing.excluded)
        guard found.count > Self.maximumUnserving else { return found }
        return Set(found.sorted().prefix(Self.maximumUnserving))
    }
}
