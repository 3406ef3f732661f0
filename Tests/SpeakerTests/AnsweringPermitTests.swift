import LinuxNetwork
import NetworkTypes
import Synchronization
import Testing

@testable import Speaker

@Suite("The permit to answer")
struct AnsweringPermitTests {
    private let never = Instant(nanoseconds: .min)
    private let later = Instant(nanoseconds: .max)

    @Test("there is none at first, and it reaches as far as the writer says")
    func extended() {
        let permit = AnsweringPermit()
        #expect(permit.until == never)
        permit.until = later
        #expect(permit.until == later)
    }

    @Test("while it is suspended nothing extends it, and only its own number clears it")
    func suspended() {
        let permit = AnsweringPermit(until: later)
        let first = permit.suspend()
        #expect(permit.until == never)
        permit.until = later
        #expect(permit.until == never)
        let second = permit.suspend()
        // What was worked off for the first says nothing of what happened since.
        permit.clear(first)
        #expect(permit.until == never)
        permit.clear(second)
        #expect(permit.until == later)
        // Late, and of no consequence.
        permit.clear(first)
        #expect(permit.until == later)
    }

    @Test("every return is counted, and an extension in time is none")
    func returns() {
        let permit = AnsweringPermit()
        permit.until = later
        let first = permit.returns
        #expect(first > 0)
        permit.until = later
        #expect(permit.returns == first)
        permit.clear(permit.suspend())
        let second = permit.returns
        #expect(second > first)
        permit.until = never
        permit.until = MonotonicClock.now() + .seconds(60)
        #expect(permit.returns > second)
    }

    @Test("who waits for it is woken when it is cleared, and when it is back after running out")
    func woken() {
        let permit = AnsweringPermit()
        let wakes = Atomic(0)
        let registration = permit.register { wakes.add(1, ordering: .relaxed) }
        permit.until = later
        #expect(wakes.load(ordering: .relaxed) == 1)
        permit.clear(permit.suspend())
        #expect(wakes.load(ordering: .relaxed) == 2)
        permit.until = later
        #expect(wakes.load(ordering: .relaxed) == 2)
        permit.unregister(registration)
        permit.clear(permit.suspend())
        #expect(wakes.load(ordering: .relaxed) == 2)
    }
}
