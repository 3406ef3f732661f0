import NetworkTypes

/// The NOTIFICATIONs that we send. Where the standards leave open what the data is, it is what BIRD
/// sends, which is most likely what the peer's log makes sense of.
extension NotificationMessage {
    /// The subcodes of Cease (RFC 4486 §3, RFC 8538 §3.1, RFC 9384 §3).
    public enum CeaseSubcode: UInt8, Hashable, Sendable, CaseIterable {
        /// The peer announced more than it may.
        case maximumPrefixes = 1
        /// An operator ended the session.
        case administrativeShutdown = 2
        /// The peer is no longer configured.
        case peerDeconfigured = 3
        /// An operator restarts the session.
        case administrativeReset = 4
        /// The connection is not wanted.
        case connectionRejected = 5
        /// The settings of the session have changed.
        case otherConfigurationChange = 6
        /// The other of two connections was kept.
        case connectionCollision = 7
        /// There is no room.
        case outOfResources = 8
        /// Another NOTIFICATION is inside, and routes are not to be kept.
        case hardReset = 9
        /// BFD says that the path is down.
        case bfdDown = 10
    }

    /// The subcodes of OPEN Message Error (RFC 4271 §6.2, RFC 5492 §5, RFC 9234 §4.2).
    public enum OpenSubcode: UInt8, Hashable, Sendable, CaseIterable {
        /// A version other than 4.
        case unsupportedVersion = 1
        /// Not the AS that was expected.
        case badPeerAS = 2
        /// Zero, or our own inside an AS.
        case badIdentifier = 3
        /// A parameter that is not known.
        case unsupportedParameter = 4
        /// One or two seconds, or too short.
        case unacceptableHoldTime = 6
        /// A capability that is needed is missing.
        case unsupportedCapability = 7
        /// Roles that do not go together.
        case roleMismatch = 11
    }

    /// The subcodes of UPDATE Message Error (RFC 4271 §6.3).
    public enum UpdateSubcode: UInt8, Hashable, Sendable, CaseIterable {
        /// The lengths do not fit together.
        case malformedAttributeList = 1
        /// An attribute that claims to be well-known and is not.
        case unrecognizedWellKnownAttribute = 2
        /// One of the mandatory attributes is missing.
        case missingWellKnownAttribute = 3
        /// Flags other than the attribute's own.
        case attributeFlags = 4
        /// A length that the attribute cannot have.
        case attributeLength = 5
        /// ORIGIN has an undefined value.
        case invalidOrigin = 6
        /// NEXT_HOP is not an address of a host.
        case invalidNextHop = 8
        /// An optional attribute cannot be read.
        case optionalAttribute = 9
        /// Prefixes cannot be read.
        case invalidNetworkField = 10
        /// AS_PATH cannot be read.
        case malformedASPath = 11
    }

    /// The subcodes of Finite State Machine Error (RFC 6608 §3).
    public enum StateSubcode: UInt8, Hashable, Sendable, CaseIterable {
        /// In OpenSent.
        case openSent = 1
        /// In OpenConfirm.
        case openConfirm = 2
        /// In Established.
        case established = 3
    }

    /// Cease. A text goes along only with the administrative subcodes, cut at a character to 255
    /// bytes (RFC 9003 §2).
    public static func cease(_ subcode: CeaseSubcode, text: String = "") -> NotificationMessage {
        var data: [UInt8] = []
        if subcode.carriesText, !text.isEmpty {
            var bytes: [UInt8] = []
            for character in text.unicodeScalars {
                let more = Array(String(character).utf8)
                guard bytes.count + more.count <= 255 else { break }
                bytes += more
            }
            data = [UInt8(bytes.count)] + bytes
        }
        return NotificationMessage(code: 6, subcode: subcode.rawValue, data: data)
    }

    /// Cease/Hard Reset around another NOTIFICATION: graceful restart does not keep the routes
    /// (RFC 8538 §3.1).
    public static func hardReset(of inner: NotificationMessage) -> NotificationMessage {
        NotificationMessage(
            code: 6, subcode: CeaseSubcode.hardReset.rawValue,
            data: [inner.code, inner.subcode] + inner.data)
    }

    /// RFC 4271 §6.5.
    public static let holdTimerExpired = NotificationMessage(code: 4, subcode: 0)
    /// RFC 9687 §4.
    public static let sendHoldTimerExpired = NotificationMessage(code: 8, subcode: 0)
    /// RFC 4271 §6.8.
    public static let connectionCollision = cease(.connectionCollision)
    /// RFC 4486 §4: settings were changed that a running session cannot take over.
    public static let otherConfigurationChange = cease(.otherConfigurationChange)

    /// RFC 4486 §4: the data is the family and the limit.
    public static func maximumPrefixes(
        _ family: RouteFamily, limit: Int
    ) -> NotificationMessage {
        var data = ByteWriter()
        data.uint16(family.afi)
        data.uint8(family.safi)
        data.uint32(UInt32(clamping: limit))
        return NotificationMessage(
            code: 6, subcode: CeaseSubcode.maximumPrefixes.rawValue, data: data.bytes)
    }

    /// RFC 4271 §6.2: the data is the version that we speak, 4, in two octets.
    public static let unsupportedVersion = open(.unsupportedVersion, data: [0, 4])

    /// RFC 4271 §6.2: the data is the AS number that the peer told, in four octets where it came
    /// in the capability.
    public static func badPeerAS(_ number: UInt32, isFourOctets: Bool) -> NotificationMessage {
        var data = ByteWriter()
        if isFourOctets {
            data.uint32(number)
        } else {
            data.uint16(UInt16(truncatingIfNeeded: number))
        }
        return open(.badPeerAS, data: data.bytes)
    }

    /// RFC 4271 §6.2, RFC 6286 §2.2.
    public static let badIdentifier = open(.badIdentifier)

    /// RFC 4271 §6.2: the data is the hold time that the peer proposed.
    public static func unacceptableHoldTime(_ seconds: UInt16) -> NotificationMessage {
        open(
            .unacceptableHoldTime,
            data: [UInt8(seconds >> 8), UInt8(truncatingIfNeeded: seconds)])
    }

    /// RFC 5492 §5: the data is the capabilities that the peer would have to have.
    public static func unsupportedCapability(
        missing capabilities: [Capability]
    ) -> NotificationMessage {
        open(.unsupportedCapability, data: capabilities.flatMap(\.encoded))
    }

    /// RFC 9234 §4.2.
    public static let roleMismatch = open(.roleMismatch)

    /// RFC 6608 §4: a message that the state does not expect.
    public static func unexpectedMessage(in state: StateSubcode) -> NotificationMessage {
        NotificationMessage(code: 5, subcode: state.rawValue)
    }

    private static func open(_ subcode: OpenSubcode, data: [UInt8] = []) -> NotificationMessage {
        NotificationMessage(code: 2, subcode: subcode.rawValue, data: data)
    }
}

extension NotificationMessage.CeaseSubcode {
    /// Whether a text for people may follow (RFC 9003 §2).
    var carriesText: Bool { self == .administrativeShutdown || self == .administrativeReset }
}
