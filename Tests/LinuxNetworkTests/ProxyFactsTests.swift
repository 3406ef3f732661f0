import Glibc
import NetworkTypes
import Synchronization
import TestNetwork
import Testing

@testable import LinuxNetwork

/// Against the kernel; the `nft` tool plays the proxy.
@Suite(
    .enabled(
        if: Namespace.isAvailable && (access("/usr/sbin/nft", X_OK) == 0 || getenv("CI") != nil),
        "needs root, for network namespaces, and the nft tool"))
struct ProxyFactsTests {
    @Test("an empty network has no proxy, and its tables can be looked at")
    func nothing() async throws {
        try await Namespace.run {
            let facts = ProxyFacts(links: LinkTable())
            #expect(facts.seesTables)
            #expect(facts.nftablesTables.isEmpty && facts.iptablesChains.isEmpty)
            #expect(facts.dummy == nil && facts.statedMode == nil)
            #expect(facts.switches["all"]?.arpIgnore != nil)
            #expect(facts.forwarding[.ipv4] != nil)
        }
    }

    @Test("kube-proxy's tables and chains are seen, family by family")
    func tables() async throws {
        try await Namespace.run {
            try Namespace.shell("nft add table ip kube-proxy; nft add table ip6 nat")
            try Namespace.shell("nft add chain ip6 nat KUBE-SERVICES")
            let facts = ProxyFacts(links: LinkTable())
            #expect(facts.nftablesTables == [.ipv4])
            #expect(facts.iptablesChains == [.ipv6])
        }
    }

    @Test("switches are those of this network, and of the interfaces that are asked for")
    func switches() async throws {
        try await Namespace.run {
            try Namespace.shell(
                "ip link add eth0 type veth peer name far0; "
                    + "echo 1 > /proc/sys/net/ipv4/conf/eth0/arp_ignore; "
                    + "echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce")
            let facts = ProxyFacts(links: LinkTable(), interfaces: ["eth0"])
            #expect(facts.switches["eth0"]?.arpIgnore == 1)
            #expect(facts.switches["all"]?.arpAnnounce == 2)
            #expect(ProxyFacts(links: LinkTable()).switches["eth0"] == nil)
        }
    }

    @Test("addresses on the interface of an IPVS proxy are told, link-local ones left out")
    func dummy() throws {
        let address = try #require(IPAddress("192.0.2.10"))
        let local = try #require(IPAddress("fe80::1"))
        let link = Link(
            index: 7, name: "kube-ipvs0", macAddress: nil, hardwareType: 1, flags: [],
            kind: "dummy", master: nil,
            addresses: [
                InterfaceAddress(
                    address: address, subnet: try #require(Prefix("192.0.2.10/32"))),
                InterfaceAddress(
                    address: local, subnet: try #require(Prefix("fe80::/64"))),
            ])
        let facts = ProxyFacts(links: LinkTable([link]))
        #expect(facts.dummy == .init(name: "kube-ipvs0", addresses: [address]))
    }

    @Test("kube-proxy's own word is taken from a good answer only")
    func statedMode() {
        func mode(_ text: String) -> String? { ProxyModeQuestion.mode(Array(text.utf8)) }
        #expect(mode("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nipvs") == "ipvs")
        #expect(mode("HTTP/1.0 200 OK\r\n\r\nnftables\n") == "nftables")
        #expect(mode("HTTP/1.1 404 Not Found\r\n\r\nipvs") == nil)
        #expect(mode("HTTP/1.1 200 OK\r\n\r\n<html>") == nil)
        #expect(mode("ipvs") == nil && mode("") == nil)
    }

    @Test("a chain's name is found in a table's bytes, wherever it stands")
    func bytes() {
        let name = Array("KUBE".utf8)
        #expect(LegacyTables.contains(Array("xxKUKUBE".utf8), name))
        #expect(LegacyTables.contains(name, name))
        #expect(!LegacyTables.contains(Array("KUBKUB".utf8), name))
        #expect(!LegacyTables.contains([], name))
    }

    @Test("the kernel says which way an address is, and whether the next station was found")
    func ways() async throws {
        try await Namespace.run {
            try Namespace.shell(
                """
                ip link add eth0 type veth peer name eth1; ip link set eth0 up; ip link set eth1 up
                ip addr add 192.0.2.1/24 dev eth0; ip route add 198.51.100.0/24 via 192.0.2.9
                ip route add blackhole 203.0.113.0/24; ip link set lo up
                ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth0 nud permanent
                """)
            func way(_ text: String) throws -> RouteQuestion.Way {
                try RouteQuestion.way(to: try #require(IPAddress(text)))
            }
            let router = try #require(IPAddress("192.0.2.9"))
            #expect(try way("192.0.2.7") == .out(interface: "eth0", router: nil))
            #expect(try way("198.51.100.7") == .out(interface: "eth0", router: router))
            #expect(try way("192.0.2.1") == .local)
            for text in ["203.0.113.7", "198.18.0.1", "2001:db8::1"] {
                guard case .none(let reason) = try way(text) else {
                    Issue.record("\(text) has a way")
                    continue
                }
                #expect(!reason.isEmpty)
            }
            let known = try RouteQuestion.neighbor(router, on: "eth0")
            #expect(known == .known(MACAddress("02:00:00:00:00:09")))
            let unknown = try #require(IPAddress("192.0.2.8"))
            #expect(try RouteQuestion.neighbor(unknown, on: "eth0") == .unknown)
        }
    }

    @Test("a port that is open accepts, one that is closed refuses, in both families")
    func attempts() async throws {
        try await Namespace.run {
            try Namespace.shell("ip link set lo up")
            for text in ["127.0.0.1", "::1"] {
                let host = try #require(IPAddress(text))
                var closed = SocketAddress(host, port: 0)
                do {
                    let listener = try StreamListener(SocketAddress(host, port: 0))
                    #expect(ConnectionAttempt.tcp(to: listener.local) == .accepted)
                    closed = listener.local
                }
                #expect(ConnectionAttempt.tcp(to: closed) == .refused)
                let silent = try DatagramSocket(SocketAddress(host, port: 0))
                #expect(
                    ConnectionAttempt.udp(to: silent.local, patience: .milliseconds(50))
                        == .silence)
                #expect(ConnectionAttempt.udp(to: closed) == .refused)
            }
        }
    }
}
