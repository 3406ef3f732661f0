import NetworkTypes

/// The attributes one by one (RFC 7606 §7 and the standards after it).
extension AttributeReader {
    mutating func read(
        _ type: AttributeType, flags: UInt8, _ bytes: Span<UInt8>, _ value: Range<Int>
    ) {
        switch type {
        case .origin: readOrigin(bytes, value)
        case .asPath: readPath(bytes, value)
        case .as4Path: readWidePath(bytes, value)
        case .aggregator: readAggregator(bytes, value)
        case .as4Aggregator: readWideAggregator(bytes, value)
        case .nextHop, .multiExitDiscriminator, .localPreference, .originatorID, .onlyToCustomer:
            readNumber(type, bytes, value)
        case .clusterList, .communities, .extendedCommunities, .ipv6ExtendedCommunities,
            .largeCommunities:
            readList(type, flags: flags, bytes, value)
        case .atomicAggregate:
            guard value.isEmpty else {
                return discard(type, "it is not empty (RFC 7606 §7.6)")
            }
            attributes.isAtomicAggregate = true
        case .multicastTunnel:
            guard value.count >= 5 else {
                return withdraw(type, "it is shorter than 5 octets (RFC 6514 §5)")
            }
            keep(flags, type.rawValue, bytes, value)
        case .attributeSet:
            readSet(bytes, value)
            keep(flags, type.rawValue, bytes, value)
        case .accumulatedIGP:
            // AIGP is not enabled, so whatever it is it is passed over in silence (RFC 7311 §3.2).
            break
        case .reach, .unreach:
            break
        }
    }

    private mutating func readOrigin(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        guard value.count == 1 else {
            return withdraw(.origin, "it is not 1 octet long (RFC 7606 §7.1)")
        }
        guard let origin = PathAttributes.Origin(rawValue: bytes[value.lowerBound]) else {
            return withdraw(.origin, "its value is not defined (RFC 7606 §7.1)")
        }
        attributes.origin = origin
    }

    private mutating func readPath(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        let isWide = context.hasFourOctetAS || isNested
        do throws(ASPathReader.Malformed) {
            let path = try ASPathReader.read(bytes, value, width: isWide ? 4 : 2)
            // We are in no confederation, so no neighbour is in ours (RFC 5065 §4).
            guard path.allSatisfy({ $0.kind == .sequence || $0.kind == .set }) else {
                return withdraw(.asPath, "it has segments of a confederation (RFC 5065 §4)")
            }
            attributes.asPath = path
        } catch {
            withdraw(.asPath, error.rule)
        }
    }

    private mutating func readWidePath(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        guard !context.hasFourOctetAS else {
            return discard(.as4Path, "the session has AS numbers of four octets (RFC 6793 §4.1)")
        }
        guard value.count >= 6 else {
            return discard(.as4Path, "it is shorter than one AS number (RFC 6793 §6)")
        }
        do throws(ASPathReader.Malformed) {
            widePath = try ASPathReader.read(bytes, value, width: 4)
        } catch {
            discard(.as4Path, error.rule)
        }
    }

    private mutating func readAggregator(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        let isWide = context.hasFourOctetAS || isNested
        guard value.count == (isWide ? 8 : 6) else {
            return discard(.aggregator, "it is not \(isWide ? 8 : 6) octets long (RFC 7606 §7.7)")
        }
        let start = value.lowerBound
        let number = isWide ? bytes.uint32(at: start) : UInt32(bytes.uint16(at: start))
        guard number != 0 else { return discard(.aggregator, "AS 0 is in it (RFC 7607 §2)") }
        attributes.aggregator = PathAttributes.Aggregator(
            number: number, routerID: bytes.uint32(at: value.upperBound - 4))
    }

    private mutating func readWideAggregator(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        guard !context.hasFourOctetAS else {
            return discard(
                .as4Aggregator, "the session has AS numbers of four octets (RFC 6793 §4.1)")
        }
        guard value.count == 8 else {
            return discard(.as4Aggregator, "it is not 8 octets long (RFC 6793 §6)")
        }
        let number = bytes.uint32(at: value.lowerBound)
        guard number != 0 else { return discard(.as4Aggregator, "AS 0 is in it (RFC 7607 §2)") }
        wideAggregator = PathAttributes.Aggregator(
            number: number, routerID: bytes.uint32(at: value.lowerBound + 4))
    }

    /// Attributes of one number of four octets.
    private mutating func readNumber(
        _ type: AttributeType, _ bytes: Span<UInt8>, _ value: Range<Int>
    ) {
        guard isForUs(type) else { return }
        guard value.count == 4 else {
            return withdraw(type, "it is not 4 octets long (\(type.section))")
        }
        let number = bytes.uint32(at: value.lowerBound)
        switch type {
        case .nextHop: attributes.nextHop = NextHop(IPAddress(ipv4: number))
        case .multiExitDiscriminator: attributes.multiExitDiscriminator = number
        case .localPreference: attributes.localPreference = number
        case .originatorID: attributes.originatorID = number
        default: attributes.onlyToCustomer = number
        }
    }

    /// Attributes that are lists, none of which may be empty.
    private mutating func readList(
        _ type: AttributeType, flags: UInt8, _ bytes: Span<UInt8>, _ value: Range<Int>
    ) {
        guard isForUs(type) else { return }
        let width = type.elementWidth
        guard !value.isEmpty, value.count % width == 0 else {
            return withdraw(
                type, "its length is not a multiple of \(width) octets (\(type.section))")
        }
        let offsets = stride(from: value.lowerBound, to: value.upperBound, by: width)
        switch type {
        case .clusterList: attributes.clusterList = offsets.map { bytes.uint32(at: $0) }
        case .communities:
            attributes.communities = offsets.map { StandardCommunity(bits: bytes.uint32(at: $0)) }
        case .extendedCommunities:
            attributes.extendedCommunities = offsets.map {
                ExtendedCommunity(bits: bytes.uint64(at: $0))
            }
        case .largeCommunities:
            attributes.largeCommunities = offsets.map {
                LargeCommunity(
                    bytes.uint32(at: $0), bytes.uint32(at: $0 + 4), bytes.uint32(at: $0 + 8))
            }
        default: keep(flags, type.rawValue, bytes, value)
        }
    }

    /// Attributes of the inside of an AS are passed over when they come from outside, whatever
    /// they are (RFC 7606 §7.5, §7.9, §7.10).
    private mutating func isForUs(_ type: AttributeType) -> Bool {
        switch type {
        case .localPreference, .originatorID, .clusterList:
            if context.isInternal || isNested { return true }
            discard(type, "it comes from another AS (\(type.section))")
            return false
        default: return true
        }
    }

    /// An ATTR_SET is an AS number and attributes of its own; a fault among these that is more
    /// than a discard is a fault of the set, and never resets the session (RFC 7606 §7.16).
    private mutating func readSet(_ bytes: Span<UInt8>, _ value: Range<Int>) {
        guard !isNested else { return }
        guard value.count >= 4 else {
            return withdraw(.attributeSet, "it is shorter than 4 octets (RFC 7606 §7.16)")
        }
        var inside = AttributeReader(context: context)
        inside.isNested = true
        do throws(MessageFault) {
            try inside.read(bytes, value.lowerBound + 4..<value.upperBound)
        } catch {
            return withdraw(.attributeSet, error.rule)
        }
        if let outcome = inside.outcome, outcome > .attributeDiscard {
            let rule = inside.faults.first { $0.approach == outcome }?.rule ?? ""
            withdraw(.attributeSet, "inside: " + rule)
        }
    }
}

extension AttributeType {
    /// Octets of one element of a list.
    fileprivate var elementWidth: Int {
        switch self {
        case .extendedCommunities: 8
        case .ipv6ExtendedCommunities: 20
        case .largeCommunities: 12
        default: 4
        }
    }

    /// Where the rules about its length are.
    fileprivate var section: String {
        switch self {
        case .nextHop: "RFC 7606 §7.3"
        case .multiExitDiscriminator: "RFC 7606 §7.4"
        case .localPreference: "RFC 7606 §7.5"
        case .communities: "RFC 7606 §7.8"
        case .originatorID: "RFC 7606 §7.9"
        case .clusterList: "RFC 7606 §7.10"
        case .extendedCommunities: "RFC 7606 §7.14"
        case .ipv6ExtendedCommunities: "RFC 7606 §7.15"
        case .largeCommunities: "RFC 8092 §6"
        default: "RFC 9234 §5"
        }
    }
}
