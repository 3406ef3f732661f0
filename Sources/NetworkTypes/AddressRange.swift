/// A run of addresses of one family, both ends included.
public struct AddressRange: Hashable, Sendable {
    /// The lowest address.
    public let first: IPAddress

    /// The highest address; same family, not below `first`.
    public let last: IPAddress

    /// The run from `first` to `last`; `nil` when families differ or `first` is above `last`.
    public init?(_ first: IPAddress, _ last: IPAddress) {
        guard first.family == last.family, first.bits <= last.bits else { return nil }
        self.init(unchecked: first, last: last)
    }

    init(unchecked first: IPAddress, last: IPAddress) {
        self.first = first
        self.last = last
    }

    /// The family of the run.
    public var family: IPAddress.Family { first.family }

    /// How many addresses the run holds, saturating at `UInt128.max` for the whole of IPv6.
    public var count: UInt128 {
        let distance = last.bits - first.bits
        return distance == .max ? .max : distance + 1
    }

    /// Whether the address lies in the run; never for another family.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == family && address.bits >= first.bits && address.bits <= last.bits
    }

    /// Whether the two runs share an address.
    public func overlaps(_ other: AddressRange) -> Bool {
        family == other.family && first.bits <= other.last.bits && other.first.bits <= last.bits
    }

    /// The fewest CIDR blocks that hold exactly this run, in ascending order (at most 2 × width).
    public var prefixes: [Prefix] {
        var blocks: [Prefix] = []
        var next = first.bits
        let width = family.bitWidth
        while next <= last.bits {
            var hostBits = next == 0 ? width : min(width, next.trailingZeroBitCount)
            while hostBits > 0 {
                let span = hostBits == 128 ? UInt128.max : (UInt128(1) << UInt128(hostBits)) - 1
                let (end, overflow) = next.addingReportingOverflow(span)
                if !overflow && end <= last.bits { break }
                hostBits -= 1
            }
            guard
                let block = Prefix(
                    IPAddress(family: family, bits: next), length: width - hostBits)
            else { break }
            blocks.append(block)
            let end = block.range.last.bits
            if end == family.maximum { break }
            next = end + 1
        }
        return blocks
    }
}

extension AddressRange: LosslessStringConvertible {
    /// Reads `first-last` (blanks around the dash allowed) or CIDR `address/length`.
    public init?(_ text: String) {
        if let prefix = Prefix(text) {
            self = prefix.range
            return
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let first = IPAddress(Self.trim(parts[0])),
            let last = IPAddress(Self.trim(parts[1]))
        else { return nil }
        self.init(first, last)
    }

    private static func trim(_ text: Substring) -> Substring {
        var rest = text
        while rest.first == " " { rest.removeFirst() }
        while rest.last == " " { rest.removeLast() }
        return rest
    }

    /// `first-last`, or CIDR when the run is exactly one block.
    public var description: String {
        let blocks = prefixes
        return blocks.count == 1 ? blocks[0].description : "\(first)-\(last)"
    }
}
