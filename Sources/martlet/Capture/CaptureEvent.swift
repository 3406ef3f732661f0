import BFD
import BGP

/// One thing that happened on the wire, or in a daemon beside it.
struct CaptureEvent: Sendable {
    /// What it is about.
    enum Kind: String, Sendable {
        case bgp = "BGP"
        case tcp = "TCP"
        case bfd = "BFD"
        case arp = "ARP"
        case ndp = "NDP"
        case mld = "MLD"
        /// A packet that could not be looked into.
        case packet = "IP"
        /// What a daemon says of itself.
        case state = "STATE"
    }

    /// What programs want to know of it.
    enum Content: Sendable {
        case open(OpenMessage)
        case update(UpdateMessage)
        case notification(NotificationMessage)
        case control(BFDPacket)
    }

    /// Nanoseconds since 1970.
    var nanoseconds: Int64
    /// The interface that the frame passed, where that is known.
    var interface: String?
    /// The VLANs that the frame was tagged for, outermost first.
    var vlans: [UInt16] = []
    var kind = Kind.packet
    var from = ""
    var to = ""
    /// In one word, or the name in the standard: `UPDATE`, `Up`, `request`.
    var name = ""
    /// In one line, beginning with the name.
    var text = ""
    /// More lines for who wants to know everything.
    var details: [String] = []
    var content: Content?
    /// The rules that are broken.
    var rules: [String] = []
    /// The bytes of what breaks them, or of the message.
    var bytes: [UInt8] = []
    /// Whether it is only for who wants to know everything.
    var isDetail = false

    init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The same place and time with something else to say.
    func saying(_ kind: Kind, _ name: String, _ text: String) -> CaptureEvent {
        var event = self
        event.kind = kind
        event.name = name
        event.text = text
        return event
    }

    /// The same place and time, where something breaks a rule.
    func malformed(_ kind: Kind, _ name: String, _ rule: String, _ bytes: [UInt8]) -> CaptureEvent {
        var event = saying(kind, name, "malformed \(name): \(rule)")
        event.rules = [rule]
        event.bytes = bytes
        return event
    }
}

extension Span where Element == UInt8 {
    /// A copy of the first bytes in `range`, as many as are shown of what is malformed.
    func shown(_ range: Range<Int>? = nil) -> [UInt8] {
        let range = range ?? 0..<count
        return range.prefix(4096).map { self[$0] }
    }
}
