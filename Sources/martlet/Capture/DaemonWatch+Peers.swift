extension DaemonWatch.Answer {
    /// Peers that came, changed or went; at first all of them.
    func peerNews(since before: Self?) -> [CaptureEvent] {
        let known = Dictionary((before?.peers ?? []).map { ($0.id, $0) }) { first, _ in first }
        let peers = peers ?? []
        var events = peers.compactMap { peer in
            peer.change(from: known[peer.id]).map {
                saying(peer.state, to: peer.place, "peer \(peer.peer): \($0)")
            }
        }
        let present = Set(peers.map(\.id))
        for peer in known.values.sorted(by: { $0.id < $1.id }) where !present.contains(peer.id) {
            events.append(
                saying("removed", to: peer.place, "peer \(peer.peer): is no longer there"))
        }
        return events
    }
}

extension StateReport.Peer {
    fileprivate var id: String { "\(peer) \(place)" }

    /// What is new since `before`; `nil` for nothing.
    fileprivate func change(from before: StateReport.Peer?) -> String? {
        guard let before else {
            let since = forSeconds.map { " for \(Int($0)) s" } ?? ""
            return "\(state)\(since)" + (bfd.map { ", BFD \($0.state)" } ?? "") + reason
        }
        var parts: [String] = []
        if state != before.state {
            parts.append("\(before.state) → \(state)" + reason)
        } else if established > before.established {
            // Gone and back within a second.
            parts.append("\(state) again" + reason)
        }
        if let now = bfd?.state, let earlier = before.bfd?.state, now != earlier {
            let why = now == "Up" ? "" : bfd.map { " (\($0.diagnostic))" } ?? ""
            parts.append("BFD \(earlier) → \(now)\(why)")
        }
        if prefixesSent != before.prefixesSent {
            parts.append("has \(prefixesSent) of our prefixes, had \(before.prefixesSent)")
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    /// Why it is down.
    private var reason: String {
        guard state != "Established" else { return "" }
        if let hindrance { return ": \(hindrance)" }
        guard let last = lastError.first else { return "" }
        return last.direction == "transport" ? ": \(last.text)" : ": \(last.direction) \(last.text)"
    }
}
