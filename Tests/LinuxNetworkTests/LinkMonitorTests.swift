import NetworkTypes
import Synchronization
import TestNetwork
import Testing

@testable import LinuxNetwork

@Suite(.enabled(if: Namespace.isAvailable, "needs root to make network namespaces"))
struct LinkMonitorTests {
    /// Runs `body` with a monitor in a namespace and the last table it delivered.
    private func withMonitor(
        _ body: @escaping @Sendable (_ table: @Sendable () -> LinkTable) throws -> Void
    ) async throws {
        try await Namespace.run {
            let latest = LatestTable()
            let monitor = try LinkMonitor()
            try monitor.start(failed: { Issue.record($0) }, deliver: { latest.set($0) })
            defer { monitor.stop() }
            #expect(Namespace.eventually { latest.get().link(named: "lo") != nil })
            try body { latest.get() }
        }
    }

    @Test("links that come, flap, change their address, become ports and go are told at once")
    func follows() async throws {
        try await withMonitor { table in
            try Namespace.shell("ip link add eth0 type veth peer name far0")
            #expect(Namespace.eventually { table().link(named: "eth0")?.kind == "veth" })
            try Namespace.shell("ip link set eth0 up; ip link set far0 up")
            #expect(Namespace.eventually { table().link(named: "eth0")?.isOperational == true })
            try Namespace.shell("ip link set far0 down")
            #expect(Namespace.eventually { table().link(named: "eth0")?.isOperational == false })
            try Namespace.shell("ip link set far0 up; ip link set eth0 address 52:54:00:aa:bb:cc")
            let mac = MACAddress("52:54:00:aa:bb:cc")
            #expect(
                Namespace.eventually {
                    let link = table().link(named: "eth0")
                    return link?.isOperational == true && link?.macAddress == mac
                })
            try Namespace.shell("ip link add br0 type bridge; ip link set eth0 master br0")
            #expect(
                Namespace.eventually {
                    let bridge = table().link(named: "br0")
                    return bridge != nil && table().link(named: "eth0")?.master == bridge?.index
                })
            try Namespace.shell("ip link set eth0 nomaster; ip link del br0")
            #expect(
                Namespace.eventually {
                    table().link(named: "br0") == nil && table().link(named: "eth0")?.master == nil
                })
            try Namespace.shell("ip link del eth0")
            #expect(Namespace.eventually { table().link(named: "eth0") == nil })
        }
    }

    @Test("addresses that come and go are told, with their subnets")
    func addresses() async throws {
        try await withMonitor { table in
            try Namespace.shell("ip link add eth0 type bridge; ip addr add 192.0.2.7/24 dev eth0")
            try Namespace.shell("ip addr add 2001:db8::7/64 dev eth0 nodad")
            #expect(Namespace.eventually { table().link(named: "eth0")?.addresses.count == 2 })
            let subnets = table().link(named: "eth0")?.addresses.map(\.subnet.description).sorted()
            #expect(subnets == ["192.0.2.0/24", "2001:db8::/64"])
            try Namespace.shell("ip addr del 192.0.2.7/24 dev eth0")
            #expect(Namespace.eventually { table().link(named: "eth0")?.addresses.count == 1 })
        }
    }

    @Test("a flood of changes ends with the kernel's truth")
    func flood() async throws {
        try await withMonitor { table in
            try Namespace.shell(
                """
                ip link add eth0 type bridge
                for i in $(seq 0 4095); do
                  echo "addr add 198.18.$((i / 256)).$((i % 256))/32 dev eth0"
                done | ip -batch -
                """)
            #expect(Namespace.eventually { table().link(named: "eth0")?.addresses.count == 4096 })
            try Namespace.shell("ip addr flush dev eth0")
            #expect(Namespace.eventually { table().link(named: "eth0")?.addresses.isEmpty == true })
        }
    }
}

/// The table delivered last, shared between the monitor's thread and the test's.
private final class LatestTable: Sendable {
    private let table = Mutex(LinkTable())

    func set(_ new: LinkTable) { table.withLock { $0 = new } }

    func get() -> LinkTable { table.withLock { $0 } }
}
