/// What a kernel does with ARP about addresses that it has on another interface than the one that
/// is asked (`arp_ignore` and `arp_announce` of the kernel's ip-sysctl).
public enum ARPConduct: Hashable, Sendable {
    /// It neither answers for them nor asks with them.
    case strict
    /// It does not answer for them, but may use one as the source when it asks for others.
    case asksWithThem
    /// It answers for them.
    case answersForThem

    /// What to set.
    public static let remedy =
        "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"

    /// The worst on any of these interfaces; `nil` when a switch cannot be read.
    ///
    /// - Parameters:
    ///   - switches: by interface, with those of `all`.
    ///   - interfaces: where it matters; empty for every one that has no switches of its own.
    public init?(
        _ switches: [String: ProxyReview.Facts.Switches], on interfaces: Set<String>
    ) {
        guard let all = switches["all"] else { return nil }
        var worst = ARPConduct.strict
        for name in interfaces.isEmpty ? ["all"] : interfaces {
            // What the kernel goes by is the greater of the interface's own and that of `all`.
            let own = switches[name]
            guard
                let ignore = [all.arpIgnore, own?.arpIgnore].compactMap(\.self).max(),
                let announce = [all.arpAnnounce, own?.arpAnnounce].compactMap(\.self).max()
            else { return nil }
            // 1 and 2 ask for the interface, 8 is no answer at all; the others let in addresses of
            // global scope, wherever they are.
            if ![1, 2, 8].contains(ignore) {
                worst = .answersForThem
            } else if announce < 2, worst == .strict {
                worst = .asksWithThem
            }
        }
        self = worst
    }
}
