/// Both directions of a connection as an onlooker sees them, who learns from the OPENs what the two
/// agree on, as they do.
///
/// Where an OPEN was not seen, it is guessed: AS numbers of four octets, of two where only these
/// make sense; all families; messages of any length; a session within one AS, which may hold all
/// attributes.
public struct ObservedSession: Equatable, Sendable {
    /// One of the two ends.
    public enum Side: Int, Hashable, Sendable, CaseIterable {
        /// Whichever the caller calls so.
        case one = 0
        /// Its peer.
        case other = 1

        /// The end that it talks to.
        public var peer: Side { self == .one ? .other : .one }
    }

    private var streams: [ObservedStream]
    private var opens: [OpenMessage?] = [nil, nil]
    private var contexts: [DecodingContext?] = [nil, nil]

    /// A connection whose beginning is seen or not.
    public init(hasBeginning: Bool) {
        streams = Side.allCases.map { _ in ObservedStream(hasBeginning: hasBeginning) }
    }

    /// Whether what the two agreed on is not known but guessed.
    public var isGuessed: Bool { contexts.contains(nil) }

    /// Takes bytes that come next from one end, and returns what they say.
    public mutating func take(_ bytes: [UInt8], from side: Side) -> [ObservedStream.Event] {
        streams[side.rawValue].append(bytes)
        var events: [ObservedStream.Event] = []
        while let event = next(from: side) {
            if case .message(.open(let message), _) = event { note(message, from: side) }
            events.append(event)
        }
        return events
    }

    /// Notes that bytes from one end are lost.
    public mutating func lose(from side: Side) { streams[side.rawValue].lose() }

    private mutating func next(from side: Side) -> ObservedStream.Event? {
        if let context = contexts[side.rawValue] { return streams[side.rawValue].next(context) }
        var guess = DecodingContext(
            hasFourOctetAS: true, isInternal: true, maximumLength: 65535)
        var narrow = guess
        narrow.hasFourOctetAS = false
        // One end that cannot is enough.
        if opens.contains(where: { $0 != nil && $0?.fourOctetAS == nil }) { guess = narrow }
        return streams[side.rawValue].next(guess, otherwise: narrow)
    }

    private mutating func note(_ open: OpenMessage, from side: Side) {
        opens[side.rawValue] = open
        for sender in Side.allCases {
            guard let theirs = opens[sender.rawValue], let ours = opens[sender.peer.rawValue] else {
                continue
            }
            contexts[sender.rawValue] = Self.context(sender: theirs, receiver: ours)
        }
    }

    /// What holds for the messages of one end; `nil` where the two do not agree, which ends the
    /// session.
    private static func context(
        sender: OpenMessage, receiver: OpenMessage
    ) -> DecodingContext? {
        let own = receiver.fourOctetAS ?? UInt32(receiver.myAS)
        let remote = sender.fourOctetAS ?? UInt32(sender.myAS)
        var settings = PeerSettings(
            localAS: own, remoteAS: .number(remote), routerID: receiver.routerID)
        settings.families = [.ipv4, .ipv6]
        do throws(MessageFault) {
            let agreed = try SessionParameters.agree(
                ours: receiver, theirs: sender, settings: settings)
            return DecodingContext(
                hasFourOctetAS: agreed.hasFourOctetAS, families: agreed.families,
                isInternal: agreed.isInternal, maximumLength: agreed.maximumLength,
                extendedNextHop: agreed.extendedNextHop,
                role: agreed.isInternal ? nil : receiver.roleTold, remoteAS: agreed.remoteAS)
        } catch {
            return nil
        }
    }
}

extension OpenMessage {
    fileprivate var roleTold: PeerRole? {
        for case .role(let role) in capabilities { return role }
        return nil
    }
}
