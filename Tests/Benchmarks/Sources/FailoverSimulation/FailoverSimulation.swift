import Foundation
import NetworkTypes
import Simulation

/// How fast addresses are answered for again, and what the gossip costs, in clusters of many sizes
/// on one virtual clock; and whether the invariants hold in many random walks.
///
///     FailoverSimulation [--nodes 3,10,100,1000] [--failures 20] [--seeds 200]
///                        [--lanes 2] [--seconds 600] [--seed N] [--json FILE]
///
/// `--seed N` walks that walk alone and prints all that it saw. Exits with 1 when an invariant did
/// not hold.
@main
struct FailoverSimulation {
    private struct Options {
        var nodes = [3, 10, 100]
        var failures = 20
        var seeds = 200
        var lanes = 2
        var seconds = 600
        var seed: UInt64?
        var json: String?

        init(_ arguments: [String]) throws {
            var rest = arguments[...]
            while let flag = rest.popFirst() {
                guard let value = rest.popFirst() else { throw Misuse(text: "\(flag) of what?") }
                func number() throws -> Int {
                    guard let number = Int(value), number >= 0 else {
                        throw Misuse(text: "\(flag) \(value): not a number")
                    }
                    return number
                }
                switch flag {
                case "--nodes": nodes = value.split(separator: ",").compactMap { Int($0) }
                case "--failures": failures = try number()
                case "--seeds": seeds = try number()
                case "--lanes": lanes = max(try number(), 1)
                case "--seconds": seconds = try number()
                case "--seed": seed = UInt64(try number())
                case "--json": json = value
                default: throw Misuse(text: "unknown option \(flag)")
                }
            }
        }
    }

    private struct Misuse: Error, CustomStringConvertible {
        let text: String
        var description: String { text }
    }

    static func main() async throws {
        let options = try Options(Array(CommandLine.arguments.dropFirst()))
        if let seed = options.seed {
            let outcome = RandomWalk.run(seed: seed)
            print(outcome.report)
            exit(outcome.violations.isEmpty ? 0 : 1)
        }
        let limit = Deadline(after: .seconds(options.seconds))
        let walks = await Walks.run(count: options.seeds, lanes: options.lanes, until: limit)
        if options.seeds > 0 { Table.show(walks, asked: options.seeds) }
        var rows: [Measurement] = []
        if !options.nodes.isEmpty { Table.head() }
        for nodes in options.nodes where !limit.isOver {
            // A failure among a thousand nodes costs a thousand elections.
            let failures =
                nodes <= Laboratory.mostCarriers ? options.failures : min(options.failures, 3)
            let measured = Measurement.measure(nodes: nodes, failures: failures, until: limit)
            for measurement in measured { Table.row(measurement) }
            rows += measured
        }
        if let path = options.json {
            try JSONSerialization.data(
                withJSONObject: Table.json(walks, rows), options: [.prettyPrinted, .sortedKeys]
            ).write(to: URL(filePath: path))
        }
        let isBroken = !walks.failed.isEmpty || rows.contains { !$0.violations.isEmpty }
        exit(isBroken ? 1 : 0)
    }
}
