import NetworkTypes

/// Reads the path attributes of an UPDATE and makes of their faults what RFC 7606 says.
///
/// Prefixes in MP_REACH_NLRI and MP_UNREACH_NLRI are found here and read later, when it is known
/// whether they are to be taken for reachable or for withdrawn.
struct AttributeReader {
    /// Where the parts of MP_REACH_NLRI or MP_UNREACH_NLRI are.
    struct Prefixes {
        var family: RouteFamily
        var nextHop: Range<Int>
        var prefixes: Range<Int>
    }

    /// A message of many bad attributes tells of this many, one of the worst among them.
    private static let faultLimit = 16

    let context: DecodingContext
    /// Inside an ATTR_SET, which holds the attributes of a customer's route (RFC 6368 §5).
    var isNested = false
    var attributes = PathAttributes()
    var reach: Prefixes?
    var unreach: Prefixes?
    /// Whether there is any attribute but MP_UNREACH_NLRI.
    private(set) var hasOthers = false
    private(set) var faults: [UpdateFault] = []
    /// What is to be done for all faults together, the severest (RFC 7606 §3 h).
    private(set) var outcome: UpdateFault.Approach?
    var widePath: [PathAttributes.PathSegment]?
    var wideAggregator: PathAttributes.Aggregator?
    private var seen = TypeSet()

    init(context: DecodingContext) {
        self.context = context
    }

    /// Notes a fault.
    mutating func note(_ approach: UpdateFault.Approach, _ type: UInt8, _ rule: String) {
        outcome = max(outcome ?? approach, approach)
        if faults.count == Self.faultLimit {
            guard let last = faults.last, last.approach < approach else { return }
            faults.removeLast()
        }
        faults.append(UpdateFault(attribute: type, approach: approach, rule: rule))
    }

    /// Notes that an attribute makes withdrawals of the routes.
    mutating func withdraw(_ type: AttributeType, _ rule: String) {
        note(.treatAsWithdraw, type.rawValue, rule)
    }

    /// Notes that an attribute is passed over.
    mutating func discard(_ type: AttributeType, _ rule: String) {
        note(.attributeDiscard, type.rawValue, rule)
    }

    /// Reads the attributes in `range` of `bytes`.
    mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(MessageFault) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let start = offset
            let left = range.upperBound - start
            let isLong = bytes[start] & AttributeType.extendedLength != 0
            guard left >= (isLong ? 4 : 3) else {
                note(.treatAsWithdraw, 0, "the last attribute is cut off (RFC 7606 §4)")
                hasOthers = true
                return
            }
            let type = bytes[start + 1]
            let count = isLong ? Int(bytes.uint16(at: start + 2)) : Int(bytes[start + 2])
            let value = start + (isLong ? 4 : 3)
            guard count <= range.upperBound - value else {
                note(
                    .treatAsWithdraw, type, "it is longer than what is left (RFC 7606 §4)")
                hasOthers = true
                return
            }
            offset = value + count
            if type != AttributeType.unreach.rawValue { hasOthers = true }
            try take(type, bytes, whole: start..<offset, value: value..<offset)
        }
    }

    private mutating func take(
        _ type: UInt8, _ bytes: Span<UInt8>, whole: Range<Int>, value: Range<Int>
    ) throws(MessageFault) {
        let known = AttributeType(rawValue: type)
        guard seen.insert(type) else {
            if known == .reach || known == .unreach, !isNested {
                throw .update(
                    .malformedAttributeList, "\(known?.name ?? "") comes twice (RFC 7606 §3 g)")
            }
            note(.attributeDiscard, type, "it comes again, the first counts (RFC 7606 §3 g)")
            return
        }
        let flags = bytes[whole.lowerBound]
        guard let known else {
            // RFC 7606 does not change what RFC 4271 §6.3 wants here.
            guard flags & AttributeType.optional != 0 else {
                throw .update(
                    .unrecognizedWellKnownAttribute, data: bytes.array(whole),
                    "attribute \(type) is not known, and not optional (RFC 4271 §6.3)")
            }
            keep(flags, type, bytes, value)
            return
        }
        let both = AttributeType.optional | AttributeType.transitive
        guard flags & both == known.flags || known == .accumulatedIGP else {
            if known == .reach || known == .unreach, !isNested {
                throw .update(
                    .malformedAttributeList, "\(known.name) has other flags (RFC 7606 §5.3)")
            }
            withdraw(known, "its flags are not those of its kind (RFC 7606 §3 c)")
            return
        }
        switch known {
        case .reach where !isNested: try readReach(bytes, value)
        case .unreach where !isNested: try readUnreach(bytes, value)
        case .reach, .unreach: break
        default: read(known, flags: flags, bytes, value)
        }
    }

    /// Keeps an attribute as it is.
    mutating func keep(_ flags: UInt8, _ type: UInt8, _ bytes: Span<UInt8>, _ value: Range<Int>) {
        attributes.unknown.append(
            PathAttributes.Unknown(
                flags: flags & ~AttributeType.extendedLength, type: type,
                value: bytes.array(value)))
    }

    private mutating func readReach(
        _ bytes: Span<UInt8>, _ value: Range<Int>
    ) throws(MessageFault) {
        guard value.count >= 5, value.count >= 5 + Int(bytes[value.lowerBound + 3]) else {
            throw .update(
                .optionalAttribute, "MP_REACH_NLRI is too short (RFC 7606 §5.3)")
        }
        let start = value.lowerBound
        let nextHop = start + 4..<start + 4 + Int(bytes[start + 3])
        reach = Prefixes(
            family: RouteFamily(afi: bytes.uint16(at: start), safi: bytes[start + 2]),
            nextHop: nextHop, prefixes: nextHop.upperBound + 1..<value.upperBound)
    }

    private mutating func readUnreach(
        _ bytes: Span<UInt8>, _ value: Range<Int>
    ) throws(MessageFault) {
        guard value.count >= 3 else {
            throw .update(
                .optionalAttribute, "MP_UNREACH_NLRI is too short (RFC 7606 §5.3)")
        }
        let start = value.lowerBound
        unreach = Prefixes(
            family: RouteFamily(afi: bytes.uint16(at: start), safi: bytes[start + 2]),
            nextHop: start + 3..<start + 3, prefixes: start + 3..<value.upperBound)
    }
}

/// A set of type codes.
private struct TypeSet {
    private var low: UInt128 = 0
    private var high: UInt128 = 0

    /// Adds a code; false when it is there already.
    mutating func insert(_ type: UInt8) -> Bool {
        let bit = UInt128(1) << UInt128(type & 0x7f)
        let isNew = (type < 128 ? low : high) & bit == 0
        if type < 128 { low |= bit } else { high |= bit }
        return isNew
    }
}
