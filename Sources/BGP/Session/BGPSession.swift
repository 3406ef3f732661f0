import NetworkTypes

/// The session on one transport connection that exists (RFC 4271 §8).
///
/// ```
///   our OPEN is sent
///        ▼                 the peer's OPEN               the peer's KEEPALIVE
///    openSent ──────► agreed ──────► openConfirm ──────────────► established
///                       │   our KEEPALIVE, once a collision      ▲
///                       └────────────────────────────────────────┘
///                           the same, and the peer's KEEPALIVE was there before
///
///   any state: a message that it does not expect, an expired timer, a NOTIFICATION ──► ended
/// ```
///
/// `agreed` is what RFC 4271 passes through within OpenSent: between the peer's OPEN and our
/// KEEPALIVE stands the question whether this connection is the one to keep (§6.8), which only
/// ``BGPPeer`` can answer, and sometimes not at once.
///
/// Nothing comes after an ``Action/end(_:)``, and the session is not to be used after it.
///
/// Standards: RFC 4271 §8.2.2 (events 10, 11, 18, 19, 21, 22, 24–28), §4.4, §6.5, §10; RFC 6608;
/// RFC 2918 §4; RFC 9687 §3.
struct BGPSession: Sendable {
    enum Phase: Sendable {
        case openSent
        case agreed(SessionParameters, isPeerReady: Bool)
        case openConfirm(SessionParameters)
        case established(SessionParameters, since: Instant)
    }

    enum Action: Sendable {
        case send(BGPMessage)
        /// The peer's OPEN is acceptable: ``confirm(at:)`` is to follow, unless the session loses
        /// against another.
        case agreed(SessionParameters)
        case established(SessionParameters)
        case inbound(UpdateMessage)
        case refreshRequested(RouteFamily)
        case noted(PeerNote)
        case end(Ending)
    }

    /// How a session ends.
    enum Ending: Sendable {
        /// By us: the NOTIFICATION to send, and the rule.
        case fault(MessageFault)
        case received(NotificationMessage)
        case transport(String)
        case silently(String)
        case replaced(by: ConnectionID)
    }

    /// RFC 4271 §8.2.2: "a large value"; 4 minutes are suggested.
    static let openHoldTime: Duration = .seconds(240)
    /// RFC 9687 §3.3: eight minutes, or twice the hold time where that is more.
    static let minimumSendHoldTime: Duration = .seconds(480)
    /// Faults in UPDATEs that are noted, each once.
    static let maximumNotedFaults = 32

    let connection: ConnectionID
    /// The OPEN that we sent.
    let offer: OpenMessage
    var phase = Phase.openSent
    var prefixes: InboundPrefixes
    var jitter: Jitter
    var keepaliveWish: UInt16
    private(set) var holdDeadline: Instant?
    private(set) var keepaliveDeadline: Instant?
    private(set) var sendHoldDeadline: Instant?
    var notedFaults: Set<UpdateFault> = []
    private let settings: PeerSettings

    /// Begins in `openSent`; the caller sends `offer`.
    init(
        connection: ConnectionID, settings: PeerSettings, offer: OpenMessage, seed: UInt64,
        at now: Instant
    ) {
        self.connection = connection
        self.settings = settings
        self.offer = offer
        prefixes = InboundPrefixes(limit: settings.prefixLimit)
        jitter = Jitter(seed: seed)
        keepaliveWish = settings.keepaliveTime
        holdDeadline = now + Self.openHoldTime
    }

    /// What is agreed on; `nil` before the peer's OPEN.
    var parameters: SessionParameters? {
        switch phase {
        case .openSent: nil
        case .agreed(let parameters, _), .openConfirm(let parameters),
            .established(let parameters, _):
            parameters
        }
    }

    var isEstablished: Bool {
        if case .established = phase { true } else { false }
    }

    var nextDeadline: Instant? {
        [holdDeadline, keepaliveDeadline, sendHoldDeadline].compactMap(\.self).min()
    }

    /// Accepts the connection: KEEPALIVE is our answer to the peer's OPEN.
    mutating func confirm(at now: Instant) -> [Action] {
        guard case .agreed(let parameters, let isPeerReady) = phase else { return [] }
        phase = .openConfirm(parameters)
        scheduleKeepalive(parameters, at: now)
        return [.send(.keepalive)] + (isPeerReady ? establish(parameters, at: now) : [])
    }

    mutating func receive(_ message: BGPMessage, at now: Instant) -> [Action] {
        if case .notification(let notification) = message { return [.end(.received(notification))] }
        switch (phase, message) {
        case (.openSent, .open(let open)): return agree(on: open, at: now)
        case (.agreed(let parameters, _), .keepalive):
            // Several, where the question which connection to keep takes longer than an interval.
            phase = .agreed(parameters, isPeerReady: true)
            restartHold(parameters, at: now)
            return []
        case (.openConfirm(let parameters), .keepalive): return establish(parameters, at: now)
        case (.established(let parameters, _), .keepalive):
            restartHold(parameters, at: now)
            return []
        case (.established(let parameters, _), .update(let update)):
            restartHold(parameters, at: now)
            return take(update)
        case (.established(let parameters, _), .routeRefresh(let refresh)):
            // Other families are ignored (RFC 2918 §4). The marks of a refresh mean nothing to who
            // keeps no routes.
            guard refresh.kind == .request, parameters.families.contains(refresh.family) else {
                return []
            }
            return [.refreshRequested(refresh.family)]
        default: return [.end(.fault(unexpected(message)))]
        }
    }

    /// What is due: one of the times has expired, or a KEEPALIVE is to be sent.
    mutating func runDue(at now: Instant) -> [Action] {
        if let holdDeadline, now >= holdDeadline {
            let rule =
                parameters.map { "nothing came from the peer for \($0.holdTime) s" }
                ?? "the peer's OPEN did not come within four minutes"
            return [
                .end(
                    .fault(
                        MessageFault(
                            notification: .holdTimerExpired, rule: rule + " (RFC 4271 §6.5)")))
            ]
        }
        if let sendHoldDeadline, now >= sendHoldDeadline {
            let rule = "the peer has stopped taking what we send (RFC 9687 §3)"
            return [.end(.fault(MessageFault(notification: .sendHoldTimerExpired, rule: rule)))]
        }
        guard let keepaliveDeadline, now >= keepaliveDeadline, let parameters else { return [] }
        scheduleKeepalive(parameters, at: now)
        return [.send(.keepalive)]
    }

    /// The peer's window is full.
    mutating func stall(at now: Instant) {
        guard sendHoldDeadline == nil else { return }
        let holdTime = Duration.seconds(Int(parameters?.holdTime ?? 0))
        sendHoldDeadline = now + max(Self.minimumSendHoldTime, holdTime * 2)
    }

    /// It is not any more.
    mutating func progress() { sendHoldDeadline = nil }

    /// Takes another interval between KEEPALIVEs, without the peer having a part in it.
    mutating func setKeepalive(wish: UInt16, at now: Instant) {
        guard wish != keepaliveWish else { return }
        keepaliveWish = wish
        mutateParameters {
            $0.keepaliveTime = SessionParameters.keepaliveTime(holdTime: $0.holdTime, wish: wish)
        }
        if keepaliveDeadline != nil, let parameters { scheduleKeepalive(parameters, at: now) }
    }
}

extension BGPSession {
    private mutating func agree(on open: OpenMessage, at now: Instant) -> [Action] {
        do throws(MessageFault) {
            var wishes = settings
            wishes.keepaliveTime = keepaliveWish
            let parameters = try SessionParameters.agree(
                ours: offer, theirs: open, settings: wishes)
            phase = .agreed(parameters, isPeerReady: false)
            restartHold(parameters, at: now)
            return [.agreed(parameters)]
        } catch {
            return [.end(.fault(error))]
        }
    }

    private mutating func establish(
        _ parameters: SessionParameters, at now: Instant
    ) -> [Action] {
        phase = .established(parameters, since: now)
        restartHold(parameters, at: now)
        return [.established(parameters)]
    }

    private mutating func restartHold(_ parameters: SessionParameters, at now: Instant) {
        holdDeadline =
            parameters.holdTime == 0 ? nil : now + .seconds(Int(parameters.holdTime))
    }

    /// Jitter, but never more than one KEEPALIVE in a second (RFC 4271 §4.4).
    private mutating func scheduleKeepalive(_ parameters: SessionParameters, at now: Instant) {
        guard parameters.keepaliveTime > 0 else {
            keepaliveDeadline = nil
            return
        }
        let interval = jitter.spread(.seconds(Int(parameters.keepaliveTime)))
        keepaliveDeadline = now + max(interval, .seconds(1))
    }

    private mutating func mutateParameters(_ change: (inout SessionParameters) -> Void) {
        guard var parameters else { return }
        change(&parameters)
        switch phase {
        case .openSent: break
        case .agreed(_, let isReady): phase = .agreed(parameters, isPeerReady: isReady)
        case .openConfirm: phase = .openConfirm(parameters)
        case .established(_, let since): phase = .established(parameters, since: since)
        }
    }

    private mutating func take(_ update: UpdateMessage) -> [Action] {
        var actions: [Action] = [.inbound(update)]
        for fault in update.faults
        where notedFaults.count < Self.maximumNotedFaults
            && notedFaults.insert(fault).inserted
        {
            actions.append(.noted(PeerNote(fault)))
        }
        if let family = prefixes.apply(update) {
            actions.append(.end(tooManyPrefixes(family)))
        }
        return actions
    }

    /// The end of a session whose peer announces more than it may (RFC 4486 §4).
    func tooManyPrefixes(_ family: RouteFamily) -> Ending {
        let limit = prefixes.limit ?? 0
        return .fault(
            MessageFault(
                notification: .maximumPrefixes(family, limit: limit),
                rule: "the peer announced more than \(limit) prefixes (RFC 4486 §4)"))
    }

    /// A message that the state does not expect; its type is the data (RFC 6608 §4).
    private func unexpected(_ message: BGPMessage) -> MessageFault {
        let state: NotificationMessage.StateSubcode =
            switch phase {
            case .openSent: .openSent
            case .agreed, .openConfirm: .openConfirm
            case .established: .established
            }
        let (type, name) = message.typeOnTheWire
        var notification = NotificationMessage.unexpectedMessage(in: state)
        notification.data = [type]
        return MessageFault(
            notification: notification,
            rule: "\(name) came in state \(state.name) (RFC 6608 §4)")
    }
}

extension BGPMessage {
    fileprivate var typeOnTheWire: (UInt8, String) {
        switch self {
        case .open: (1, "OPEN")
        case .update: (2, "UPDATE")
        case .notification: (3, "NOTIFICATION")
        case .keepalive: (4, "KEEPALIVE")
        case .routeRefresh: (5, "ROUTE-REFRESH")
        }
    }
}

extension NotificationMessage.StateSubcode {
    fileprivate var name: String {
        switch self {
        case .openSent: PeerStatus.State.openSent.rawValue
        case .openConfirm: PeerStatus.State.openConfirm.rawValue
        case .established: PeerStatus.State.established.rawValue
        }
    }
}
