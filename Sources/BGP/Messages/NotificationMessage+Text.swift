extension NotificationMessage: CustomStringConvertible {
    /// As in `Cease/Administrative Shutdown: "back at noon"`; one line whatever the data is.
    public var description: String {
        if let inner = hardResetReason { return "Cease/Hard Reset of \(inner)" }
        guard let detail else { return name }
        return "\(name): \(detail)"
    }

    /// The names of code and subcode in the registry, `Cease/Connection Rejected`; numbers where
    /// there are none.
    public var name: String {
        guard let known = Code(rawValue: code) else { return "error \(code)/\(subcode)" }
        if let name = known.subcodeName(subcode) { return "\(known.name)/\(name)" }
        return subcode == 0 ? known.name : "\(known.name)/\(subcode)"
    }

    /// The NOTIFICATION inside a Hard Reset (RFC 8538 §3.1); `nil` for any other, and for one that
    /// has none. A Hard Reset inside another is not looked into.
    public var hardResetReason: NotificationMessage? {
        guard code == 6, subcode == CeaseSubcode.hardReset.rawValue, data.count >= 2 else {
            return nil
        }
        return NotificationMessage(code: data[0], subcode: data[1], data: Array(data[2...]))
    }

    /// What the peer's operator wrote (RFC 9003 §2), also inside a Hard Reset. Characters that
    /// could spoil a terminal or a log are made visible.
    ///
    /// - Returns: `nil` when there is no text, or its length or encoding is wrong.
    public var shutdownMessage: String? {
        if let inner = hardResetReason {
            return inner.hardResetReason == nil ? inner.shutdownMessage : nil
        }
        guard code == 6, CeaseSubcode(rawValue: subcode)?.carriesText == true,
            let length = data.first, length > 0, data.count == Int(length) + 1
        else { return nil }
        return String(validating: data[1...], as: UTF8.self)?.printable
    }

    /// What the data says, where it is of use to a reader.
    private var detail: String? {
        switch (code, subcode) {
        case (6, 2), (6, 4):
            guard let length = data.first else { return nil }
            if let text = shutdownMessage { return "\"\(text)\"" }
            guard data.count == Int(length) + 1 else { return "a text of a wrong length: \(hex)" }
            return length == 0 ? nil : "a text that is not UTF-8: \(hex)"
        case (6, 9): return data.isEmpty ? "no reason inside" : "reason \(hex)"
        case (6, 1) where data.count == 7:
            let family = RouteFamily(afi: UInt16(number(0..<2)), safi: data[2])
            return "\(family), limit \(number(3..<7))"
        case (1, 2) where data.count == 2: return "length \(number(0..<2))"
        case (1, 3) where data.count == 1: return "type \(data[0])"
        case (2, 1) where data.count == 2: return "it speaks version \(number(0..<2))"
        case (2, 2) where data.count == 2 || data.count == 4: return "AS \(number(data.indices))"
        case (2, 6) where data.count == 2: return "\(number(0..<2)) s"
        case (2, 7) where !data.isEmpty:
            var capabilities: [Capability] = []
            do throws(MessageFault) {
                try Capability.decode(data.span, data.indices, into: &capabilities)
            } catch {
                return hex
            }
            return capabilities.map(\.description).joined(separator: ", ")
        case (5, 1...3) where data.count == 1:
            return BGPMessage.Kind(rawValue: data[0])?.name ?? "type \(data[0])"
        default: return data.isEmpty ? nil : hex
        }
    }

    private var hex: String { HexText.describe(data) }

    private func number(_ range: Range<Int>) -> UInt32 {
        data[range].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension NotificationMessage.Code {
    /// The name in the registry of error codes.
    public var name: String {
        switch self {
        case .messageHeader: "Message Header Error"
        case .openMessage: "OPEN Message Error"
        case .updateMessage: "UPDATE Message Error"
        case .holdTimerExpired: "Hold Timer Expired"
        case .finiteStateMachine: "Finite State Machine Error"
        case .cease: "Cease"
        case .routeRefreshMessage: "ROUTE-REFRESH Message Error"
        case .sendHoldTimerExpired: "Send Hold Timer Expired"
        }
    }

    /// The name of a subcode, `nil` where it has none.
    fileprivate func subcodeName(_ subcode: UInt8) -> String? {
        let names: [String?]
        switch self {
        case .messageHeader:
            names = ["Connection Not Synchronized", "Bad Message Length", "Bad Message Type"]
        case .openMessage:
            names = [
                "Unsupported Version Number", "Bad Peer AS", "Bad BGP Identifier",
                "Unsupported Optional Parameter", "Authentication Failure",
                "Unacceptable Hold Time", "Unsupported Capability", nil, nil, nil, "Role Mismatch",
            ]
        case .updateMessage:
            names = [
                "Malformed Attribute List", "Unrecognized Well-known Attribute",
                "Missing Well-known Attribute", "Attribute Flags Error", "Attribute Length Error",
                "Invalid ORIGIN Attribute", "AS Routing Loop", "Invalid NEXT_HOP Attribute",
                "Optional Attribute Error", "Invalid Network Field", "Malformed AS_PATH",
            ]
        case .finiteStateMachine:
            names = ["OpenSent", "OpenConfirm", "Established"].map {
                "Receive Unexpected Message in \($0) State"
            }
        case .cease:
            names = [
                "Maximum Number of Prefixes Reached", "Administrative Shutdown",
                "Peer De-configured", "Administrative Reset", "Connection Rejected",
                "Other Configuration Change", "Connection Collision Resolution",
                "Out of Resources", "Hard Reset", "BFD Down",
            ]
        case .routeRefreshMessage: names = ["Invalid Message Length"]
        case .holdTimerExpired, .sendHoldTimerExpired: names = []
        }
        guard subcode > 0, Int(subcode) <= names.count else { return nil }
        return names[Int(subcode) - 1]
    }
}

/// Bytes as text.
enum HexText {
    /// `0a 0b 0c`, of at most 32 bytes, and how many more there are.
    static func describe(_ bytes: [UInt8]) -> String {
        let text = bytes.prefix(32).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            .joined(separator: " ")
        return bytes.count > 32 ? "\(text) and \(bytes.count - 32) bytes more" : text
    }
}

extension String {
    /// The text with control and format characters written as `\u{…}`.
    fileprivate var printable: String {
        var text = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
                text += "\\u{\(String(scalar.value, radix: 16))}"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
