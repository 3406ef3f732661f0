import Testing

@testable import Membership

@Suite("How much of a link gets lost")
struct LossEstimateTests {
    private func settled() -> LossEstimate {
        var estimate = LossEstimate()
        for _ in 0..<2_000 { estimate.take(isLost: false) }
        return estimate
    }

    @Test("A link on which nothing gets lost is reckoned as clean after a while")
    func clean() {
        #expect(LossEstimate().share >= 0.2)
        #expect(settled().share < 0.01)
    }

    @Test("Losses that begin are seen within some beats, not only by the long average")
    func onset() {
        var estimate = settled()
        for lost in [true, false, false, true, false, true, false, false] {
            estimate.take(isLost: lost)
        }
        #expect(estimate.share > 0.12)
    }

    @Test("A single loss does not count for long")
    func single() {
        var estimate = settled()
        estimate.take(isLost: true)
        #expect(estimate.share > 0.05)
        for _ in 0..<500 { estimate.take(isLost: false) }
        #expect(estimate.share < 0.02)
    }

    @Test("Where three of ten get lost it stays between that and twice that")
    func steady() {
        var estimate = LossEstimate()
        for beat in 0..<1_000 {
            estimate.take(isLost: [0, 3, 7].contains(beat % 10))
            if beat > 200 { #expect(estimate.share > 0.25 && estimate.share < 0.6) }
        }
    }
}
