import Kubernetes
import Testing

@testable import ClusterSource

/// Serialized: time is measured.
@Suite(.serialized) struct RequestGateTests {
    /// A gate that works while `body` does.
    private func withGate(
        _ settings: RequestBudget.Settings, _ body: (RequestGate) async throws -> Void
    ) async throws {
        let gate = RequestGate(settings, seed: 1)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await gate.run() }
            try await body(gate)
            group.cancelAll()
        }
    }

    /// Whether a request does not come to its good end.
    private func fails(
        _ gate: RequestGate, _ kind: RequestBudget.Class, with failure: APIFailure? = nil
    ) async -> Bool {
        do throws(APIFailure) {
            try await gate.pass(kind) { () throws(APIFailure) in
                if let failure { throw failure }
            }
            return false
        } catch {
            return true
        }
    }

    @Test("an allocation does not wait for the turn of an event that came before it")
    func earlierTurn() async throws {
        // One a second, and none at once: an event of its own every twenty seconds.
        try await withGate(.init(rate: 1, burst: 1, inFlight: 8)) { gate in
            try await gate.pass(.allocation) {}
            try await gate.pass(.event) {}
            // Again and again: on a busy machine its turn may come before anybody looks.
            let event = Task { while !Task.isCancelled { try await gate.pass(.event) {} } }
            while await gate.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
            // The gate waits for the event's turn now.
            try await Task.sleep(for: .milliseconds(20))
            let begin = ContinuousClock.now
            try await gate.pass(.allocation) {}
            #expect(ContinuousClock.now - begin < .seconds(10))
            event.cancel()
        }
    }

    @Test("who waits for a server that was away goes on when somebody has reached it")
    func reached() async throws {
        try await withGate(.init(rate: 1000, burst: 1000, inFlight: 8)) { gate in
            // Three failures in succession: a pause of 0.8 s or more.
            for _ in 0..<3 {
                #expect(await fails(gate, .status, with: .transport("refused")))
            }
            let begin = ContinuousClock.now
            let write = Task { try await gate.pass(.allocation) {} }
            while await gate.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
            await gate.noteServerReached()
            try await write.value
            #expect(ContinuousClock.now - begin < .milliseconds(700))
        }
    }

    @Test("nobody waits for a gate that has closed")
    func closed() async throws {
        let gate = RequestGate(.init(rate: 1, burst: 1, inFlight: 4), seed: 1)
        let running = Task { await gate.run() }
        #expect(await !fails(gate, .allocation))
        let late = Task { await fails(gate, .allocation) }
        while await gate.waiting == 0 { try await Task.sleep(for: .milliseconds(1)) }
        running.cancel()
        #expect(await late.value)
        #expect(await fails(gate, .event))
    }
}
