import LinuxNetwork
import NetworkTypes

/// Reads interfaces on a thread of its own and prints what passes.
final class LiveCapture: Sendable {
    /// What to watch and how long.
    struct Wish: Sendable {
        /// None: all.
        var interfaces: [String]
        var ports: Set<UInt16>
        var isVerbose: Bool
        var seconds: Double?
        var count: Int?
    }

    /// How it ended.
    struct Outcome: Sendable {
        var counts = CaptureDecoder.Counts()
        var events = 0
        var dropped = 0
        var failure: SystemError?

        var summary: String {
            if let failure { return "martlet: \(failure)" }
            return counts.summary(events: events) + ", \(dropped) dropped by the kernel"
        }
    }

    private let mailbox: Mailbox<Bool>
    private let thread: NetworkThread
    private let outcomes: AsyncStream<Outcome>

    init(_ wish: Wish, writer: EventWriter) throws(SystemError) {
        let mailbox = try Mailbox(empty: false)
        let (outcomes, continuation) = AsyncStream.makeStream(of: Outcome.self)
        self.mailbox = mailbox
        self.outcomes = outcomes
        thread = try NetworkThread(name: "martlet-monitor") {
            var reader = Reader(wish: wish, writer: writer, mailbox: mailbox)
            reader.run()
            continuation.yield(reader.outcome)
            continuation.finish()
        }
    }

    /// Ends reading, from any thread.
    func stop() { mailbox.post { $0 = true } }

    /// Waits until reading has ended, which it also does when the task is cancelled.
    func outcome() async -> Outcome? {
        var last: Outcome?
        for await outcome in outcomes { last = outcome }
        if last == nil { stop() }
        thread.join()
        return last
    }

    /// The packets that are printed, in the language of `pcap-filter(7)`: the kernel passes over
    /// the others. Types of ICMPv6: router and neighbor discovery, multicast listeners, the latter
    /// behind a hop-by-hop header.
    static func filter(_ ports: Set<UInt16>) -> String {
        let bgp = ports.sorted().map { "port \($0)" }.joined(separator: " or ")
        let bfd = CaptureDecoder.bfdPorts.sorted().map { "dst port \($0)" }
            .joined(separator: " or ")
        func types(_ offset: Int) -> String {
            "((ip6[\(offset)] >= 130 and ip6[\(offset)] <= 137) or ip6[\(offset)] = 143)"
        }
        return "(tcp and (\(bgp))) or (udp and (\(bfd))) or arp or (ip6 and "
            + "((ip6[6] = 58 and \(types(40))) "
            + "or (ip6[6] = 0 and ip6[40] = 58 and \(types(48)))))"
    }
}

extension LiveCapture {
    /// The thread's own.
    private struct Reader {
        let wish: Wish
        let writer: EventWriter
        let mailbox: Mailbox<Bool>
        var outcome = Outcome()
        private var sources: [CaptureSource] = []

        /// Frames of one interface before the next has its turn.
        private static let batch = 64

        init(wish: Wish, writer: EventWriter, mailbox: Mailbox<Bool>) {
            self.wish = wish
            self.writer = writer
            self.mailbox = mailbox
        }

        mutating func run() {
            do {
                try read()
            } catch let error as SystemError {
                outcome.failure = error
            } catch {
                // Nobody reads what is printed: there is nothing left to do.
            }
            outcome.events = writer.count
            outcome.dropped += sources.reduce(0) { $0 + $1.dropped }
        }

        private mutating func read() throws {
            let filter = LiveCapture.filter(wish.ports)
            let names: [String?] = wish.interfaces.isEmpty ? [nil] : wish.interfaces
            for name in names {
                sources.append(try CaptureSource(interface: name, filter: filter))
            }
            let poller = try Poller(with: mailbox)
            for (index, source) in sources.enumerated() {
                try poller.add(source.descriptor, tag: UInt64(index), writing: false)
            }
            let place =
                wish.interfaces.isEmpty
                ? "all interfaces" : wish.interfaces.joined(separator: ", ")
            complain("watching \(place); Ctrl-C ends")
            var decoder = CaptureDecoder(
                bgpPorts: wish.ports, isVerbose: wish.isVerbose,
                nameOfInterface: { CaptureSource.name(ofInterface: $0) ?? "#\($0)" })
            defer { outcome.counts = decoder.counts }
            let deadline = wish.seconds.map { MonotonicClock.now() + .seconds($0) }
            var isOver = false
            while !isOver {
                let wakeUp = try poller.wait(until: deadline)
                if wakeUp.isSignalled, mailbox.take() { isOver = true }
                if let deadline, MonotonicClock.now() >= deadline { isOver = true }
                for event in wakeUp.events where try read(event, poller, &decoder) { isOver = true }
            }
            try print(decoder.finish())
        }

        /// Reads what waits on one interface; says whether enough has been printed.
        private mutating func read(
            _ event: Poller.Event, _ poller: Poller, _ decoder: inout CaptureDecoder
        ) throws -> Bool {
            let source = sources[Int(event.tag)]
            var events: [CaptureEvent] = []
            do {
                _ = try source.receive(limit: Self.batch) { frame, bytes in
                    events += decoder.decode(
                        frame, bytes, source.linkType, interface: source.interface)
                }
            } catch {
                // One interface that went down does not end the others.
                poller.remove(source.descriptor)
                guard sources.count > 1 else { throw error }
                complain("martlet: \(error)")
            }
            return try print(events)
        }

        /// Prints events, no more than are asked for; says whether that is all.
        @discardableResult
        private func print(_ events: [CaptureEvent]) throws -> Bool {
            guard let count = wish.count else {
                try writer.write(events)
                return false
            }
            try writer.write(Array(events.prefix(max(0, count - writer.count))))
            return writer.count >= count
        }
    }
}
