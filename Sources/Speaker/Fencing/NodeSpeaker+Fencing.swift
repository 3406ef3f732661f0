import LinuxNetwork
import Logging

/// Fencing without gossip: nobody would know who answers for what.
package struct FencingNeedsGossip: Error, CustomStringConvertible {
    package init() {}

    package var description: String {
        "--fencing lease needs the gossip: who has which address is known from there; "
            + "leave out --gossip off, or --fencing lease"
    }
}

extension NodeSpeaker {
    /// How fencing stands; `nil` where nobody needs a Lease.
    nonisolated var fenceReport: FenceReport? { fencing?.report }

    func followFencing(_ fencing: FenceSpeaker) async {
        for await event in fencing.events { note(event) }
    }

    private func note(_ event: FenceEvent) {
        switch event {
        case .fresh: logger.notice("this node's Lease is fresh; answering")
        case .lapsed where isLeaving: break
        case .lapsed:
            let message =
                "this node's Lease could not be renewed in time: nothing is answered for until it "
                + "is; see whether the API server is reached"
            logger.error("\(message)")
            recentEvents.note("leaseLapsed", settings.node, message)
        case .failed(let trouble):
            logger.warning("Lease", metadata: ["error": "\(trouble)"])
        }
    }

    /// Addresses wait for nodes that may still answer, or wait no more.
    func noteAwaited(_ nodes: Set<String>, addresses: Int) {
        guard !nodes.isEmpty else { return logger.notice("no Lease is waited for any more") }
        logger.notice(
            "addresses wait until it is sure that these nodes answer no more",
            metadata: [
                "addresses": "\(addresses)",
                "nodes": "\(nodes.sorted().prefix(8).joined(separator: ", "))",
                "count": "\(nodes.count)",
            ])
    }
}
