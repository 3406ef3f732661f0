/// The labels of status objects, and texts that fit into them.
enum StatusLabel {
    static let node = "metallb.io/node"
    static let serviceName = "metallb.io/service-name"
    static let serviceNamespace = "metallb.io/service-namespace"
    static let component = "metallb.io/component-type"
    static let nodeName = "metallb.io/node-name"
    /// Bytes in a label's value.
    static let longest = 63

    /// A name as it is, or its beginning and a hash of all of it.
    static func shortened(_ name: String, to limit: Int) -> String {
        guard name.utf8.count > limit else { return name }
        let hash = hash(name)
        // Names are ASCII; anything else is cut where a character ends.
        var kept = name.prefix(limit - hash.utf8.count - 1)
        while kept.utf8.count > limit - hash.utf8.count - 1 { kept.removeLast() }
        return kept + "-" + hash
    }

    /// 16 hexadecimal digits that go with these texts on every node, in every version.
    static func hash(_ texts: String...) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for text in texts {
            // A byte that no UTF-8 text has keeps neighbours apart.
            for byte in Array(text.utf8) + [0xff] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
        }
        // The last bytes have not reached the high bits yet.
        hash = (hash ^ hash >> 32) &* 0xd6e8_feb8_6659_fd93
        hash ^= hash >> 32
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
