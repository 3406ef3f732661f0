/// Something about a peer that its operator should read in a log.
///
/// A peer that goes on failing in the same way gives one note until it was Established again.
public struct PeerNote: Hashable, Sendable {
    /// How much it matters.
    public enum Severity: UInt8, Hashable, Sendable, Comparable {
        /// Good to know.
        case notice = 0
        /// Something does not work as configured.
        case warning = 1

        /// By weight.
        public static func < (left: Severity, right: Severity) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// How much it matters.
    public var severity: Severity
    /// What happened, and why as far as it is known.
    public var text: String
    /// What the reader can do, where there is something.
    public var remedy: String?

    /// Makes a note.
    public init(_ severity: Severity, _ text: String, remedy: String? = nil) {
        self.severity = severity
        self.text = text
        self.remedy = remedy
    }
}
