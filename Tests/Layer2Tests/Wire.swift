import Layer2
import NetworkTypes

/// Announcers on one wire with one virtual clock; a frame takes 100 µs and can be lost.
struct Wire {
    var stations: [Announcer]
    var now = Instant.milliseconds(0)
    var actions: [(at: Instant, station: Int, action: Announcer.Action)] = []
    var lossPerMille: UInt64 = 0
    private var inFlight: [(arrives: Instant, sender: Int, frame: [UInt8])] = []
    private var random: SplitMix

    init(_ macs: [MACAddress], knowEachOther: Bool, seed: UInt64 = 1) {
        stations = macs.map { Announcer(interface: "eth0", macAddress: $0) }
        random = SplitMix(state: seed)
        guard knowEachOther else { return }
        for index in stations.indices {
            handle(.peersChanged(Set(macs.filter { $0 != macs[index] })), by: index)
        }
    }

    /// Stations whose frames reach nobody, and who receive none.
    var cutOff: Set<Int> = []

    mutating func handle(_ event: Announcer.Event, by station: Int) {
        for action in stations[station].handle(event, at: now) {
            actions.append((now, station, action))
            if case .send(let frame) = action, !cutOff.contains(station) {
                inFlight.append((now + .microseconds(100), station, frame))
            }
        }
    }

    /// Goes on to the next arrival or deadline until `end`.
    mutating func run(until end: Instant, check: (Wire) -> Void = { _ in }) {
        while true {
            let wakeUps = stations.compactMap(\.nextDeadline) + inFlight.prefix(1).map(\.arrives)
            guard let next = wakeUps.min(), next <= end else { break }
            now = max(now, next)
            if let first = inFlight.first, first.arrives <= now {
                inFlight.removeFirst()
                for station in stations.indices
                where station != first.sender && !cutOff.contains(station) {
                    if random.next() % 1000 < lossPerMille { continue }
                    handle(.frameReceived(first.frame), by: station)
                }
            } else {
                for station in stations.indices { handle(.deadlineReached, by: station) }
            }
            check(self)
        }
        now = end
    }

    /// The reports and changes of one station; its frames left out.
    func reports(of station: Int) -> [Announcer.Action] {
        actions.filter { $0.station == station }.map(\.action).others
    }

    func answering(_ address: IPAddress) -> [Int] {
        stations.indices.filter { stations[$0].state(of: address)?.isAnswering == true }
    }
}
