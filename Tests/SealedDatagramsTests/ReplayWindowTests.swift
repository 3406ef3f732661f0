import Testing

@testable import SealedDatagrams

@Suite struct ReplayWindowTests {
    @Test("each counter is accepted once, in any order within the window")
    func reordering() {
        var window = ReplayWindow()
        let counters = Array(1...1_024 as ClosedRange<UInt64>)
        let first = counters.reversed().filter { window.accept($0) }
        #expect(first == counters.reversed())
        #expect(counters.filter { window.accept($0) } == [])
    }

    @Test("what is below the window is refused, seen or not")
    func tooOld() {
        var window = ReplayWindow()
        let verdicts = [5_000, 5_000 - 1_024, 5_000 - 1_023, 0].map { window.accept($0) }
        #expect(verdicts == [true, false, true, false])
    }

    @Test("the window agrees with a set of everything seen, whatever the jumps")
    func againstSet() {
        var window = ReplayWindow()
        var seen: Set<UInt64> = []
        var highest: UInt64 = 0
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let jump = (state >> 60) == 0 ? 1_500 : 40
            let base = highest + UInt64(jump)
            let back = (state >> 33) % 1_200
            let counter = base > back ? base - back : 1
            let expected =
                !seen.contains(counter) && (counter > highest || highest - counter < 1_024)
            let accepted = window.accept(counter)
            #expect(accepted == expected)
            if expected { seen.insert(counter) }
            highest = max(highest, expected ? counter : 0)
        }
        #expect(highest > 10_000)
    }
}
