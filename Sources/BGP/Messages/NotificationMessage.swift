/// NOTIFICATION: why the session ends (RFC 4271 §4.5).
public struct NotificationMessage: Hashable, Sendable {
    /// The error code; see ``Code``.
    public var code: UInt8
    /// Its subcode; 0 for none.
    public var subcode: UInt8
    /// What the codes call for; may be empty.
    public var data: [UInt8]

    /// Makes a message of any codes.
    public init(code: UInt8, subcode: UInt8, data: [UInt8] = []) {
        self.code = code
        self.subcode = subcode
        self.data = data
    }

    /// The error codes.
    public enum Code: UInt8, Hashable, Sendable, CaseIterable {
        /// RFC 4271 §6.1.
        case messageHeader = 1
        /// RFC 4271 §6.2.
        case openMessage = 2
        /// RFC 4271 §6.3.
        case updateMessage = 3
        /// RFC 4271 §6.5.
        case holdTimerExpired = 4
        /// RFC 4271 §6.6, RFC 6608.
        case finiteStateMachine = 5
        /// RFC 4271 §6.7, RFC 4486.
        case cease = 6
        /// RFC 7313 §5.
        case routeRefreshMessage = 7
        /// RFC 9687 §4.
        case sendHoldTimerExpired = 8
    }
}
