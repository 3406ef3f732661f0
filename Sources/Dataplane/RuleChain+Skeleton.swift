import NetworkTypes

/// The chains that are there whatever the Services are: the way of every first packet.
///
/// ```
/// prerouting, output ──► services ──► address . protocol . port  ─► a chain of the Service
///                                ├──► (own address) protocol . port ─► a chain of the Service
///                                └──► address ─► echo answered, other ports refused
/// postrouting: marked, or a backend that was sent to itself ──► masquerade
/// traffic-in, traffic-out ──► count ──► address . protocol . port, or protocol . port
/// ```
///
/// Only the first packet of a connection passes the first two lines (the kernel's connection
/// tracking does the rest), and each lookup is one hash lookup, so the cost does not grow with the
/// Services. The last line is there only when traffic is to be counted: every packet passes it.
extension RuleChain {
    /// The bit of the packet mark that says "masquerade when it leaves"; it never leaves the node.
    ///
    /// kube-proxy uses 0x4000 and 0x8000, and network plugins the upper half and the low byte. The
    /// CNI plugin portmap has this bit too and means the same by it, so that neither harms the
    /// other.
    static let masqueradeMark: UInt32 = 0x2000

    /// Bit 5 of a connection's status: its destination was changed (`IPS_DST_NAT`).
    private static let destinationChanged: UInt32 = 1 << 5

    /// The chain that traffic to a load balancer address enters when no Service port wants it.
    static let loadBalancerAddress = "load-balancer-address"

    /// The chain that traffic to a cluster address enters when no Service port wants it.
    static let clusterAddress = "cluster-address"

    /// The base chains and what they lead to; each after the chains that it names.
    static func skeleton(_ options: Ruleset.Options) -> [RuleChain] {
        let echoes = options.answersPing ? IPAddress.Family.allCases.map(echoRule) : []
        let ways = [
            RuleChain(clusterAddress, rules: refusalRules),
            RuleChain(
                loadBalancerAddress, rules: echoes + [[.verdict(.goto(clusterAddress))]]),
            RuleChain("services", rules: IPAddress.Family.allCases.flatMap(dispatchRules)),
            RuleChain("prerouting", hook: .prerouting, rules: [[.verdict(.jump("services"))]]),
            RuleChain("output", hook: .output, rules: [[.verdict(.jump("services"))]]),
            RuleChain(
                "postrouting", hook: .postrouting,
                rules: [markedRule] + IPAddress.Family.allCases.map(hairpinRule)),
        ]
        guard options.counters == .traffic else { return ways }
        // A packet of the node to itself leaves and comes in: it is counted as it leaves.
        let isLoopback: Rule = [
            .load(.inputInterface, r0), .compare(r0, isEqual: true, .word(loopbackInterface)),
        ]
        return ways + [
            RuleChain("count", rules: countRules),
            RuleChain(
                "traffic-in", hook: .trafficIn,
                rules: [isLoopback + [.verdict(.leave)], [.verdict(.goto("count"))]]),
            RuleChain("traffic-out", hook: .trafficOut, rules: [[.verdict(.goto("count"))]]),
        ]
    }

    /// The kernel gives the loopback interface this number in every network namespace.
    private static let loopbackInterface: UInt32 = 1

    /// The routing type of an address of this host (`RTN_LOCAL`).
    static let localType: UInt32 = 2

    private static let r0 = RuleExpression.Register(0)

    private static func dispatchRules(_ family: IPAddress.Family) -> [Rule] {
        let transport = r0.after(bytes: family.byteWidth)
        let byAddress: Rule =
            Rule.isFamily(family) + [
                .load(.destinationAddress(family), r0),
                .load(.transportProtocol, transport),
                .load(.destinationPort, transport.after(bytes: 1)),
                .dispatch(r0, .frontends(family)),
            ]
        // Not on loopback: such packets cannot be routed to another host, and a process that
        // listens on loopback alone is to keep its port.
        let isLoopback: Rule
        switch family {
        case .ipv4:
            isLoopback = [
                .bitwise(
                    r0, mask: .netmask(family, length: 8), flip: .netmask(family, length: 0)),
                .compare(
                    r0, isEqual: false, .address(IPAddress(family: family, bits: 127 << 24))),
            ]
        case .ipv6:
            isLoopback = [
                .compare(r0, isEqual: false, .address(IPAddress(family: family, bits: 1)))
            ]
        }
        let byNodePort: Rule =
            Rule.isFamily(family) + [.load(.destinationAddress(family), r0)] + isLoopback + [
                .load(.destinationType, r0),
                .compare(r0, isEqual: true, .word(localType)),
                .load(.transportProtocol, r0),
                .load(.destinationPort, r0.after(bytes: 1)),
                .dispatch(r0, .nodePorts(family)),
            ]
        let byAddressAlone: Rule =
            Rule.isFamily(family) + [
                .load(.destinationAddress(family), r0), .dispatch(r0, .addresses(family)),
            ]
        return [byAddress, byNodePort, byAddressAlone]
    }

    /// Traffic to an address of ours that no Service port wants is refused at once. Let through, it
    /// would leave by the default route and come back, if that leads to who sent it here.
    ///
    /// An address that the node has itself, on whatever interface, is none of ours alone: what is
    /// not for a Service goes on to the node.
    private static let refusalRules: [Rule] = {
        let isOwn: Rule = [
            .load(.destinationType, r0), .compare(r0, isEqual: true, .word(localType)),
            .verdict(.leave),
        ]
        return [isOwn]
            + ServiceChain.Transport.allCases.map { transport in
                [
                    .load(.transportProtocol, r0),
                    .compare(r0, isEqual: true, .byte(transport.rawValue)),
                ] + Rule.refusal(transport)
            }
    }()

    /// Echo requests (RFC 792, RFC 4443 §4.1) are sent to the node itself, which answers them; the
    /// answer leaves under the address that was asked.
    private static func echoRule(_ family: IPAddress.Family) -> Rule {
        let (transport, type): (UInt8, UInt8) = family == .ipv4 ? (1, 8) : (58, 128)
        return Rule.isFamily(family) + [
            .load(.transportProtocol, r0), .compare(r0, isEqual: true, .byte(transport)),
            .load(.icmpType, r0), .compare(r0, isEqual: true, .byte(type)), .redirect,
        ]
    }

    /// Both directions of a connection are counted where its first packet was sent to. Connections
    /// whose destination was not changed are none of a Service's, and cost one comparison.
    private static let countRules: [Rule] = {
        let isNone: Rule = [
            .load(.connectionStatus, r0),
            .bitwise(r0, mask: .word(destinationChanged), flip: .word(0)),
            .compare(r0, isEqual: true, .word(0)),
            .verdict(.leave),
        ]
        let byAddress = IPAddress.Family.allCases.map { family -> Rule in
            let transport = r0.after(bytes: family.byteWidth)
            return [
                .load(.originalDestination(family), r0), .load(.transportProtocol, transport),
                .load(.originalDestinationPort, transport.after(bytes: 1)),
                .isMember(r0, .traffic(family)), .verdict(.leave),
            ]
        }
        let byNodePort = IPAddress.Family.allCases.map { family -> Rule in
            Rule.isFamily(family) + [
                .load(.transportProtocol, r0),
                .load(.originalDestinationPort, r0.after(bytes: 1)),
                .isMember(r0, .nodePortTraffic(family)),
            ]
        }
        return [isNone] + byAddress + byNodePort
    }()

    /// The mark is cleared, so that an outer packet (VXLAN) of the same buffer is left alone.
    private static let markedRule: Rule = [
        .load(.mark, r0),
        .bitwise(r0, mask: .word(masqueradeMark), flip: .word(0)),
        .compare(r0, isEqual: false, .word(0)),
        .load(.mark, r0),
        .bitwise(r0, mask: .word(~masqueradeMark), flip: .word(0)),
        .setMark(r0),
        .masquerade,
    ]

    /// A backend that reached itself through the Service must see another source, or it would
    /// answer itself directly.
    private static func hairpinRule(_ family: IPAddress.Family) -> Rule {
        Rule.isFamily(family) + [
            .load(.connectionStatus, r0),
            .bitwise(r0, mask: .word(destinationChanged), flip: .word(0)),
            .compare(r0, isEqual: false, .word(0)),
            .load(.sourceAddress(family), r0),
            .load(.destinationAddress(family), r0.after(bytes: family.byteWidth)),
            .isMember(r0, .hairpins(family)),
            .masquerade,
        ]
    }
}
