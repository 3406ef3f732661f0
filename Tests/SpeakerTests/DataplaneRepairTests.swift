import Dataplane
import Foundation
import Glibc
import LinuxNetwork
import NetworkTypes
import Testing

@testable import Speaker

/// What others do to the table, and what is left of it when Martlet starts again: against the
/// kernel, in namespaces, with the `nft` tool as the one who meddles and as the judge.
@Suite(
    .serialized,
    .enabled(if: DataplaneLab.isPossible, "needs root, for network namespaces, and the nft tool"))
struct DataplaneRepairTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    /// A data plane without the lock, so that several can follow each other.
    private func reconciler(
        _ lab: DataplaneLab, watches: Bool = true
    ) throws -> DataplaneReconciler {
        try lab.inside(lab.node) { () throws(SystemError) -> DataplaneReconciler in
            DataplaneReconciler(
                socket: try NftablesSocket(),
                reader: DataplaneReader(socket: try NftablesSocket()),
                monitor: watches ? try NftablesMonitor() : nil,
                isForwarding: { _ in true })
        }
    }

    private func service(
        _ name: String = "web", _ transport: ServiceChain.Transport = .tcp, host: Int = 10
    ) throws -> ServiceChain {
        ServiceChain(
            identity: .init(
                namespace: "default", service: name, port: "http", transport: transport),
            frontends: [
                .loadBalancer(try address("203.0.113.\(host)"), port: 80),
                .loadBalancer(try address("2001:db8:ff::\(host)"), port: 80),
                .nodePort(.ipv4, port: UInt16(32_000 + host)),
            ],
            endpoints: [
                .init(try address("198.51.100.2"), port: 8080, isLocal: true),
                .init(try address("198.51.100.66"), port: 8080, isLocal: false),
                .init(try address("2001:db8:2::2"), port: 8080, isLocal: true),
                .init(try address("2001:db8:3::2"), port: 8080, isLocal: false),
            ])
    }

    /// What the tool says is in the table, in no order and without counts.
    private func contents(_ lab: DataplaneLab) throws -> [String] {
        try lab.run("ip netns exec \(lab.node) nft -s list table inet martlet")
            .split { "\n\t{},".contains($0) }
            .map { $0.split(separator: " ").joined(separator: " ") }.sorted()
    }

    private func isServed(_ lab: DataplaneLab) throws -> Bool {
        guard case .served = try lab.ask(try address("203.0.113.10"), port: 80) else {
            return false
        }
        return true
    }

    /// Runs `body` while the table is looked after; what was told is in its argument.
    private func lookedAfter(
        _ reconciler: DataplaneReconciler,
        _ body: (Told<DataplaneReconciler.Outcome>) async throws -> Void
    ) async throws {
        let told = Told<DataplaneReconciler.Outcome>()
        let failures = Told<SystemError>()
        let running = Task {
            await reconciler.run { result in
                switch result {
                case .success(let outcome): told.note(outcome)
                case .failure(let error): failures.note(error)
                }
            }
        }
        do {
            try await body(told)
        } catch {
            Issue.record(error)
        }
        running.cancel()
        await running.value
        #expect(failures.all.isEmpty)
    }

    @Test("flush ruleset: whole again within half a second, and it is said who did it")
    func flushed() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        _ = try await reconciler.reconcile([try service()])
        try await lookedAfter(reconciler) { told in
            let before = try contents(lab)
            var fastest = Duration.seconds(60)
            for round in 1...3 {
                try lab.run("ip netns exec \(lab.node) nft flush ruleset")
                let torn = MonotonicClock.now()
                #expect(try await comesTrue { told.all.count == round })
                fastest = min(fastest, MonotonicClock.now() - torn)
            }
            // The fastest of three, because this machine may be busy with something else.
            #expect(fastest < .milliseconds(500), "\(fastest)")
            #expect(try contents(lab) == before)
            #expect(try isServed(lab))
            let outcome = try #require(told.all.first)
            #expect(outcome.isReplaced)
            #expect(outcome.author?.description.hasPrefix("nft (process") == true)
        }
    }

    private struct Prank: Sendable, CustomTestStringConvertible {
        let commands: [String]
        let finding: String
        var testDescription: String { commands.joined(separator: "; ") }

        static let all: [Prank] = [
            Prank(
                commands: ["delete element inet martlet frontends4 { 203.0.113.10 . tcp . 80 }"],
                finding: "1 element missing"),
            Prank(
                commands: ["delete element inet martlet endpoints4-0 { 0x00000001 }"],
                finding: "1 element missing"),
            Prank(
                commands: ["flush chain inet martlet cluster4/default/web/http/tcp"],
                finding: "1 chain changed"),
            Prank(
                commands: ["insert rule inet martlet services drop"], finding: "1 chain changed"),
            Prank(
                commands: [
                    "add chain inet martlet mine", "add rule inet martlet mine drop",
                    "add element inet martlet frontends4 { 203.0.113.77 . tcp . 80 : goto mine }",
                ], finding: "1 chain or set foreign, 1 element foreign"),
            Prank(
                commands: [
                    "add set inet martlet mine { type ipv4_addr; }",
                    "add rule inet martlet services ip saddr @mine drop",
                ], finding: "1 chain changed, 1 chain or set foreign"),
            Prank(
                commands: ["flush map inet martlet endpoints4-0"], finding: "2 elements missing"),
        ]
    }

    @Test("what somebody changes by hand is undone by itself, and no more", arguments: Prank.all)
    private func meddled(_ prank: Prank) async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        _ = try await reconciler.reconcile([try service()])
        #expect(try isServed(lab))
        try await lookedAfter(reconciler) { told in
            let before = try contents(lab)
            let script = prank.commands.joined(separator: "\n")
            try lab.run("ip netns exec \(lab.node) nft -f - <<'END'\n\(script)\nEND")
            #expect(try await comesTrue { !told.all.isEmpty })
            let outcome = try #require(told.all.first)
            #expect(!outcome.isReplaced)
            #expect(outcome.findings?.description == prank.finding)
            #expect(try contents(lab) == before)
            #expect(try isServed(lab))
        }
    }

    @Test("own changes and those of other tables cause no comparison; counters outlive a repair")
    func quiet() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let nft = "ip netns exec \(lab.node) nft"
        let reconciler = try reconciler(lab)
        let web = try service()
        _ = try await reconciler.reconcile([web])
        for _ in 0..<5 { #expect(try isServed(lab)) }
        try await lookedAfter(reconciler) { told in
            for host in 11..<30 {
                _ = try await reconciler.reconcile([web, try service("more", host: host)])
                try lab.run("\(nft) add table inet neighbour\(host)")
            }
            try lab.run(
                "\(nft) delete element inet martlet frontends4 '{ 203.0.113.29 . tcp . 80 }'")
            #expect(try await comesTrue { !told.all.isEmpty })
            #expect(await reconciler.comparisons == 1)
            let usage = try await reconciler.usage()
            #expect(usage[web.identity]?.connections == 5)
            #expect(usage[web.identity]?.endpoints.values.reduce(0, +) == 5)
        }
    }

    @Test("a restart takes the table over: nothing is sent, counters and slots live on")
    func restarted() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let first = try reconciler(lab, watches: false)
        let services = try (20..<40).map { try service("s\($0)", host: $0) }
        // In an order that a table made at once would not have.
        _ = try await first.reconcile(Array(services[10...]))
        _ = try await first.reconcile(services + [try service()])
        _ = try await first.reconcile(Array(services[5...]) + [try service()])
        for _ in 0..<3 { #expect(try isServed(lab)) }
        let before = try contents(lab)

        let second = try reconciler(lab, watches: false)
        let outcome = try await second.reconcile(Array(services[5...]) + [try service()])
        #expect(outcome.isTakeover && !outcome.isChanged, "\(outcome.repair ?? "")")
        #expect(try contents(lab) == before)
        #expect(try await second.usage()[try service().identity]?.connections == 3)

        // A Service that changed meanwhile, one that went and one that came.
        let third = try reconciler(lab, watches: false)
        var changed = try service()
        changed.endpoints.removeFirst()
        let next = try await third.reconcile(
            Array(services[6...]) + [changed, try service("new", host: 50)])
        #expect(next.isTakeover && !next.isReplaced && next.findings != nil)
        #expect(try await third.usage()[changed.identity]?.connections == 3)
        #expect(try isServed(lab))
        #expect(try await third.verify() == nil)
    }

    @Test("who goes on changing other tables does not make ours be replaced")
    func busyNeighbour() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        // So many that a reading takes longer than the neighbour leaves it.
        let services = try (0..<200).map { try service("s\($0)", host: $0) }
        let first = try reconciler(lab, watches: false)
        _ = try await first.reconcile(services)
        let neighbour = Process()
        neighbour.executableURL = URL(fileURLWithPath: "/bin/sh")
        neighbour.arguments = [
            "-c",
            """
            while :; do ip netns exec \(lab.node) nft 'add table inet other'; \
            ip netns exec \(lab.node) nft 'delete table inet other'; done
            """,
        ]
        try neighbour.run()
        let second = try reconciler(lab, watches: false)
        for _ in 0..<5 {
            for outcome in [await looked(first), await taken(second, services)] {
                #expect(outcome?.isReplaced != true, "\(outcome?.repair ?? "")")
            }
        }
        neighbour.terminate()
        neighbour.waitUntilExit()
        let outcome = try await second.reconcile(services)
        #expect(!outcome.isReplaced && outcome.findings == nil)
        #expect(try await second.verify() == nil)
    }

    /// What came of a look; `nil` also when others left no moment for one.
    private func looked(_ reconciler: DataplaneReconciler) async -> DataplaneReconciler.Outcome? {
        do throws(SystemError) { return try await reconciler.verify() } catch {
            #expect(error.code == ESTALE, "\(error)")
            return nil
        }
    }

    private func taken(
        _ reconciler: DataplaneReconciler, _ services: [ServiceChain]
    ) async -> DataplaneReconciler.Outcome? {
        do throws(SystemError) { return try await reconciler.reconcile(services) } catch {
            #expect(error.code == ESTALE, "\(error)")
            return nil
        }
    }

    @Test("UDP clients of an endpoint that went while Martlet was down reach a living one")
    func udpAtStart() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        var dns = try service("dns", .udp)
        _ = try await reconciler(lab, watches: false).reconcile([dns])
        for target in ["203.0.113.10", "2001:db8:ff::10"] {
            let conversation = try lab.converse(try address(target), port: 80)
            defer { conversation.end() }
            guard case .served(let backend, _) = try conversation.ask() else {
                Issue.record("\(target): not served")
                continue
            }
            let gone = backend == "one" ? 0 : 1
            dns.endpoints = try service("dns", .udp).endpoints.enumerated().filter {
                $0.offset % 2 != gone
            }.map(\.element)
            let next = try reconciler(lab, watches: false)
            let outcome = try await next.reconcile([dns])
            #expect(outcome.flushFailure == nil)
            #expect(outcome.forgottenFlows > 0)
            guard case .served(let other, _) = try conversation.ask() else {
                Issue.record("\(target): not served after the start")
                continue
            }
            #expect(other != backend)
        }
    }

    @Test("an address that goes: connections to it are forgotten, those to others are not")
    func addressGone() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab, watches: false)
        let services = [try service(), try service("other", host: 11)]
        _ = try await reconciler.reconcile(services)
        for target in ["203.0.113.10", "2001:db8:ff::10", "203.0.113.11"] {
            guard case .served = try lab.ask(try address(target), port: 80) else {
                Issue.record("\(target): not served")
                continue
            }
        }
        let outcome = try await reconciler.reconcile([services[1]])
        #expect(outcome.flushFailure == nil)
        #expect(outcome.forgottenFlows == 2)
    }

    @Test("two on one node: the second is refused, with the process that has the data plane")
    func second() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let first = try lab.inside(lab.node) { try DataplaneReconciler.open() }
        _ = try await first.reconcile([try service()])
        let refusal = #expect(throws: DataplaneLock.Held.self) {
            try lab.inside(lab.node) { _ = try DataplaneReconciler.open() }
        }
        #expect(refusal?.process == getpid())
        #expect(try isServed(lab))
    }
}
