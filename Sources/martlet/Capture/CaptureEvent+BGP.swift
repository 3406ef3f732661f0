import BGP
import NetworkTypes

extension CaptureEvent {
    /// The same place and time with what an onlooker of a session saw.
    func saying(_ seen: ObservedStream.Event) -> CaptureEvent {
        switch seen {
        case .message(let message, let bytes): saying(message, bytes)
        case .ignored(let bytes):
            {
                var event = saying(
                    .bgp, Self.name(bytes),
                    "\(Self.name(bytes)) of an unknown subtype, ignored (RFC 7313 §5)")
                event.bytes = bytes
                return event
            }()
        case .malformed(let fault, let bytes):
            {
                var event = malformed(.bgp, Self.name(bytes), fault.rule, bytes)
                event.details = ["calls for NOTIFICATION \(fault.notification)"]
                return event
            }()
        case .unreadable(let count):
            saying(
                .bgp, "unreadable",
                "\(count) byte\(count == 1 ? "" : "s") passed over: no whole message begins there")
        }
    }

    private func saying(_ message: BGPMessage, _ bytes: [UInt8]) -> CaptureEvent {
        var event = saying(.bgp, Self.name(bytes), message.description)
        event.bytes = bytes
        switch message {
        case .open(let open):
            event.content = .open(open)
            event.details = open.capabilities.map { "can: \($0)" }
        case .update(let update):
            event.content = .update(update)
            event.rules = update.faults.map(\.description)
            event.text = Self.text(update)
            event.details = Self.details(update)
        case .notification(let notification): event.content = .notification(notification)
        case .keepalive, .routeRefresh: break
        }
        return event
    }

    /// The message's name by its header.
    private static func name(_ bytes: [UInt8]) -> String {
        switch bytes.count > 18 ? bytes[18] : 0 {
        case 1: "OPEN"
        case 2: "UPDATE"
        case 3: "NOTIFICATION"
        case 4: "KEEPALIVE"
        case 5: "ROUTE-REFRESH"
        default: "message"
        }
    }

    /// One line: few prefixes, and how many more there are.
    private static func text(_ update: UpdateMessage) -> String {
        var parts: [String] = []
        if let family = update.endOfRIB { parts.append("End-of-RIB \(family)") }
        if !update.announced.isEmpty {
            parts.append("\(list(update.announced)) announced with \(update.attributes)")
        }
        if !update.withdrawn.isEmpty { parts.append("\(list(update.withdrawn)) withdrawn") }
        for fault in update.faults {
            let approach =
                switch fault.approach {
                case .attributeDiscard: "passed over"
                case .treatAsWithdraw: "counts as a withdrawal"
                }
            parts.append("malformed, \(approach): \(fault)")
        }
        return "UPDATE: " + (parts.isEmpty ? "nothing" : parts.joined(separator: "; "))
    }

    private static func list(_ prefixes: [Prefix]) -> String {
        let text = prefixes.prefix(3).map(\.description).joined(separator: ", ")
        return prefixes.count > 3 ? "\(text) and \(prefixes.count - 3) more" : text
    }

    private static func details(_ update: UpdateMessage) -> [String] {
        update.withdrawn.map { "- \($0)" } + update.announced.map { "+ \($0)" }
    }
}
