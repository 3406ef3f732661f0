import AdminServer
import FoundationEssentials
import LinuxNetwork

/// Asks a daemon every second how its peers are, and prints what changed.
struct PeerWatch: Sendable {
    /// What is read of `/state`.
    private struct Answer: Decodable {
        var node: String
        var peers: [StateReport.Peer]?
    }

    private let address: AdminAddress
    private let writer: EventWriter

    init(_ address: AdminAddress, writer: EventWriter) {
        self.address = address
        self.writer = writer
    }

    /// Goes on until the task is cancelled or nobody reads. A daemon that does not answer is asked
    /// again: it may start later.
    func run() async {
        var known: [String: StateReport.Peer] = [:]
        var isMissingTold = false
        while !Task.isCancelled {
            do {
                let answer = try await ask()
                isMissingTold = true
                try writer.write(Self.changes(answer.node, answer.peers ?? [], from: known))
                known = Dictionary((answer.peers ?? []).map { ($0.id, $0) }) { first, _ in first }
            } catch let failure as AdminClient.Failure {
                if !isMissingTold, !Task.isCancelled {
                    complain("only packets are shown: \(failure)")
                    isMissingTold = true
                }
            } catch {
                return
            }
            do {
                try await Task.sleep(for: .seconds(1))
            } catch {
                return
            }
        }
    }

    private func ask() async throws -> Answer {
        let bytes = try await AdminClient(address).get("/state")
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(Answer.self, from: Data(bytes))
    }

    private static func changes(
        _ node: String, _ peers: [StateReport.Peer], from known: [String: StateReport.Peer]
    ) -> [CaptureEvent] {
        var events: [CaptureEvent] = []
        for peer in peers {
            guard let text = peer.change(from: known[peer.id]) else { continue }
            var event = CaptureEvent(nanoseconds: Int64(WallClock.nanosecondsSince1970()))
            event.from = node
            event.to = peer.place
            events.append(event.saying(.state, peer.state, "peer \(peer.peer): \(text)"))
        }
        let present = Set(peers.map(\.id))
        for peer in known.values.sorted(by: { $0.id < $1.id }) where !present.contains(peer.id) {
            var event = CaptureEvent(nanoseconds: Int64(WallClock.nanosecondsSince1970()))
            event.from = node
            event.to = peer.place
            events.append(event.saying(.state, "removed", "peer \(peer.peer): is no longer there"))
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
