import BGP
import Glibc
import LinuxNetwork
import NetworkTypes
import Speaker

/// The daemon's BGP threads without the rest of the daemon: routes are ordered by lines on standard
/// input, so that nothing else counts in what they cost.
///
/// `announce COUNT`, `withdraw COUNT` and `change COUNT MICROSECONDS` (one route at a time, that
/// far apart); `cluster COUNT` and `endpoints COUNT MICROSECONDS` do the same with the states of a
/// cluster (``Cluster``) and what translates them. Each is answered with a line; for single changes
/// a line each: the prefix, and the time of day in nanoseconds right before it was ordered.
@main
struct RouteSender {
    private let speaker: BGPSpeaker
    private let plan: BGPPeerPlan
    private var cluster: Cluster?
    /// What is withdrawn next, all of it.
    private var prepared: [Prefix: Route?] = [:]

    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        guard words.count == 2, let remote = IPAddress(words[1]), let asn = UInt32(words[2]) else {
            print("usage: RouteSender PEER ITS-AS")
            return
        }
        var session = PeerSettings(
            localAS: 64_500, remoteAS: .number(asn), routerID: 0xc000_02fe)
        session.isPassive = true
        let sender = try RouteSender(
            speaker: BGPSpeaker(),
            plan: BGPPeerPlan(
                session: session, transport: PeerTransport(place: .address(remote))))
        try sender.speaker.start()
        sender.speaker.update(peers: [Cluster.peer: sender.plan])
        sender.answer("ready")
        var running = sender
        while let line = readLine() { running.obey(line.split(separator: " ").map(String.init)) }
        sender.speaker.stop()
    }

    private mutating func obey(_ words: [String]) {
        let numbers = words.dropFirst().compactMap { Int($0) }
        switch (words.first, numbers.first, numbers.dropFirst().first) {
        case ("announce", let count?, _):
            speaker.update(changes: [Cluster.peer: Self.changes(count, to: Route())])
            answer("done")
        case ("prepare", let count?, _):
            prepared = Self.changes(count, to: nil)
            answer("done")
        case ("withdraw", _, _):
            speaker.update(changes: [Cluster.peer: prepared])
            prepared = [:]
            answer("done")
        case ("change", let count?, let pause?):
            for number in 0..<count {
                let prefix = Cluster.prefix(number)
                let route = Route(communities: [StandardCommunity(64_500, UInt16(number % 7))])
                order(prefix, pause) { speaker in
                    speaker.update(changes: [Cluster.peer: [prefix: route]])
                }
            }
            answer("done")
        case ("cluster", let count?, _):
            var cluster = Cluster(count: count)
            speaker.update(changes: cluster.changes())
            self.cluster = cluster
            answer("done")
        case ("endpoints", let count?, let pause?):
            guard var cluster else { return answer("no cluster") }
            self.cluster = nil
            for number in 0..<count {
                cluster.moveEndpoint(of: number)
                order(Cluster.prefix(number), pause) { speaker in
                    speaker.update(changes: cluster.changes())
                }
            }
            self.cluster = cluster
            answer("done")
        default: answer("unknown order")
        }
    }

    private static func changes(_ count: Int, to route: Route?) -> [Prefix: Route?] {
        var changes: [Prefix: Route?] = [:]
        changes.reserveCapacity(count)
        for number in 0..<count { changes[Cluster.prefix(number)] = .some(route) }
        return changes
    }

    private func order(_ prefix: Prefix, _ pause: Int, _ change: (BGPSpeaker) -> Void) {
        var time = timespec()
        // The clock that captures are stamped by; it exists everywhere.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        change(speaker)
        print(prefix, time.tv_sec * 1_000_000_000 + time.tv_nsec)
        usleep(UInt32(pause))
    }

    private func answer(_ text: String) {
        print(text)
        fflush(nil)
    }
}
