public import NetworkTypes

/// One expression of a rule: what nf_tables evaluates, in its own vocabulary.
///
/// A rule is a run of expressions; a comparison or lookup that fails ends it. Only what Martlet
/// uses is here, which is also what has to be encoded and tested.
public enum RuleExpression: Hashable, Sendable {
    /// One of the sixteen 32-bit registers; wider values fill the following ones.
    public struct Register: Hashable, Sendable {
        /// 0–15.
        public let index: UInt8

        /// The register `index`, counted from 0.
        public init(_ index: UInt8) {
            precondition(index < 16, "nf_tables has sixteen registers")
            self.index = index
        }

        /// The register just behind a value of `bytes` bytes that starts here.
        public func after(bytes: Int) -> Register { Register(index + UInt8((bytes + 3) / 4)) }
    }

    /// Something about a packet that can be read into a register.
    public enum Field: Hashable, Sendable {
        /// The network protocol: 2 for IPv4, 10 for IPv6; one byte.
        case networkProtocol
        /// The transport protocol number; one byte.
        case transportProtocol
        /// The packet mark; four bytes, host order.
        case mark
        /// The status bits of the connection; four bytes, host order.
        case connectionStatus
        /// The routing type of the destination address (2: this host); four bytes, host order.
        case destinationType
        /// The routing type of the source address (2: this host); four bytes, host order.
        case sourceType
        /// The source address from the IP header; 4 or 16 bytes.
        case sourceAddress(IPAddress.Family)
        /// The destination address from the IP header; 4 or 16 bytes.
        case destinationAddress(IPAddress.Family)
        /// Bytes 2–3 of the transport header: the destination port of TCP, UDP and SCTP.
        case destinationPort
        /// The first byte of the transport header: the type of an ICMP or ICMPv6 message.
        case icmpType
        /// The number of the interface that the packet came in by; four bytes, host order.
        case inputInterface
        /// The address that the connection's first packet was sent to; 4 or 16 bytes. Ends the rule
        /// for connections of the other family.
        case originalDestination(IPAddress.Family)
        /// The port that the connection's first packet was sent to; 2 bytes.
        case originalDestinationPort
    }

    /// A constant: its width and byte order matter, so they are said.
    public enum Constant: Hashable, Sendable {
        /// One byte.
        case byte(UInt8)
        /// Four bytes in host order.
        case word(UInt32)
        /// 4 or 16 bytes in network order.
        case address(IPAddress)
        /// The netmask of a prefix length in a family; 4 or 16 bytes in network order.
        case netmask(IPAddress.Family, length: Int)
    }

    /// How a packet that is not wanted is told so.
    public enum Rejection: Hashable, Sendable {
        /// A TCP segment with RST.
        case tcpReset
        /// ICMP or ICMPv6 port unreachable, by family.
        case portUnreachable
    }

    /// Where a packet goes next.
    public enum Verdict: Hashable, Sendable {
        /// It is dropped.
        case drop
        /// It goes on in a chain, and comes back.
        case jump(String)
        /// It goes on in a chain, and does not come back.
        case goto(String)
        /// It goes back to the chain that led here, or on to what follows the table.
        case leave
    }

    /// Reads a field into a register.
    case load(Field, Register)
    /// Puts a constant into a register.
    case put(Constant, Register)
    /// Goes on when the register equals the constant, or when it does not.
    case compare(Register, isEqual: Bool, Constant)
    /// Keeps the bits in `mask`, then flips those in `flip`, of a register of the mask's width.
    case bitwise(Register, mask: Constant, flip: Constant)
    /// Sets the packet mark from a register.
    case setMark(Register)
    /// One of `count` numbers from `first` up, at random.
    case anyOf(first: UInt32, count: UInt32, Register)
    /// One of `count` numbers from `first` up, by a hash of `bytes` bytes from the register on,
    /// which it then replaces.
    case hash(Register, bytes: Int, seed: UInt32, first: UInt32, count: UInt32)
    /// Goes on when the registers from the given one hold an element of the set.
    case isMember(Register, NamedSet)
    /// Goes on when the address in the register is in none of the ranges, which are disjoint.
    case isOutside(Register, [AddressRange])
    /// Looks the registers up in a verdict map and does what it says; goes on when it says nothing.
    case dispatch(Register, NamedSet)
    /// Puts what the map says of the first register into the other; ends the rule when it says
    /// nothing.
    case find(Register, NamedSet, into: Register)
    /// Adds an element to a map for so many seconds, or makes the one that is there last so long
    /// from now; its data stay as they are. Ends the rule when the map is full.
    case remember(key: Register, data: Register, NamedSet, seconds: UInt32)
    /// Takes an element out of a map. The kernel wants to be shown data too, and looks at the key
    /// only.
    case forget(key: Register, data: Register, NamedSet)
    /// Changes the destination to an address and a port in two registers.
    case destinationNAT(IPAddress.Family, address: Register, port: Register)
    /// Changes the destination to an address of the interface that the packet came in by, or to the
    /// loopback address for the node's own packets.
    case redirect
    /// Changes the source to the address of the outgoing interface, with a random port.
    case masquerade
    /// Refuses the packet.
    case reject(Rejection)
    /// Decides.
    case verdict(Verdict)
}

/// A rule: expressions in order.
public typealias Rule = [RuleExpression]

extension [RuleExpression] {
    /// The slots of the families' endpoints that the rule draws from.
    public var slots: Range<UInt32>? {
        var drawn: Range<UInt32>?
        for expression in self {
            switch expression {
            case .anyOf(let first, let count, _), .hash(_, _, _, let first, let count):
                drawn = first..<(first + count)
            case .find(_, .endpoints, into: _): return drawn
            default: continue
            }
        }
        return nil
    }
}
