public import NetworkTypes

extension PathAttributes {
    /// Appends the attributes in the order of their type codes (RFC 4271 §5), without
    /// MP_REACH_NLRI, which is written by ``NLRI/appendReachHeader(_:nextHop:byteCount:to:)``.
    ///
    /// - Parameters:
    ///   - writer: the UPDATE, at a place inside its path attributes.
    ///   - context: whether AS numbers have four octets. Where they have two, AS_TRANS stands for
    ///     numbers that need four, and AS4_PATH and AS4_AGGREGATOR say which (RFC 6793 §4.2.2).
    ///   - includesNextHop: whether to write NEXT_HOP, for IPv4 prefixes outside MP_REACH_NLRI; the
    ///     next hop has to be an IPv4 address.
    public func encode(
        into writer: inout ByteWriter, context: DecodingContext, includesNextHop: Bool
    ) {
        let isWide = context.hasFourOctetAS
        if let origin {
            writer.attribute(.origin) { $0.uint8(origin.rawValue) }
        }
        if let asPath {
            writer.attribute(.asPath) { Self.encode(asPath, isWide: isWide, into: &$0) }
        }
        if includesNextHop, let nextHop {
            precondition(nextHop.address.family == .ipv4, "NEXT_HOP is an IPv4 address")
            writer.attribute(.nextHop) { $0.address(nextHop.address) }
        }
        writer.attribute(.multiExitDiscriminator, multiExitDiscriminator)
        writer.attribute(.localPreference, localPreference)
        if isAtomicAggregate { writer.attribute(.atomicAggregate) { _ in } }
        if let aggregator {
            writer.attribute(.aggregator) {
                if isWide {
                    $0.uint32(aggregator.number)
                } else {
                    $0.uint16(UInt16(exactly: aggregator.number) ?? Self.transitionAS)
                }
                $0.uint32(aggregator.routerID)
            }
        }
        if !communities.isEmpty {
            writer.attribute(.communities) { for item in communities { $0.uint32(item.bits) } }
        }
        writer.attribute(.originatorID, originatorID)
        if !clusterList.isEmpty {
            writer.attribute(.clusterList) { for item in clusterList { $0.uint32(item) } }
        }
        if !extendedCommunities.isEmpty {
            writer.attribute(.extendedCommunities) {
                for item in extendedCommunities { $0.uint64(item.bits) }
            }
        }
        if !isWide { encodeWideNumbers(into: &writer) }
        if !largeCommunities.isEmpty {
            writer.attribute(.largeCommunities) {
                for item in largeCommunities {
                    $0.uint32(item.administrator)
                    $0.uint32(item.first)
                    $0.uint32(item.second)
                }
            }
        }
        writer.attribute(.onlyToCustomer, onlyToCustomer)
        for item in unknown {
            writer.attribute(type: item.type, flags: item.flags) { $0.append(item.value) }
        }
    }

    /// AS4_PATH and AS4_AGGREGATOR, where two octets were not enough. Confederation segments have
    /// no place in an AS4_PATH (RFC 6793 §3).
    private func encodeWideNumbers(into writer: inout ByteWriter) {
        if let asPath, asPath.contains(where: { $0.numbers.contains { $0 > UInt16.max } }) {
            let path = asPath.filter { $0.kind == .sequence || $0.kind == .set }
            if !path.isEmpty {
                writer.attribute(.as4Path) { Self.encode(path, isWide: true, into: &$0) }
            }
        }
        if let aggregator, aggregator.number > UInt16.max {
            writer.attribute(.as4Aggregator) {
                $0.uint32(aggregator.number)
                $0.uint32(aggregator.routerID)
            }
        }
    }

    private static func encode(
        _ path: [PathSegment], isWide: Bool, into writer: inout ByteWriter
    ) {
        for segment in path {
            for start in stride(from: 0, to: segment.numbers.count, by: 255) {
                let part = segment.numbers[start...].prefix(255)
                writer.uint8(segment.kind.rawValue)
                writer.uint8(UInt8(part.count))
                for number in part {
                    if isWide {
                        writer.uint32(number)
                    } else {
                        writer.uint16(UInt16(exactly: number) ?? transitionAS)
                    }
                }
            }
        }
    }

    /// AS_TRANS, which stands for any number that does not fit two octets (RFC 6793 §9).
    static let transitionAS: UInt16 = 23456
}

extension ByteWriter {
    /// Appends an attribute: flags, type, length, and what `value` writes.
    mutating func attribute(_ type: AttributeType, _ value: (inout ByteWriter) -> Void) {
        attribute(type: type.rawValue, flags: type.flags, value)
    }

    /// Appends an attribute of four octets, if there is a value.
    mutating func attribute(_ type: AttributeType, _ value: UInt32?) {
        if let value { attribute(type) { $0.uint32(value) } }
    }

    /// Appends an attribute; the length has two octets where one is not enough.
    mutating func attribute(
        type: UInt8, flags: UInt8, _ value: (inout ByteWriter) -> Void
    ) {
        var content = ByteWriter()
        value(&content)
        let isLong = content.count > 255
        uint8(flags & ~AttributeType.extendedLength | (isLong ? AttributeType.extendedLength : 0))
        uint8(type)
        if isLong {
            uint16(UInt16(content.count))
        } else {
            uint8(UInt8(content.count))
        }
        append(content.bytes)
    }
}
