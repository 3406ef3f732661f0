import FoundationEssentials
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Speaker

extension StateReport {
    /// How this node's Lease stands, and what waits for those of others.
    struct Fence: Codable, Sendable, Equatable {
        /// A node that may still answer.
        struct Awaited: Codable, Sendable, Equatable {
            var node: String
            /// Seconds for which its silence has been waited for.
            var forSeconds: Double
        }

        /// Seconds for which this node may still answer; absent while its Lease is not fresh.
        var freshForSeconds: Double?
        /// Addresses that this node is elected for and does not begin with yet.
        var waiting: Int
        /// The nodes that these wait for.
        var awaited: [Awaited]
        /// The nodes found silent.
        var silent: [String]
        /// Why the last request for a Lease failed; absent when it did not.
        var trouble: String?
    }
}

extension StateReport.Fence {
    /// How it stands on a node; `nil` where nobody needs a Lease.
    init?(_ speaker: NodeSpeakerStatus) {
        guard let fence = speaker.fence else { return nil }
        let now = MonotonicClock.now()
        freshForSeconds = fence.freshUntil.flatMap { $0 > now ? ($0 - now).seconds : nil }
        waiting = speaker.tenure.tenure.waitingCount
        awaited = fence.awaited.sorted { $0.key < $1.key }.map {
            Awaited(node: $0.key, forSeconds: (now - $0.value).seconds)
        }
        silent = fence.silent.sorted()
        trouble = fence.trouble
    }

    /// A line or three for people.
    func text(_ terminal: Terminal) -> String {
        var lines: [String] = []
        let why = trouble.map { ": \($0)" } ?? ""
        if let freshForSeconds {
            let time = "this node's Lease is fresh for another \(Int(freshForSeconds)) s"
            lines.append(trouble == nil ? time : terminal.styled(time + why, .doubtful))
        } else {
            lines.append(
                terminal.styled("this node answers nothing: its Lease is not fresh\(why)", .bad))
        }
        if waiting > 0 {
            let nodes = awaited.prefix(8).map { "\($0.node) (for \(Int($0.forSeconds)) s)" }
            let more = awaited.count > 8 ? " and \(awaited.count - 8) more" : ""
            let until =
                nodes.isEmpty
                ? "" : " until these are surely silent: \(nodes.joined(separator: ", "))\(more)"
            lines.append(
                terminal.styled("waiting", .doubtful)
                    + ": \(waiting) addresses are not begun with\(until)")
        }
        return lines.map { $0 + "\n" }.joined()
    }
}
