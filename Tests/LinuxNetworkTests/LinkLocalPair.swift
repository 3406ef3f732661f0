import NetworkTypes
import TestNetwork
import Testing

/// Two interfaces joined by a cable, `eth0` and `far0`, with their link-local addresses and no
/// traffic of the kernel's own.
enum LinkLocalPair {
    static func make() throws {
        try Namespace.shell(
            """
            sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0
            ip link add eth0 address 52:54:00:00:00:01 type veth peer name far0
            ip link set eth0 up
            ip link set far0 up
            """)
        let isReady = try Namespace.eventually {
            try Namespace.shell("ip -6 -o addr show scope link")
                .split(separator: "\n").count { !$0.contains("tentative") } == 2
        }
        #expect(isReady)
    }

    static func address(of interface: String) throws -> IPAddress {
        let line = try Namespace.shell("ip -6 -o addr show dev \(interface) scope link")
        let word = try #require(line.split(separator: " ").first { $0.hasPrefix("fe80") })
        return try #require(IPAddress(word.prefix { $0 != "/" }))
    }
}
