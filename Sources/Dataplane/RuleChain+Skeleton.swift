import NetworkTypes

/// The chains that are there whatever the Services are: the way of every first packet.
///
/// ```
/// prerouting, output ──► services ──► address . protocol . port  ─► a chain of the Service
///                                └──► (own address) protocol . port ─► a chain of the Service
/// postrouting: marked, or a backend that was sent to itself ──► masquerade
/// ```
///
/// Only the first packet of a connection passes here (the kernel's connection tracking does the
/// rest), and each lookup is one hash lookup, so the cost does not grow with the Services.
extension RuleChain {
    /// The bit of the packet mark that says "masquerade when it leaves"; it never leaves the node.
    ///
    /// kube-proxy uses 0x4000 and 0x8000, and network plugins the upper half and the low byte.
    static let masqueradeMark: UInt32 = 0x2000

    /// Bit 5 of a connection's status: its destination was changed (`IPS_DST_NAT`).
    private static let destinationChanged: UInt32 = 1 << 5

    /// The base chains and the dispatcher, the chains that are led to first.
    static let skeleton: [RuleChain] = [
        RuleChain("services", rules: IPAddress.Family.allCases.flatMap(dispatchRules)),
        RuleChain("prerouting", hook: .prerouting, rules: [[.verdict(.jump("services"))]]),
        RuleChain("output", hook: .output, rules: [[.verdict(.jump("services"))]]),
        RuleChain(
            "postrouting", hook: .postrouting,
            rules: [markedRule] + IPAddress.Family.allCases.map(hairpinRule)),
    ]

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
                .compare(r0, isEqual: true, .word(2)),
                .load(.transportProtocol, r0),
                .load(.destinationPort, r0.after(bytes: 1)),
                .dispatch(r0, .nodePorts(family)),
            ]
        return [byAddress, byNodePort]
    }

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
