import NetworkTypes

/// What a listener tells about groups, as frames: Multicast Listener Discovery, version 2
/// (RFC 3810 §5.2) or version 1 (RFC 2710 §3).
public struct MulticastReport: Equatable, Sendable {
    /// What is said about a group; the raw values are the record types of RFC 3810 §5.2.12.
    public enum Record: UInt8, Hashable, Sendable {
        /// We listen, as an answer to a query (MODE_IS_EXCLUDE).
        case listening = 2
        /// We do not listen any more (CHANGE_TO_INCLUDE_MODE without sources).
        case left = 3
        /// We listen from now on (CHANGE_TO_EXCLUDE_MODE).
        case joined = 4
    }

    /// The most records of one frame: with all headers it stays below 1,500 bytes.
    public static let maximumRecords = 70

    /// Our link-layer address.
    public let hardware: MACAddress

    /// A link-local address of the interface, or `::` while it has none (§5.2.13): routers then
    /// discard the report, snooping switches do not.
    public let source: IPAddress

    /// `ff02::16`, where version 2 reports go (§5.2.14).
    static let routers2 = IPAddress(family: .ipv6, bits: 0xff02 << 112 | 0x16)
    /// `ff02::2`, where version 1 messages about leaving go (RFC 2710 §3.7).
    static let routers1 = IPAddress(family: .ipv6, bits: 0xff02 << 112 | 0x2)

    /// The frame that says `record` about each of `groups`.
    ///
    /// - Precondition: there are at most ``maximumRecords`` groups.
    public func frame(_ records: [(group: IPAddress, record: Record)]) -> [UInt8] {
        precondition(records.count <= Self.maximumRecords, "a report longer than a frame")
        var body = ByteWriter(capacity: 8 + records.count * 20)
        body.uint8(143)
        body.uint8(0)
        body.uint16(0)
        body.uint16(0)
        body.uint16(UInt16(records.count))
        for (group, record) in records {
            body.uint8(record.rawValue)
            body.uint8(0)
            body.uint16(0)
            body.address(group)
        }
        return frame(body, to: Self.routers2)
    }

    /// The version 1 frame that says `record` about `group`.
    public func version1Frame(_ group: IPAddress, _ record: Record) -> [UInt8] {
        var body = ByteWriter(capacity: 24)
        body.uint8(record == .left ? 132 : 131)
        body.uint8(0)
        body.uint16(0)
        body.uint32(0)
        body.address(group)
        return frame(body, to: record == .left ? Self.routers1 : group)
    }

    /// Puts the headers in front: hop limit 1 and a router alert, so that routers look (§5).
    private func frame(_ body: ByteWriter, to destination: IPAddress) -> [UInt8] {
        var body = body
        var sum = InternetChecksum()
        sum.add(source)
        sum.add(destination)
        sum.add(UInt16(body.count))
        sum.add(UInt16(58))
        sum.add(body.bytes.span)
        body.setUInt16(sum.value, at: 2)
        var frame = ByteWriter(capacity: 62 + body.count)
        // RFC 2464 §7.
        frame.macAddress(MACAddress(bits: 0x3333 << 32 | UInt64(destination.bits & 0xffff_ffff)))
        frame.macAddress(hardware)
        frame.uint16(EtherType.ipv6.rawValue)
        frame.uint32(0x6000_0000)
        frame.uint16(UInt16(8 + body.count))
        frame.uint8(0)
        frame.uint8(1)
        frame.address(source)
        frame.address(destination)
        // Hop-by-hop options: router alert "MLD" (RFC 2711 §2.1), padded to eight bytes.
        frame.append([58, 0, 5, 2, 0, 0, 1, 0])
        frame.append(body.bytes)
        return frame.bytes
    }
}
