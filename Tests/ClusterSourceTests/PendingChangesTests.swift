import NetworkTypes
import Testing

@testable import ClusterSource

@Suite struct PendingChangesTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func after(_ milliseconds: Int) -> Instant { start + .milliseconds(milliseconds) }

    @Test func aFinishedFileIsReadAShortWhileAfterTheLastNotice() {
        var pending = PendingChanges()
        pending.note(.finished, "a.yaml", at: start)
        pending.note(.finished, "a.yaml", at: after(5))
        #expect(pending.takeDue(at: after(14)) == [])
        #expect(pending.takeDue(at: after(15)) == ["a.yaml"])
        #expect(pending.nextDeadline == nil)
    }

    @Test func aStormOfNoticesDelaysAFileNoLongerThanFiftyMilliseconds() {
        var pending = PendingChanges()
        for millisecond in 0...49 { pending.note(.finished, "a.yaml", at: after(millisecond)) }
        #expect(pending.takeDue(at: after(50)) == ["a.yaml"])
    }

    @Test func aFileIsNotReadWhileItsWriterIsAtWork() {
        var pending = PendingChanges()
        pending.note(.finished, "a.yaml", at: start)
        pending.note(.opened, "a.yaml", at: after(1))
        #expect(pending.isUnsettled("a.yaml"))
        #expect(pending.takeDue(at: after(4000)) == [])
        pending.note(.opened, "a.yaml", at: after(4000))
        #expect(pending.takeDue(at: after(8999)) == [])
        pending.note(.finished, "a.yaml", at: after(8999))
        #expect(pending.takeDue(at: after(9009)) == ["a.yaml"])
    }

    @Test func aWriterThatNeverClosesIsNotWaitedForForever() {
        var pending = PendingChanges()
        pending.note(.opened, "quiet.yaml", at: start)
        #expect(pending.takeDue(at: after(5000)) == ["quiet.yaml"])
        for second in 0...60 { pending.note(.opened, "busy.yaml", at: after(second * 1000)) }
        #expect(pending.takeDue(at: after(60_000)) == ["busy.yaml"])
    }

    @Test func aNameThatComesBackInTimeWasNeverGone() {
        var pending = PendingChanges()
        pending.note(.vanished, "a.yaml", at: start)
        pending.note(.opened, "a.yaml", at: after(40))
        #expect(pending.takeDue(at: after(100)) == [])
        pending.note(.finished, "a.yaml", at: after(120))
        #expect(pending.takeDue(at: after(130)) == ["a.yaml"])
    }

    @Test func everyOrdinaryChangeIsDueWithinAHundredMilliseconds() {
        for notice in [PendingChanges.Notice.finished, .found, .vanished] {
            var pending = PendingChanges()
            pending.note(notice, "a.yaml", at: start)
            #expect(pending.takeDue(at: after(60)) == ["a.yaml"])
        }
    }
}
