import Testing

@testable import LoadBalancing

@Suite struct RunSetTests {
    @Test("the tree agrees with a plain set over 20,000 random steps", arguments: [1, 2, 3])
    func oracle(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var runs = RunSet()
        var oracle = Set<UInt128>()
        for _ in 0..<20_000 {
            let value = UInt128(random.below(300))
            if random.below(2) == 0 {
                #expect(runs.insert(value) == oracle.insert(value).inserted)
            } else {
                #expect(runs.remove(value) == (oracle.remove(value) != nil))
            }
            let bound = UInt128(random.below(300))
            #expect(runs.contains(bound) == oracle.contains(bound))
            #expect(runs.first(from: bound) == oracle.filter { $0 >= bound }.min())
        }
        #expect(runs.first == oracle.min())
        #expect(runs.runs.flatMap(Array.init) == oracle.sorted())
        for (run, next) in zip(runs.runs, runs.runs.dropFirst()) {
            #expect(run.upperBound + 1 < next.lowerBound, "neighbours are joined")
        }
    }

    @Test("the ends of the integer are members like others")
    func ends() {
        var runs = RunSet()
        runs.insert(0, through: .max)
        runs.insert(7)
        for value in [UInt128.max, 0, 5] { runs.remove(value) }
        #expect(runs.runs == [1...4, 6...(.max - 1)])
        for value in [UInt128.max, 0, 5] { runs.insert(value) }
        #expect(runs.runs == [0...UInt128.max])
    }

    @Test(
        "100,000 runs in any order of insertion stay within a logarithmic depth",
        arguments: ["ascending", "descending", "shuffled"])
    func depth(order: String) {
        var values = (0..<UInt128(100_000)).map { $0 * 2 }
        var random = SeededRandom(seed: 7)
        if order == "descending" { values.reverse() }
        if order == "shuffled" { values.shuffle(using: &random) }
        var runs = RunSet()
        for value in values { runs.insert(value) }
        #expect(Self.depth(of: runs) < 60)
        for value in values.prefix(50_000) { runs.remove(value) }
        #expect(Self.depth(of: runs) < 60)
        #expect(runs.runs.count == 50_000)
    }

    private static func depth(of runs: RunSet) -> Int {
        var deepest = 0
        var stack = [(runs.root, 1)]
        while let (slot, depth) = stack.popLast() {
            guard slot != RunSet.none else { continue }
            deepest = max(deepest, depth)
            stack.append((runs.nodes[Int(slot)].left, depth + 1))
            stack.append((runs.nodes[Int(slot)].right, depth + 1))
        }
        return deepest
    }
}
