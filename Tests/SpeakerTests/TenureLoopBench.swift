import Layer2
import LinuxNetwork
import LoadBalancing
import NetworkTypes
import Synchronization
import Testing

@testable import Speaker

/// The tenure's thread of node n1, with its mail in the hands of the test and its outlets recorded.
final class TenureLoopBench: Sendable {
    /// What came out of it.
    struct Outcome: Sendable {
        var wishes: Layer2Plan = [:]
        var reannounced: [IPAddress] = []
        var watches: [IPAddress: Layer2Watch] = [:]
        var claims: [IPAddress: UInt64] = [:]
        var report = TenureReport(node: "n1")
        var events: [TenureEvent] = []
        /// What was wished for when a suspension ended, by its number.
        var cleared: [UInt64: Layer2Plan] = [:]
    }

    static let address = IPAddress(family: .ipv4, bits: 0xc000_020a)
    static let other = IPAddress(family: .ipv4, bits: 0xc000_020b)

    private let mailbox: Mailbox<TenureMail>
    private let recorded = Record()
    private let thread = Mutex<NetworkThread?>(nil)
    private let barriers = Atomic<UInt64>(1_000)

    private final class Record: Sendable {
        let outcome = Mutex(Outcome())
    }

    init(gossips: Bool = true) throws {
        mailbox = try Mailbox(empty: TenureMail())
        let (mailbox, recorded) = (mailbox, recorded)
        let outlets = TenureLoop.Outlets(
            apply: { wishes in recorded.outcome.withLock { $0.wishes = wishes } },
            reannounce: { address in
                recorded.outcome.withLock { $0.reannounced.append(address) }
            },
            watch: { watches in recorded.outcome.withLock { $0.watches = watches } },
            claim: { changes in
                recorded.outcome.withLock { outcome in
                    for (address, epoch) in changes { outcome.claims[address] = epoch }
                }
            },
            show: { report in recorded.outcome.withLock { $0.report = report } },
            tell: { event in recorded.outcome.withLock { $0.events.append(event) } },
            clear: { number in recorded.outcome.withLock { $0.cleared[number] = $0.wishes } })
        let started = try NetworkThread(name: "test-tenure") {
            var loop = TenureLoop(
                node: "n1", gossips: gossips, mailbox: mailbox, outlets: outlets)
            loop.run()
        }
        thread.withLock { $0 = started }
    }

    deinit { end() }

    /// Ends the thread and waits for it.
    func end() {
        mailbox.post { $0.isEnding = true }
        thread.withLock { $0.take() }?.join()
    }

    var outcome: Outcome { recorded.outcome.withLock { $0 } }

    func post(_ edit: (inout TenureMail) -> Void) { mailbox.post(edit) }

    /// Posts, and waits until that has been worked off.
    func settle(_ edit: (inout TenureMail) -> Void = { _ in }) async throws {
        let barrier = barriers.add(1, ordering: .relaxed).newValue
        mailbox.post { mail in
            edit(&mail)
            mail.suspension = barrier
        }
        #expect(try await comesTrue { self.outcome.cleared[barrier] != nil })
    }

    /// Waits for a report that is as wanted.
    func shows(_ isWanted: (TenureReport) -> Bool) async throws -> Bool {
        try await comesTrue { isWanted(self.outcome.report) }
    }

    /// Nodes n1 to n3, one advertisement of everything, and one address.
    static func facts(
        claims: [IPAddress: [Claim]] = [:], addresses: [IPAddress] = [address],
        interfaces: Selection = .all, change: (inout Tenure.Facts) -> Void = { _ in }
    ) -> Tenure.Facts {
        var facts = Tenure.Facts(
            nodes: ["n1": NodeFacts(), "n2": NodeFacts(), "n3": NodeFacts()],
            offers: ["lan": Layer2Offer(interfaces: interfaces)],
            demands: Dictionary(
                addresses.map { address in
                    (
                        address,
                        AddressDemand(
                            services: [ServiceName(namespace: "shop", name: "web")], pool: "main",
                            advertisements: ["lan"], backing: .cluster(hasUsableEndpoint: true),
                            detectsConflicts: false)
                    )
                }, uniquingKeysWith: { $1 }),
            claims: claims)
        change(&facts)
        return facts
    }
}
