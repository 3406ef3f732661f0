import Foundation

extension NamespacedLAN {
    /// What can go wrong with the cables of hosts. The switch does it to frames of every kind, so
    /// that no host's link goes down: it is not told.
    enum Fault: String {
        /// The hosts hear and are heard by each other only.
        case apart
        /// The hosts hear nothing.
        case deaf
        /// The hosts are not heard.
        case mute
        /// Three frames in ten of those that the hosts send are lost.
        case lossy
    }

    /// Prepares the switch: each fault is a set of ports, empty at first.
    func prepareFaults() throws {
        let rules = """
            table bridge faults {
                set apart { type ifname; }
                set deaf { type ifname; }
                set mute { type ifname; }
                set lossy { type ifname; }
                chain prerouting {
                    type filter hook prerouting priority 0;
                    iifname @mute drop
                    iifname @lossy numgen random mod 100 < 30 drop
                }
                chain forward {
                    type filter hook forward priority 0;
                    oifname @deaf drop
                    iifname @apart oifname != @apart drop
                    iifname != @apart oifname @apart drop
                }
            }
            """
        try run("switch", "nft -f - <<'RULES'\n\(rules)\nRULES")
    }

    func inflict(_ fault: Fault, on hosts: String...) throws {
        let ports = hosts.map { "\"to-\($0)\"" }.joined(separator: ", ")
        try run("switch", "nft 'add element bridge faults \(fault.rawValue) { \(ports) }'")
    }

    func heal() throws {
        try run(
            "switch",
            "for kind in apart deaf mute lossy; do nft flush set bridge faults $kind; done")
    }

    /// A firewall on each node drops the gossip, and nothing else.
    func blockGossip(port: Int = 7481) throws {
        for node in nodes {
            try run(
                node,
                """
                nft 'table inet firewall { chain in { type filter hook input priority 0; \
                udp dport \(port) drop; }; }'
                """)
        }
    }

    func unblockGossip() throws {
        for node in nodes { try run(node, "nft delete table inet firewall") }
    }
}
