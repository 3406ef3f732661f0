import AdminServer
import FoundationEssentials
import LinuxNetwork
import NetworkTypes

/// Asks a daemon how it does, every second unless its answer takes long, and prints what changed:
/// its peers, the endpoints in its data plane, and what it noted for its operator.
struct DaemonWatch: Sendable {
    /// What is read of `/state`.
    struct Answer: Decodable {
        var node: String
        var peers: [StateReport.Peer]?
        var dataplane: StateReport.Dataplane?
        var nodeEvents: [StateReport.NodeEvent]?
    }

    /// Of one kind of news in one second so many lines are printed, and one that counts the rest.
    static let linesAtOnce = 20

    private let address: AdminAddress
    private let writer: EventWriter
    /// Whether new connections are told every second, too.
    private let tellsConnections: Bool

    init(_ address: AdminAddress, writer: EventWriter, tellsConnections: Bool) {
        self.address = address
        self.writer = writer
        self.tellsConnections = tellsConnections
    }

    /// Goes on until the task is cancelled or nobody reads. A daemon that does not answer is asked
    /// again: it may start later.
    func run() async {
        var known: (answer: Answer, at: Instant)?
        var isMissingTold = false
        while !Task.isCancelled {
            let begin = MonotonicClock.now()
            do {
                let answer = try await ask()
                let now = MonotonicClock.now()
                isMissingTold = true
                try writer.write(
                    news(in: answer, since: known?.answer, over: known.map { now - $0.at }))
                known = (answer, now)
            } catch let failure as AdminClient.Failure {
                if !isMissingTold, !Task.isCancelled {
                    complain("only packets are shown: \(failure)")
                    isMissingTold = true
                }
            } catch {
                return
            }
            // A daemon with thousands of Services has more to say: to be watched costs it no more
            // than a tenth of a core.
            let pause = max((MonotonicClock.now() - begin) * 9, .seconds(1))
            do {
                try await Task.sleep(for: pause)
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

    private func news(
        in answer: Answer, since before: Answer?, over time: Duration?
    ) -> [CaptureEvent] {
        var events = answer.peerNews(since: before)
        // What was so before anybody watched is no news.
        guard let before, let time else { return [answer.beginning] + events }
        events += answer.notes(since: before)
        events += answer.endpointNews(since: before)
        if tellsConnections { events += answer.connections(since: before, over: time) }
        return events
    }
}

extension DaemonWatch.Answer {
    /// One thing that the daemon says of itself.
    func saying(_ name: String, to place: String, _ text: String) -> CaptureEvent {
        var event = CaptureEvent(nanoseconds: Int64(WallClock.nanosecondsSince1970()))
        event.from = node
        event.to = place
        return event.saying(.state, name, text)
    }

    /// Said once, so that its reader knows from when on news would be told.
    fileprivate var beginning: CaptureEvent {
        let ports = dataplane.map { ", \($0.ports.count) Service ports in its data plane" } ?? ""
        return saying(
            "watched", to: "",
            "daemon is asked every second: it has \(peers?.count ?? 0) peers\(ports)")
    }

    /// What the node noted for its operator since; of its peers more is told otherwise.
    fileprivate func notes(since before: Self) -> [CaptureEvent] {
        var counts: [String: Int] = [:]
        for event in before.nodeEvents ?? [] { counts[event.id] = event.count }
        return (nodeEvents ?? []).filter { event in
            !event.reason.hasPrefix("peer") && event.count > counts[event.id, default: 0]
        }.map { saying($0.reason, to: $0.subject, $0.message) }
    }
}

extension StateReport.NodeEvent {
    fileprivate var id: String { "\(reason) \(subject) \(message)" }
}
