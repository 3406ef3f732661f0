import Glibc
import NetworkTypes
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct PollerTests {
    @Test("mail wakes the thread, once for all that was posted")
    func mail() throws {
        let mailbox = try Mailbox(empty: 0)
        let poller = try Poller(with: mailbox)
        #expect(try poller.wait(until: MonotonicClock.now()) == Poller.WakeUp())
        mailbox.post { $0 += 1 }
        mailbox.post { $0 += 1 }
        let wakeUp = try poller.wait(until: nil)
        #expect(wakeUp.isSignalled && wakeUp.events.isEmpty)
        #expect(mailbox.take() == 2)
        #expect(try poller.wait(until: MonotonicClock.now()) == Poller.WakeUp())
    }

    @Test("mail that another thread posts ends a wait without a deadline")
    func mailFromElsewhere() throws {
        let mailbox = try Mailbox(empty: 0)
        let poller = try Poller(with: mailbox)
        let thread = try NetworkThread(name: "poster") { mailbox.post { $0 = 7 } }
        #expect(try poller.wait(until: nil).isSignalled)
        thread.join()
        #expect(mailbox.take() == 7)
    }

    @Test("a deadline of microseconds is kept: no wait ends before it")
    func deadline() throws {
        let poller = try Poller(with: try Mailbox(empty: 0))
        for _ in 0..<20 {
            let deadline = MonotonicClock.now() + .microseconds(300)
            #expect(try poller.wait(until: deadline) == Poller.WakeUp())
            #expect(MonotonicClock.now() >= deadline)
        }
    }

    @Test("a connection is writable when it is up, readable with bytes and at the end")
    func readiness() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let mailbox = try Mailbox(empty: 0)
            let poller = try Poller(with: mailbox)
            let listener = try StreamListener(try StreamPair.address("127.0.0.1"))
            try poller.add(listener.descriptor, tag: 1, writing: false)
            let near = try StreamSocket(connectingTo: listener.local)
            try poller.add(near.descriptor, tag: 2, writing: true)
            var seen: Set<UInt64> = []
            while seen != [1, 2] { seen.formUnion(try poller.wait(until: nil).events.map(\.tag)) }
            #expect(try near.isConnected())
            try poller.modify(near.descriptor, tag: 3, writing: false)
            var far: StreamSocket?
            #expect(try listener.accept { far = $0 } == 1)
            #expect(try poller.wait(until: MonotonicClock.now()).events == [])

            let accepted = try #require(far)
            try StreamPair.send("x", over: accepted)
            let readable = try #require(try poller.wait(until: nil).events.first)
            #expect(readable.tag == 3 && readable.isReadable && !readable.isWritable)
            #expect(try StreamPair.receive(1, from: near).count == 1)
            accepted.close()
            let ended = try #require(try poller.wait(until: nil).events.first)
            #expect(ended.isReadable && !ended.isFailed)

            poller.remove(near.descriptor)
            #expect(try poller.wait(until: MonotonicClock.now()).events == [])
            poller.remove(near.descriptor)
        }
    }

    @Test("a refused connection and a reset are failures, whatever was watched for")
    func failures() async throws {
        try await Namespace.run {
            try Namespace.shell(StreamSocketTests.loopback)
            let poller = try Poller(with: try Mailbox(empty: 0))
            let refused = try StreamSocket(connectingTo: try StreamPair.address("127.0.0.1", 179))
            try poller.add(refused.descriptor, tag: 1, reading: false, writing: false)
            let event = try #require(try poller.wait(until: nil).events.first)
            #expect(event.tag == 1 && event.isFailed)
            refused.close()

            let pair = try StreamPair("127.0.0.1")
            try poller.add(pair.near.descriptor, tag: 2, reading: false, writing: false)
            pair.far.abort()
            let reset = try #require(try poller.wait(until: nil).events.first)
            #expect(reset.tag == 2 && reset.isFailed)
        }
    }

    @Test("with more ready than fit a batch, everyone has a turn before anyone has two")
    func fairness() throws {
        let poller = try Poller(with: try Mailbox(empty: 0))
        // Mailboxes of others: readable for as long as nobody clears them.
        let ready = try (0..<150).map { _ in try Mailbox(empty: 0) }
        for (index, mailbox) in ready.enumerated() {
            mailbox.post { $0 = 1 }
            try poller.add(mailbox.descriptor, tag: UInt64(index), writing: false)
        }
        var turns: [UInt64: Int] = [:]
        for _ in 0..<30 {
            let events = try poller.wait(until: nil).events
            #expect(events.count == 64)
            for event in events { turns[event.tag, default: 0] += 1 }
            let least = turns.count < ready.count ? 0 : turns.values.min() ?? 0
            #expect((turns.values.max() ?? 0) - least <= 1)
        }
        #expect(turns.count == 150)
    }

    @Test("a descriptor that is not open is refused with its number")
    func badDescriptor() throws {
        let poller = try Poller(with: try Mailbox(empty: 0))
        #expect {
            try poller.add(-1, tag: 1, writing: false)
        } throws: { error in
            (error as? SystemError)?.code == EBADF && "\(error)".contains("-1")
        }
    }
}
