import NetworkTypes

/// What one node's speaker tells the others: where it can announce, and what it holds.
package struct SpeakerRecord: Hashable, Sendable {
    /// An interface that could answer for addresses.
    package struct Interface: Hashable, Sendable {
        /// Its name.
        package var name: String
        /// Its link-layer address.
        package var mac: MACAddress
        /// The subnets of its addresses.
        package var prefixes: [Prefix]
        /// Whether it is up, and one that Martlet announces on.
        package var isUsable: Bool

        /// Makes an interface.
        package init(name: String, mac: MACAddress, prefixes: [Prefix], isUsable: Bool) {
            self.name = name
            self.mac = mac
            self.prefixes = prefixes
            self.isUsable = isUsable
        }
    }

    /// The node; a DNS subdomain, as Node objects are named.
    package var node: String
    /// Its interfaces.
    package var interfaces: [Interface]
    /// Whether ``interfaces`` are all of them. Those who learn of a speaker in another way than by
    /// its record know only some.
    package var knowsAllInterfaces = true
    /// Where the speaker itself is reached: the addresses of its interfaces.
    package var addresses: [IPAddress]
    /// The addresses that it answers for, each with the epoch of its claim: the higher one is the
    /// younger. They outlive the process, so that a returning node takes nothing back.
    package var claims: [IPAddress: UInt64]
    /// False once the speaker has stopped on purpose: others take over at once.
    package var isServing: Bool
    /// Why the speaker hands over what it has, if it does.
    package var handOver: HandOver?

    /// Why a speaker hands over what it has.
    package enum HandOver: String, Hashable, Sendable, Codable {
        /// An operator drained the node; that outlives a restart.
        case drained
        /// The speaker is about to stop.
        case stopping
    }

    /// Makes a record.
    package init(
        node: String, interfaces: [Interface] = [], claims: [IPAddress: UInt64] = [:],
        isServing: Bool = true, handOver: HandOver? = nil, addresses: [IPAddress] = []
    ) {
        self.addresses = addresses
        self.handOver = handOver
        self.node = node
        self.isServing = isServing
        self.interfaces = interfaces
        self.claims = claims
    }

    /// Whether a name can be a Node's, and so a file's (a DNS subdomain, RFC 1123 §2.1).
    package static func isValid(node: String) -> Bool {
        let dash = UInt8(ascii: "-")
        let labels = node.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return (1...253).contains(node.utf8.count)
            && labels.allSatisfy { label in
                label.allSatisfy { isLetterOrDigit($0) || $0 == dash }
                    && label.first.map(isLetterOrDigit) == true
                    && label.last.map(isLetterOrDigit) == true
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
