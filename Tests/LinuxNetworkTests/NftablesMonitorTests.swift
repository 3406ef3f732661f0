import Glibc
import Synchronization
import TestNetwork
import Testing

@testable import LinuxNetwork

/// Against the kernel; the `nft` tool is the somebody else.
@Suite(
    .enabled(
        if: Namespace.isAvailable && (access("/usr/sbin/nft", X_OK) == 0 || getenv("CI") != nil),
        "needs root, for network namespaces, and the nft tool"))
struct NftablesMonitorTests {
    private func withMonitor(
        own: UInt32 = 0,
        _ body: @escaping @Sendable (_ changes: @Sendable () -> [NftablesChange]) throws -> Void
    ) async throws {
        try await Namespace.run {
            let changes = Mutex<[NftablesChange]>([])
            let monitor = try NftablesMonitor()
            try monitor.start(
                table: "martlet", own: own, failed: { Issue.record($0) },
                deliver: { change in changes.withLock { $0.append(change) } })
            defer { monitor.stop() }
            try body { changes.withLock { $0 } }
        }
    }

    @Test("what the nft tool does to the table is told at once, what it does elsewhere is not")
    func foreign() async throws {
        try await withMonitor { changes in
            try Namespace.shell("nft add table inet other; nft add table ip martlet")
            try Namespace.shell("nft add table inet martlet")
            #expect(Namespace.eventually { changes().count == 1 })
            guard case .process(_, let name)? = changes().first?.author else {
                Issue.record("\(changes())")
                return
            }
            #expect(name == "nft")
            try Namespace.shell("nft flush ruleset")
            #expect(Namespace.eventually { changes().count == 2 })
        }
    }

    @Test("a change far larger than the socket takes is told, or that something was lost")
    func overrun() async throws {
        try await withMonitor { changes in

            try Namespace.shell(
                """
                ( echo 'add table inet martlet'; echo 'add set inet martlet many { type mark; }'
                  for i in $(seq 0 199); do
                    echo "add element inet martlet many { $(seq -s, $((i * 1000)) \
                $((i * 1000 + 999))) }"
                  done ) | nft -f -
                """)
            #expect(Namespace.eventually { !changes().isEmpty })
        }
    }

    @Test("a dump is told in parts, and one that is too long is given up without harm")
    func dump() async throws {
        try await Namespace.run {
            try Namespace.shell(
                """
                ( echo 'add table inet martlet'
                  for i in $(seq 2000); do echo "add chain inet martlet c$i"; done ) | nft -f -
                """)
            let socket = try NftablesSocket()
            #expect(socket.port != 0)
            var count = 0
            let end = try socket.dump(
                Self.chains(sequence: 3), sequence: 3, limit: 1 << 24, subject: "chains"
            ) { type, _ in count += type == 0x0a03 ? 1 : 0 }
            #expect(end == .complete)
            #expect(count == 2_000)
            #expect(
                try socket.dump(
                    Self.chains(sequence: 4), sequence: 4, limit: 40_000, subject: "chains"
                ) { _, _ in } == .tooLong)
            count = 0
            #expect(
                try socket.dump(
                    Self.chains(sequence: 5), sequence: 5, limit: 1 << 24, subject: "chains"
                ) { type, _ in count += type == 0x0a03 ? 1 : 0 } == .complete)
            #expect(count == 2_000)
        }
    }

    /// `NFT_MSG_GETCHAIN` with `NLM_F_REQUEST | NLM_F_DUMP`, for the family `inet`.
    private static func chains(sequence: UInt32) -> [UInt8] {
        func host<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
            let little = (0..<Value.bitWidth / 8).map {
                UInt8(truncatingIfNeeded: value >> Value($0 * 8))
            }
            return UInt16(1).littleEndian == 1 ? little : little.reversed()
        }
        return host(UInt32(20)) + host(UInt16(0x0a04)) + host(UInt16(0x301)) + host(sequence)
            + host(UInt32(0)) + [1, 0, 0, 0]
    }
}
