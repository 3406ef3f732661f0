import NetworkTypes
import Simulation

/// Results, for people and for programs.
enum Table {
    private static func column(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func decimals(_ number: Double) -> String {
        "\((number * 10).rounded() / 10)"
    }

    static func show(_ walks: Walks, asked: Int) {
        print(
            """
            random walks: \(walks.walked) of \(asked) seeds, \
            \(walks.simulated.components.seconds) s simulated, \(walks.moves) moves, \
            \(walks.holds) takeovers stopped by the wire
            longest time with two answerers \(walks.longestOverlap.inMilliseconds) ms, \
            with none \(walks.longestGap.inMilliseconds) ms
            invariants broken in \(walks.failed.count) walks
            """)
        for outcome in walks.failed.sorted(by: { $0.seed < $1.seed }).prefix(Walks.reports) {
            print(outcome.report)
        }
        let others = walks.failed.map(\.seed).sorted().dropFirst(Walks.reports)
        if !others.isEmpty { print("also: \(others.map(String.init).joined(separator: " "))") }
    }

    static func head() {
        print("")
        print(
            "nodes", "failure         ", column("n", 4), column("first verdict, ms", 24),
            column("everybody knows, ms", 24), column("answered again, ms", 24),
            column("moved", 7), column("in vain", 8), column("datagrams", 10),
            column("bytes", 8))
        print(
            "     ", "                ", column("", 4), column("median / p99 / max", 24),
            column("median / p99 / max", 24), column("median / p99 / max", 24),
            column("each", 7), column("", 8), column("/node/s", 10), column("/node/s", 8))
    }

    static func row(_ measurement: Measurement) {
        let failure = measurement.failure.rawValue
        let perFailure =
            measurement.failures == 0
            ? 0 : Double(measurement.moved) / Double(measurement.failures)
        print(
            column("\(measurement.nodes)", 5), failure + column("", 16 - failure.count),
            column("\(measurement.failures)", 4),
            column(cell(measurement.firstVerdict), 24), column(cell(measurement.lastVerdict), 24),
            column(cell(measurement.answeredAgain), 24), column(decimals(perFailure), 7),
            column("\(measurement.movedInVain)", 8),
            column(decimals(measurement.datagramsPerSecond), 10),
            column(decimals(measurement.bytesPerSecond), 8))
        if measurement.unanswered > 0 {
            print("      not answered for within 20 s: \(measurement.unanswered) times")
        }
        for violation in measurement.violations.prefix(5) { print("      \(violation)") }
    }

    private static func cell(_ distribution: Distribution) -> String {
        guard let figures = distribution.figures else { return "-" }
        return [figures.median, figures.p99, figures.longest].map(decimals)
            .joined(separator: " / ")
    }

    static func json(_ walks: Walks, _ rows: [Measurement]) -> [String: Any] {
        [
            "walks": [
                "seeds": walks.walked, "broken": walks.failed.map { Int($0.seed) },
                "simulated_seconds": Int(walks.simulated.components.seconds),
                "longest_overlap_ms": walks.longestOverlap.milliseconds,
                "longest_gap_ms": walks.longestGap.milliseconds, "moves": walks.moves,
                "holds": walks.holds,
            ],
            "failures": rows.map { measurement in
                [
                    "nodes": measurement.nodes, "failure": measurement.failure.rawValue,
                    "count": measurement.failures,
                    "first_verdict_ms": times(measurement.firstVerdict),
                    "everybody_knows_ms": times(measurement.lastVerdict),
                    "answered_again_ms": times(measurement.answeredAgain),
                    "moved": measurement.moved, "moved_in_vain": measurement.movedInVain,
                    "unanswered": measurement.unanswered,
                    "datagrams_per_node_second": measurement.datagramsPerSecond,
                    "payload_bytes_per_node_second": measurement.bytesPerSecond,
                    "violations": measurement.violations.count,
                ] as [String: Any]
            },
        ]
    }

    private static func times(_ distribution: Distribution) -> [String: Double] {
        guard let figures = distribution.figures else { return [:] }
        return ["median": figures.median, "p99": figures.p99, "max": figures.longest]
    }
}
