import NetworkTypes

extension UpdateMessage {
    /// Reads an UPDATE of at least 23 bytes (RFC 4271 §4.3, RFC 7606).
    ///
    /// - Throws: faults that reset the session. Those are the few that leave open which prefixes
    ///   the message is about; we never disable a family alone, which RFC 7606 §7.11 would allow.
    init(decoding bytes: Span<UInt8>, context: DecodingContext) throws(MessageFault) {
        let withdrawnEnd = 21 + Int(bytes.uint16(at: 19))
        guard withdrawnEnd + 2 <= bytes.count else {
            throw .update(
                .malformedAttributeList, "the withdrawn routes do not fit (RFC 7606 §3 b)")
        }
        let start = withdrawnEnd + 2
        let end = start + Int(bytes.uint16(at: withdrawnEnd))
        guard end <= bytes.count else {
            throw .update(.malformedAttributeList, "the attributes do not fit (RFC 7606 §3 b)")
        }
        var reader = AttributeReader(context: context)
        try reader.read(bytes, start..<end)
        self.init()
        let outside = end..<bytes.count
        try reader.conclude(isOutside: !outside.isEmpty)
        if withdrawnEnd == 21, outside.isEmpty, !reader.hasOthers,
            reader.unreach?.prefixes.isEmpty != false
        {
            mark(reader.unreach?.family ?? .ipv4, &reader)
        } else {
            try readPrefixes(bytes, withdrawn: 21..<withdrawnEnd, outside: outside, &reader)
        }
        faults = reader.faults
    }

    /// The message is an End-of-RIB marker (RFC 4724 §2).
    private mutating func mark(_ family: RouteFamily, _ reader: inout AttributeReader) {
        if reader.isAgreed(family) {
            endOfRIB = family
        } else {
            reader.passOver(reader.unreach == nil ? 0 : AttributeType.unreach.rawValue)
        }
    }

    private mutating func readPrefixes(
        _ bytes: Span<UInt8>, withdrawn gone: Range<Int>, outside: Range<Int>,
        _ reader: inout AttributeReader
    ) throws(MessageFault) {
        try reader.prefixes(.ipv4, bytes, gone, attribute: 0, into: &withdrawn)
        if let unreach = reader.unreach {
            try reader.prefixes(
                unreach.family, bytes, unreach.prefixes,
                attribute: AttributeType.unreach.rawValue, into: &withdrawn)
        }
        try reader.prefixes(.ipv4, bytes, outside, attribute: 0, into: &announced)
        let hasClassic = !announced.isEmpty
        var nextHop = reader.attributes.nextHop
        if let reach = reader.reach {
            if reader.isAgreed(reach.family) {
                let inside = try reader.nextHop(bytes, of: reach)
                if !hasClassic { nextHop = inside }
            }
            try reader.prefixes(
                reach.family, bytes, reach.prefixes, attribute: AttributeType.reach.rawValue,
                into: &announced)
        }
        if !announced.isEmpty { reader.judgeLeak() }
        if let outcome = reader.outcome, outcome >= .treatAsWithdraw {
            withdrawn += announced
            announced = []
        }
        if !announced.isEmpty {
            attributes = reader.attributes
            attributes.nextHop = nextHop
        }
    }
}

extension AttributeReader {
    /// Judges the attributes together, and puts together what comes in two of them.
    fileprivate mutating func conclude(isOutside: Bool) throws(MessageFault) {
        let hasRoutes = isOutside || reach?.prefixes.isEmpty == false
        if let outcome, outcome >= .treatAsWithdraw, !hasRoutes {
            let fault = faults.first { $0.approach == outcome }
            throw .update(
                .malformedAttributeList,
                "\(fault?.description ?? "an attribute is malformed"), "
                    + "and there are no routes to withdraw (RFC 7606 §5.2)")
        }
        if hasRoutes, outcome ?? .attributeDiscard < .treatAsWithdraw {
            if attributes.origin == nil { missing(.origin) }
            if attributes.asPath == nil { missing(.asPath) }
            if isOutside {
                if let address = attributes.nextHop?.address {
                    judgeNextHop(address, .nextHop)
                } else {
                    missing(.nextHop)
                }
            }
        }
        mergeWideNumbers()
    }

    private mutating func missing(_ type: AttributeType) {
        withdraw(type, "it is missing (RFC 7606 §3 d)")
    }

    /// RFC 6793 §4.2.3. An AGGREGATOR that is not of AS_TRANS was written by a speaker that knew
    /// nothing of the wide attributes, which are therefore outdated.
    private mutating func mergeWideNumbers() {
        if let aggregator = attributes.aggregator, let wide = wideAggregator {
            guard aggregator.number == UInt32(PathAttributes.transitionAS) else { return }
            attributes.aggregator = wide
        }
        if let path = attributes.asPath, let widePath {
            attributes.asPath = ASPathReader.merge(path, with: widePath)
        }
    }

    /// A next hop has to be the address of a host (RFC 4271 §6.3).
    private mutating func judgeNextHop(_ address: IPAddress, _ type: AttributeType) {
        let isReserved = address.family == .ipv4 && address.bits >> 28 == 0xf
        if address.isUnspecified || address.isMulticast || isReserved {
            withdraw(type, "next hop \(address) is not the address of a host (RFC 4271 §6.3)")
        }
    }

    /// Reads the next hop of MP_REACH_NLRI.
    ///
    /// An IPv6 next hop of IPv4 routes that was not agreed on costs the routes and not the session:
    /// RFC 8950 §3 defines its length, so it is clear where the prefixes are. Some speakers pass on
    /// inside an AS what they heard from a peer with which they had agreed.
    ///
    /// - Throws: a length that never goes with the family, because where the prefixes are is then
    /// in
    ///   doubt (RFC 7606 §7.11).
    fileprivate mutating func nextHop(
        _ bytes: Span<UInt8>, of reach: Prefixes
    ) throws(MessageFault) -> NextHop {
        let start = reach.nextHop.lowerBound
        let takesIPv6 =
            reach.family != .ipv4 || context.families == nil
            || context.extendedNextHop.contains(reach.family)
        let nextHop: NextHop
        switch reach.nextHop.count {
        case 4 where reach.family == .ipv4:
            nextHop = NextHop(IPAddress(ipv4: bytes.uint32(at: start)))
        case 16:
            nextHop = NextHop(IPAddress(family: .ipv6, bits: bytes.uint128(at: start)))
        case 32:
            // The second address is link-local (RFC 2545 §3). Where there is no other, some leave
            // the first empty and some repeat the link-local one.
            let global = IPAddress(family: .ipv6, bits: bytes.uint128(at: start))
            let local = IPAddress(family: .ipv6, bits: bytes.uint128(at: start + 16))
            if !local.isLinkLocal {
                nextHop = NextHop(global)
            } else if global.isUnspecified || global == local {
                nextHop = NextHop(local)
            } else {
                nextHop = NextHop(global, linkLocal: local)
            }
        default:
            throw .update(
                .optionalAttribute,
                "\(reach.family) has no next hop of \(reach.nextHop.count) octets "
                    + "(RFC 7606 §7.11)")
        }
        if nextHop.address.family == .ipv6, !takesIPv6 {
            withdraw(.reach, "an IPv6 next hop of IPv4 routes was not agreed on (RFC 8950 §4)")
        }
        judgeNextHop(nextHop.address, .reach)
        return nextHop
    }

    /// Whether routes of the family may come; before anything is agreed on, all that we know.
    fileprivate func isAgreed(_ family: RouteFamily) -> Bool {
        family.addressFamily != nil && context.families?.contains(family) != false
    }

    /// Notes routes of a family that was not agreed on (RFC 4760 §8).
    fileprivate mutating func passOver(_ attribute: UInt8) {
        note(
            .attributeDiscard, attribute,
            "its routes are of a family that was not agreed on (RFC 4760 §8)")
    }

    /// Reads prefixes, unless they are of a family that was not agreed on.
    ///
    /// - Throws: what makes it impossible to find all prefixes (RFC 7606 §3 j, §5.3). A list that
    ///   is longer than its field counts as a wrong length, as BIRD has it.
    fileprivate mutating func prefixes(
        _ family: RouteFamily, _ bytes: Span<UInt8>, _ range: Range<Int>, attribute: UInt8,
        into prefixes: inout [Prefix]
    ) throws(MessageFault) {
        guard !range.isEmpty else { return }
        guard isAgreed(family), let addressFamily = family.addressFamily else {
            return passOver(attribute)
        }
        prefixes.reserveCapacity(prefixes.count + range.count / 4)
        do throws(NLRI.Malformed) {
            let hasMulticast = try NLRI.decode(bytes, range, family: addressFamily, into: &prefixes)
            if hasMulticast {
                note(.attributeDiscard, attribute, "multicast prefixes (RFC 4271 §6.3)")
            }
        } catch {
            switch error {
            case .overrun:
                throw .update(
                    .malformedAttributeList, "the last prefix is cut off (RFC 7606 §5.3)")
            case .tooLong:
                throw .update(
                    .invalidNetworkField,
                    "a prefix is longer than \(addressFamily.bitWidth) bits (RFC 7606 §5.3)")
            }
        }
    }

    /// A route that came down from a provider or across from a peer may not come up to us, nor
    /// across from another (RFC 9234 §5). Such a route is no use to anybody, so it counts as gone.
    fileprivate mutating func judgeLeak() {
        guard let role = context.role, let number = attributes.onlyToCustomer else { return }
        switch role {
        case .provider, .routeServer:
            withdraw(.onlyToCustomer, "a customer leaks the route (RFC 9234 §5)")
        case .peer where number != context.remoteAS:
            withdraw(.onlyToCustomer, "the peer leaks a route of AS \(number) (RFC 9234 §5)")
        case .peer, .customer, .routeServerClient: break
        }
    }
}
