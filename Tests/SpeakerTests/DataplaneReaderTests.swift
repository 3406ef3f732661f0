import Dataplane
import LinuxNetwork
import NetworkTypes
import Testing

@testable import Speaker

/// The table is compared beside the actor that changes it: against the kernel, in a namespace, with
/// the `nft` tool as the one who meddles.
@Suite(
    .serialized,
    .enabled(if: DataplaneLab.isPossible, "needs root, for network namespaces, and the nft tool"))
struct DataplaneReaderTests {
    /// So many Services that a comparison takes longer than a change.
    private static let count = 300

    private func services(turn: Int = 0) -> [ServiceChain] {
        (0..<Self.count).map { number in
            let address = { (base: UInt32) in IPAddress(ipv4: base + UInt32(number)) }
            let other = IPAddress(ipv4: 0xc613_4000 + UInt32(number * 100 + turn))
            return ServiceChain(
                identity: .init(
                    namespace: "default", service: "s\(number)", port: "http", transport: .tcp),
                frontends: [.loadBalancer(address(0xc612_0000), port: 80)],
                endpoints: [
                    .init(address(0xc613_0000), port: 8080, isLocal: true),
                    .init(
                        number == turn % Self.count ? other : address(0xc613_2000),
                        port: 8080, isLocal: true),
                ])
        }
    }

    private func reconciler(_ lab: DataplaneLab) throws -> DataplaneReconciler {
        try lab.inside(lab.node) { () throws(SystemError) -> DataplaneReconciler in
            DataplaneReconciler(
                socket: try NftablesSocket(),
                reader: DataplaneReader(socket: try NftablesSocket()), isForwarding: { _ in true })
        }
    }

    @Test("a table that Martlet changes while it is compared is not taken for a wrong one")
    func changesMeanwhile() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        try await reconciler.reconcile(services())
        async let looks: Int = {
            var wrong = 0
            for _ in 0..<30 where try await reconciler.verify() != nil { wrong += 1 }
            return wrong
        }()
        for turn in 1...60 {
            #expect(try await reconciler.reconcile(services(turn: turn)).isChanged)
            try await Task.sleep(for: .milliseconds(turn % 3))
        }
        #expect(try await looks == 0)
        #expect(await reconciler.comparisons == 30)
        let outcome = try await reconciler.verify()
        #expect(outcome?.repair == nil)
    }

    @Test("what somebody removed is put back though Martlet goes on with changes of its own")
    func repairMeanwhile() async throws {
        let lab = try DataplaneLab()
        defer { lab.remove() }
        let reconciler = try reconciler(lab)
        try await reconciler.reconcile(services())
        let element = "198.18.0.7 . tcp . 80"
        try lab.run(
            "ip netns exec \(lab.node) nft delete element inet martlet frontends4 { \(element) }")
        async let look = reconciler.verify()
        for turn in 1...10 { try await reconciler.reconcile(services(turn: turn)) }
        let findings = try await look?.findings
        #expect(findings?.missingElements == 1)
        #expect(findings.map { "\($0)" } == "1 element missing")
        #expect(try await reconciler.verify()?.repair == nil)
    }
}
