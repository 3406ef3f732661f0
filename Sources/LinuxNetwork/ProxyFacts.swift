import CLinux
import Glibc
import NetworkTypes

/// What this node's kernel shows of whoever takes traffic for Services on to endpoints: tables,
/// chains, interfaces and switches. Nothing is changed, and no other program is run.
///
/// Everything is of the network namespace of the calling thread. Looking at the packet filter takes
/// CAP_NET_ADMIN; without it the rest is there all the same.
package struct ProxyFacts: Equatable, Sendable {
    /// The switches of an interface.
    package struct Switches: Equatable, Sendable {
        package var arpIgnore: Int?
        package var arpAnnounce: Int?
        package var rpFilter: Int?
    }

    /// An interface that holds the addresses of Services.
    package struct Dummy: Equatable, Sendable {
        package var name: String
        package var addresses: Set<IPAddress>
    }

    /// Whether the tables of nf_tables could be asked for.
    package var seesTables = false
    /// What kube-proxy answers when asked for its mode; `nil` when it does not.
    package var statedMode: String?
    /// Families with a table `kube-proxy`.
    package var nftablesTables: Set<IPAddress.Family> = []
    /// Families with a chain `KUBE-SERVICES` in table `nat` of nf_tables.
    package var iptablesChains: Set<IPAddress.Family> = []
    /// The same in the older interface of iptables.
    package var legacyChains: Set<IPAddress.Family> = []
    /// How many virtual servers IPVS has; `nil` without IPVS.
    package var virtualServers: Int?
    /// The interface on which an IPVS proxy keeps addresses, and these; `nil` without one.
    package var dummy: Dummy?
    /// All interfaces by name.
    package var interfaces: Set<String> = []
    /// Whether there is a Linux bridge.
    package var hasBridge = false
    /// `arp_ignore` and its kin, of `all` and of every interface that was asked for.
    package var switches: [String: Switches] = [:]
    /// Whether families are forwarded.
    package var forwarding: [IPAddress.Family: Bool] = [:]
    /// Whether bridged packets pass the packet filter.
    package var bridgeCalls: [IPAddress.Family: Bool] = [:]

    /// Interfaces on which IPVS proxies keep the addresses of Services: kube-proxy's and
    /// kube-router's.
    package static let dummies = ["kube-ipvs0", "kube-dummy-if"]

    /// Looks.
    ///
    /// - Parameter interfaces: those whose switches are read, beside `all`.
    package init(links: LinkTable, interfaces wanted: Set<String> = []) {
        for link in links.links.values {
            interfaces.insert(link.name)
            if link.kind == "bridge" { hasBridge = true }
        }
        dummy = Self.dummies.lazy.compactMap { links.link(named: $0) }.first.map { link in
            Dummy(
                name: link.name,
                addresses: Set(link.addresses.map(\.address).filter { !$0.isLinkLocal }))
        }
        switches = Self.switches(of: wanted)
        for family in IPAddress.Family.allCases {
            forwarding[family] = NftablesForwarding.isOn(family)
            let word = family == .ipv4 ? "iptables" : "ip6tables"
            bridgeCalls[family] =
                Self.number("/proc/sys/net/bridge/bridge-nf-call-\(word)").map { $0 != 0 }
            if LegacyTables.hasChain("KUBE-SERVICES", inTable: "nat", of: family) {
                legacyChains.insert(family)
            }
        }
        virtualServers = Self.text("/proc/thread-self/net/ip_vs").map { text in
            text.split(separator: "\n").count { line in
                ["TCP", "UDP", "SCTP"].contains { line.hasPrefix($0 + " ") }
            }
        }
        lookAtTables()
        statedMode = ProxyModeQuestion.ask()
    }

    /// The switches of these interfaces and of `all`.
    package static func switches(of interfaces: Set<String>) -> [String: Switches] {
        var switches: [String: Switches] = [:]
        for name in interfaces.union(["all"]) {
            let folder = "/proc/sys/net/ipv4/conf/\(name)/"
            switches[name] = Switches(
                arpIgnore: number(folder + "arp_ignore"),
                arpAnnounce: number(folder + "arp_announce"),
                rpFilter: number(folder + "rp_filter"))
        }
        return switches
    }

    private mutating func lookAtTables() {
        do throws(SystemError) {
            let socket = try NftablesSocket()
            for family in IPAddress.Family.allCases {
                if try socket.has(.table("kube-proxy", family)) { nftablesTables.insert(family) }
                if try socket.has(.chain("KUBE-SERVICES", table: "nat", family)) {
                    iptablesChains.insert(family)
                }
            }
            seesTables = true
        } catch {
            // Without the privilege, or without nf_tables, what was found so far has to do.
            nftablesTables = []
            iptablesChains = []
        }
    }

    // MARK: Files of the kernel

    /// The number that a file begins with.
    static func number(_ path: String) -> Int? {
        text(path, limit: 32).flatMap { Int($0.prefix { $0.isNumber || $0 == "-" }) }
    }

    /// What a file holds; `nil` when it cannot be read. The kernel's files have no size to ask for.
    static func text(_ path: String, limit: Int = 1 << 22) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(limit, 65_536))
        while bytes.count < limit {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
