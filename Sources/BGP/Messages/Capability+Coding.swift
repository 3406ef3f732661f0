import NetworkTypes

extension Capability {
    /// The code on the wire.
    public var code: UInt8 {
        switch self {
        case .multiprotocol: 1
        case .routeRefresh: 2
        case .extendedNextHop: 5
        case .extendedMessage: 6
        case .role: 9
        case .gracefulRestart: 64
        case .fourOctetAS: 65
        case .enhancedRouteRefresh: 70
        case .unknown(let code, _): code
        }
    }

    /// Code, length and value, as in an OPEN and as in the data of Unsupported Capability.
    public var encoded: [UInt8] {
        var writer = ByteWriter()
        encode(into: &writer)
        return writer.bytes
    }

    /// Appends the capabilities in `range` of `bytes`, the value of one optional parameter.
    static func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, into capabilities: inout [Capability]
    ) throws(MessageFault) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard range.upperBound - offset >= 2 else { throw .malformedOpen }
            let end = offset + 2 + Int(bytes[offset + 1])
            guard end <= range.upperBound else { throw .malformedOpen }
            capabilities.append(Capability(code: bytes[offset], bytes, offset + 2..<end))
            offset = end
        }
    }

    /// Reads a value; one that its RFC does not allow makes the capability an unknown one.
    private init(code: UInt8, _ bytes: Span<UInt8>, _ range: Range<Int>) {
        let start = range.lowerBound
        switch (code, range.count) {
        case (1, 4): self = .multiprotocol(Self.family(bytes, at: start, reserved: 1))
        case (2, 0): self = .routeRefresh
        case (5, let count) where count % 6 == 0:
            self = .extendedNextHop(
                stride(from: start, to: range.upperBound, by: 6).map { offset in
                    // SAFI has two octets here, the high one zero.
                    ExtendedNextHop(
                        family: Self.family(bytes, at: offset, reserved: 1),
                        nextHopAFI: bytes.uint16(at: offset + 4))
                })
        case (6, 0): self = .extendedMessage
        case (9, 1):
            if let role = PeerRole(rawValue: bytes[start]) {
                self = .role(role)
            } else {
                self = .unknown(code: code, value: bytes.array(range))
            }
        case (64, let count) where count % 4 == 2:
            self = .gracefulRestart(GracefulRestart(bytes, range))
        case (65, 4): self = .fourOctetAS(bytes.uint32(at: start))
        case (70, 0): self = .enhancedRouteRefresh
        default: self = .unknown(code: code, value: bytes.array(range))
        }
    }

    /// An AFI, reserved octets, and a SAFI.
    fileprivate static func family(
        _ bytes: Span<UInt8>, at offset: Int, reserved: Int
    ) -> RouteFamily {
        RouteFamily(afi: bytes.uint16(at: offset), safi: bytes[offset + 2 + reserved])
    }

    /// Appends code, length and value.
    func encode(into writer: inout ByteWriter) {
        var value = ByteWriter()
        switch self {
        case .routeRefresh, .extendedMessage, .enhancedRouteRefresh: break
        case .multiprotocol(let family):
            value.uint16(family.afi)
            value.uint16(UInt16(family.safi))
        case .extendedNextHop(let entries):
            for entry in entries.prefix(42) {
                value.uint16(entry.family.afi)
                value.uint16(UInt16(entry.family.safi))
                value.uint16(entry.nextHopAFI)
            }
        case .role(let role): value.uint8(role.rawValue)
        case .gracefulRestart(let restart): restart.encode(into: &value)
        case .fourOctetAS(let number): value.uint32(number)
        case .unknown(_, let bytes): value.append(bytes.prefix(255))
        }
        writer.uint8(code)
        writer.uint8(UInt8(value.count))
        writer.append(value.bytes)
    }
}

/// The value of the capability (RFC 4724 §3): flags and time in two octets, then the families.
extension Capability.GracefulRestart {
    private static let restartFlag: UInt16 = 0x8000
    private static let notificationFlag: UInt16 = 0x4000
    private static let forwardingFlag: UInt8 = 0x80

    fileprivate init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let head = bytes.uint16(at: range.lowerBound)
        self.init(
            isRestarting: head & Self.restartFlag != 0,
            keepsOnNotification: head & Self.notificationFlag != 0,
            restartTime: head & 0x0fff,
            families: stride(from: range.lowerBound + 2, to: range.upperBound, by: 4).map {
                Family(
                    Capability.family(bytes, at: $0, reserved: 0),
                    isForwardingPreserved: bytes[$0 + 3] & Self.forwardingFlag != 0)
            })
    }

    fileprivate func encode(into value: inout ByteWriter) {
        value.uint16(
            (isRestarting ? Self.restartFlag : 0)
                | (keepsOnNotification ? Self.notificationFlag : 0) | min(restartTime, 0x0fff))
        for entry in families.prefix(63) {
            value.uint16(entry.family.afi)
            value.uint8(entry.family.safi)
            value.uint8(entry.isForwardingPreserved ? Self.forwardingFlag : 0)
        }
    }
}
