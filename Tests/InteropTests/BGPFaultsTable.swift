import Foundation

/// Input that ends a session, and where the daemon's NOTIFICATION is another than BIRD's on
/// purpose.
struct BGPFaultCase: CustomStringConvertible {
    /// How far the session has come.
    enum Stage {
        /// The connection is there, and the peer is to say something.
        case connected
        /// Both OPENs are told, and our KEEPALIVE is missing.
        case openConfirm
        case established
    }

    /// Why the daemon says something else than BIRD 2.0.12.
    enum Difference: String, CaseIterable {
        case lengthFirst = "RFC 4271 §6.1: every message's length is judged, whatever the state"
        case messageType = "RFC 6608 §4: the data is the type of the message"
        case version = "RFC 4271 §6.2: our version in two octets; BIRD has them the other way round"
        case keepaliveLength = "RFC 4271 §6.1: BIRD does not mind what follows in a KEEPALIVE"
        case nextHop = "RFC 8950 §4, not agreed on: BIRD takes the route away and goes on"
        case unknownWellKnown = "RFC 4271 §6.3: BIRD takes the route away and goes on"
        case updateInOpenConfirm = "RFC 6608 §4: BIRD takes an UPDATE for the KEEPALIVE"

        /// Whether BIRD says nothing.
        var isSilence: Bool {
            switch self {
            case .lengthFirst, .messageType, .version: false
            case .keepaliveLength, .nextHop, .unknownWellKnown, .updateInOpenConfirm: true
            }
        }
    }

    let name: String
    let stage: Stage
    let kind: String
    let bytes: [UInt8]
    /// Why the daemon says something else; `nil`: it says the same.
    let difference: Difference?
    /// What it says then: code, subcode, data.
    let own: [UInt8]

    var description: String { "\(name), \(stage)" }

    init(
        _ name: String, _ stage: Stage, _ bytes: [UInt8], kind: String = "external",
        differs difference: Difference? = nil, _ own: [UInt8] = []
    ) {
        self.name = name
        self.stage = stage
        self.bytes = bytes
        self.kind = kind
        self.difference = difference
        self.own = own
    }
}

extension BGPFaultCase {
    private static func open(_ change: (inout RawOpen) -> Void) -> [UInt8] {
        var open = RawOpen()
        change(&open)
        return open.message
    }

    /// An OPEN with one parameter that has these capabilities.
    private static func capabilities(_ bytes: [UInt8]) -> [UInt8] {
        open { $0.parameters = [2, UInt8(bytes.count)] + bytes }
    }

    private static let update = RawPeer.announcement([[24, 198, 51, 100]])
    private static let refresh = RawPeer.message(5, [0, 1, 0, 1])
    private static let badMarker = [0xfe] + RawPeer.keepalive.dropFirst()
    private static func length(_ type: UInt8, _ count: Int) -> [UInt8] {
        RawPeer.message(type, [UInt8](repeating: 0, count: max(0, count - 19)), length: count)
    }

    /// Headers that no message has (RFC 4271 §6.1), in every state.
    static let headers: [Self] = [Stage.connected, .openConfirm, .established].flatMap { stage in
        [
            Self("marker", stage, badMarker),
            Self("length 0", stage, length(4, 0)),
            Self("length 18", stage, length(4, 18)),
            Self("length 65535", stage, RawPeer.message(2, [], length: 65535)),
            Self("length 4097", stage, RawPeer.message(2, [], length: 4097)),
            Self("type 0", stage, RawPeer.message(0, [])),
            Self("type 6", stage, RawPeer.message(6, [])),
            Self("type 255", stage, RawPeer.message(255, [])),
        ]
    }

    /// Lengths that no message of the type has, with what BIRD judges later, or not at all.
    static let lengths: [Self] =
        [
            (Stage.connected, 2, 22), (.connected, 4, 20), (.connected, 5, 22),
            (.openConfirm, 1, 28), (.openConfirm, 5, 22), (.established, 1, 28),
        ].map { stage, type, count in
            Self(
                "type \(type) of \(count) bytes", stage, length(UInt8(type), count),
                differs: .lengthFirst, [1, 2, 0, UInt8(count)])
        }
        + [Stage.openConfirm, .established].map { stage in
            Self(
                "KEEPALIVE of 20 bytes", stage, length(4, 20), differs: .keepaliveLength,
                [1, 2, 0, 20])
        }

    /// Messages that the state does not expect (RFC 6608).
    static let states: [Self] = [
        (Stage.connected, RawPeer.keepalive), (.connected, update), (.connected, refresh),
        (.openConfirm, RawOpen().message), (.openConfirm, update), (.openConfirm, refresh),
        (.established, RawOpen().message),
    ].map { stage, bytes in
        Self(
            "type \(bytes[18])", stage, bytes,
            differs: stage == .openConfirm && bytes == update
                ? .updateInOpenConfirm : .messageType,
            [5, stage == .connected ? 1 : stage == .openConfirm ? 2 : 3, bytes[18]])
    }

    /// OPENs that are refused (RFC 4271 §6.2).
    static let opens: [Self] = [
        Self(
            "version 3", .connected, open { $0.version = 3 }, differs: .version, [2, 1, 0, 4]),
        Self(
            "version 5", .connected, open { $0.version = 5 }, differs: .version, [2, 1, 0, 4]),
        Self("OPEN of 28 bytes", .connected, length(1, 28)),
        Self("another AS", .connected, open { $0.asn = 64497 }),
        Self("another AS, four octets", .connected, open { $0.asn = 4_200_000_001 }),
        Self(
            "another AS, two octets", .connected,
            open {
                $0.asn = 64497
                $0.hasFourOctetAS = false
            }),
        Self("AS 0", .connected, open { $0.asn = 0 }),
        Self("BGP Identifier 0", .connected, open { $0.identifier = [0, 0, 0, 0] }),
        Self(
            "our BGP Identifier", .connected, open { $0.identifier = [192, 0, 2, 11] },
            kind: "internal"),
        Self("hold time 1", .connected, open { $0.holdTime = 1 }),
        Self("hold time 2", .connected, open { $0.holdTime = 2 }),
        Self("parameter 1", .connected, open { $0.parameters = [1, 2, 0, 0] }),
        Self("parameter beyond the end", .connected, open { $0.parameters = [2, 9, 2, 0] }),
        Self(
            "parameters beyond the end", .connected,
            open {
                $0.parameters = [2, 2, 2, 0]
                $0.parametersLength = 8
            }),
        Self("parameters cut off", .connected, open { $0.parameters = [2, 2, 2, 0, 2] }),
        Self("capability beyond the end", .connected, capabilities([65, 9, 0, 0])),
        Self("capability cut off", .connected, capabilities([2, 0, 65])),
        Self(
            "role peer to a customer", .connected, open { $0.capabilities = [9, 1, 4] },
            kind: "role customer"),
        Self(
            "role of the same side", .connected, open { $0.capabilities = [9, 1, 0] },
            kind: "role provider"),
    ]

    /// UPDATEs that end the session (RFC 7606 §3), of the table of malformed ones.
    static func updates() throws -> [Self] {
        try BGPMalformedCase.all().filter { item in
            item.bytes[18] == 2 && item.outcome.hasPrefix("reset")
                && item.session == "external"
        }.map { item in
            let difference = differences[item.name]
            return Self(
                item.name, .established, item.bytes, differs: difference, item.notification ?? [])
        }
    }

    private static let differences: [String: Difference] = [
        "mp-reach-next-hop-not-agreed": .nextHop, "unknown-well-known": .unknownWellKnown,
    ]
}
