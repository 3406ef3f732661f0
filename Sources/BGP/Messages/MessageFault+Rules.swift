/// Faults of the header and of whole messages, with the data that their RFC asks for.
extension MessageFault {
    /// RFC 4271 §6.1: the marker is not all ones.
    static let notSynchronized = MessageFault(
        notification: NotificationMessage(code: 1, subcode: 1),
        rule: "the marker is not all ones (RFC 4271 §6.1)")

    /// RFC 4271 §6.1: a length that no message of its type has.
    static func badLength(_ length: UInt16) -> MessageFault {
        MessageFault(
            notification: NotificationMessage(
                code: 1, subcode: 2, data: [UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]),
            rule: "a message of its type cannot be \(length) bytes long (RFC 4271 §6.1)")
    }

    /// RFC 4271 §6.1: a type that we do not know.
    static func badType(_ type: UInt8) -> MessageFault {
        MessageFault(
            notification: NotificationMessage(code: 1, subcode: 3, data: [type]),
            rule: "there is no message type \(type) (RFC 4271 §6.1)")
    }

    /// RFC 7313 §5: the data is the message, as far as it fits into a NOTIFICATION.
    static func badRefreshLength(_ message: [UInt8]) -> MessageFault {
        MessageFault(
            notification: NotificationMessage(
                code: 7, subcode: 1, data: Array(message.prefix(2048))),
            rule: "a ROUTE-REFRESH is 23 bytes long (RFC 7313 §5)")
    }

    /// RFC 4271 §6.2: the optional parameters cannot be read.
    static let malformedOpen = MessageFault(
        notification: NotificationMessage(code: 2, subcode: 0),
        rule: "the optional parameters do not fit their lengths (RFC 4271 §6.2)")

    /// RFC 4271 §6.2: a version other than 4; the data is the version that we speak.
    static func badVersion(_ version: UInt8) -> MessageFault {
        MessageFault(
            notification: .unsupportedVersion,
            rule: "version \(version) is not spoken here, only 4 (RFC 4271 §6.2)")
    }

    /// RFC 4271 §6.2: an optional parameter that is not of type 2; the data is the parameter.
    static func badParameter(_ parameter: [UInt8]) -> MessageFault {
        MessageFault(
            notification: NotificationMessage(code: 2, subcode: 4, data: parameter),
            rule: "optional parameter \(parameter.first ?? 0) is not known (RFC 4271 §6.2)")
    }

    /// An UPDATE that resets the session (RFC 7606 §3). No data: RFC 4271 §6.3 asks for some only
    /// where it names one attribute.
    static func update(
        _ subcode: NotificationMessage.UpdateSubcode, data: [UInt8] = [], _ rule: String
    ) -> MessageFault {
        MessageFault(
            notification: NotificationMessage(code: 3, subcode: subcode.rawValue, data: data),
            rule: rule)
    }
}
