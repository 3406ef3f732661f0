import Foundation
import Testing

/// A host that asks every 5 ms who has an address, and remembers who answered.
final class AddressJudge {
    /// Its own address on the LAN ends with this.
    private static let number = 101

    /// An answer or an announcement.
    struct Word {
        let time: Double
        /// The node that sent it.
        let node: String
        let isAnswer: Bool
    }

    /// What is asked for.
    let address: String
    private let names: [String: String]
    private let capture: Capture
    private let asker: ProbeTrain

    init(_ lan: NamespacedLAN, _ address: String) throws {
        self.address = address
        try lan.attach("judge", host: Self.number)
        capture = try Capture(
            lan, on: "judge",
            filter: """
                (arp and (arp[6:2] = 2 or arp[14:4] = arp[24:4])) or (icmp6 and ip6[40] = 136)
                """)
        asker = try ProbeTrain(lan, asking: address, from: "judge", number: Self.number)
        var names: [String: String] = [:]
        for node in lan.nodes { names[try lan.macAddress(node)] = node }
        self.names = names
    }

    /// Answers and announcements by whichever node, in order.
    func words(since moment: Double) -> [Word] {
        capture.frames(since: moment).compactMap { frame in
            let isAnswer = frame.isAnswer(for: address)
            guard isAnswer || frame.isAnnouncement(of: address) else { return nil }
            return Word(
                time: frame.time, node: names[frame.source] ?? frame.source, isAnswer: isAnswer)
        }
    }

    /// Answers, in order.
    func answers(since moment: Double) -> [Word] { words(since: moment).filter(\.isAnswer) }

    /// Announcements that nobody asked for, in order.
    func announcements(since moment: Double) -> [Word] {
        words(since: moment).filter { !$0.isAnswer }
    }
}

/// Daemons with a Service, and a judge of its address.
protocol JudgedScene {
    var lan: NamespacedLAN { get }
    var judge: AddressJudge { get }
    /// Logs, for failures.
    var lastWords: Comment { get }
}

/// What the judge saw.
extension JudgedScene {
    var lastWords: Comment { lan.lastWords }

    /// Who answered since a moment, each once, in the order of their first answers.
    func answerers(since moment: Double) -> [String] {
        judge.answers(since: moment).reduce(into: []) { nodes, answer in
            if !nodes.contains(answer.node) { nodes.append(answer.node) }
        }
    }

    /// Who answered or announced since a moment.
    func speakers(since moment: Double) -> Set<String> {
        Set(judge.words(since: moment).map(\.node))
    }

    /// The only one who answers: all answers of the last 0.2 s came from it.
    func owner() -> String? {
        let recent = answerers(since: wallClock() - 0.2)
        return recent.count == 1 ? recent[0] : nil
    }

    /// Waits until another than `node` alone answers; returns it.
    func heir(of node: String, within seconds: Double = 8) -> String? {
        var heir: String?
        _ = eventually(within: seconds, every: 0.05) {
            heir = owner()
            return heir != nil && heir != node
        }
        return heir == node ? nil : heir
    }

    /// Expects that within some seconds one node alone answers and goes on alone for a second.
    ///
    /// Returns it.
    @discardableResult
    func expectOneOwner(within seconds: Double = 5) -> String? {
        let isAlone = eventually(within: seconds, every: 0.05) { owner() != nil }
        #expect(isAlone != nil, lastWords)
        let begin = wallClock()
        usleep(1_000_000)
        let seen = answerers(since: begin)
        #expect(seen.count == 1, "\(seen): \(lastWords)")
        return seen.first
    }
}
