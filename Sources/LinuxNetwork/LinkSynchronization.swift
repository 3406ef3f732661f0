import CLinux
import Glibc
import NetworkTypes

/// Keeps a `LinkTable` equal to the kernel's, from the bytes of a netlink socket: asks for a dump
/// of links, then of addresses, then follows the notifications. A value; the socket is elsewhere.
///
/// ```
///            start()             done              done
///   idle ───────────▶ links ───────────▶ addresses ───────────▶ synchronized
///                      ▲  ▲                  │                        │
///                      │  └── interrupted ───┘                        │
///                      └───────────── start(): messages were lost ────┘
/// ```
///
/// A dump is built aside and replaces the table when complete, so a reader never sees half a dump.
/// Notifications that arrive during a dump go into the new table, in the order in which they came.
struct LinkSynchronization: Sendable {
    /// What the owner of the socket has to do.
    enum Action: Equatable, Sendable {
        /// Send this request to the kernel.
        case request([UInt8])
        /// The dump failed with this errno; begin again.
        case failed(errno: Int32)
    }

    private enum State: Equatable { case idle, links, addresses, synchronized }

    /// The last complete table.
    private(set) var table = LinkTable()

    /// Whether `table` has changed since `takeChange()`.
    private var isChanged = false

    private var state = State.idle
    private var growing = LinkTable()
    private var isInterrupted = false
    private var sequence: UInt32 = 0

    /// The table, if it is complete and differs from the one returned last.
    mutating func takeChange() -> LinkTable? {
        guard isChanged else { return nil }
        isChanged = false
        return table
    }

    /// Begins a new dump. The table stays as it was until the dump is complete.
    mutating func start() -> Action {
        growing = LinkTable()
        state = .links
        return request(.links)
    }

    private mutating func request(_ next: State) -> Action {
        state = next
        isInterrupted = false
        sequence &+= 1
        return .request(
            NetlinkRequest.dump(
                next == .links ? UInt16(RTM_GETLINK) : UInt16(RTM_GETADDR),
                sequence: sequence))
    }

    /// Takes in one datagram of the socket.
    mutating func received(_ datagram: Span<UInt8>) -> [Action] {
        var actions: [Action] = []
        var reader = NetlinkReader(datagram)
        while let message = reader.nextMessage() {
            if let action = handle(message) { actions.append(action) }
        }
        return actions
    }

    private mutating func handle(_ message: borrowing NetlinkMessage) -> Action? {
        // A notification carries the sequence number of whoever caused it, so the number tells
        // only whether a dump of ours goes on; what it says is true either way.
        let isAnswer = message.sequence == sequence && state != .synchronized
        switch Int32(message.type) {
        case NLMSG_DONE: return isAnswer ? dumpEnded() : nil
        case NLMSG_ERROR:
            guard isAnswer,
                let code = message.payload.hostInteger(UInt32.self, at: 0)
                    .map(Int32.init(bitPattern:)), code != 0
            else { return nil }
            state = .idle
            return .failed(errno: code == .min ? EIO : abs(code))
        default:
            if isAnswer, message.flags & UInt16(NLM_F_DUMP_INTR) != 0 { isInterrupted = true }
            guard let change = LinkChange(message) else { return nil }
            if state == .synchronized {
                if table.apply(change) { isChanged = true }
            } else {
                _ = growing.apply(change)
            }
            return nil
        }
    }

    private mutating func dumpEnded() -> Action? {
        if isInterrupted { return start() }
        if state == .links { return request(.addresses) }
        state = .synchronized
        if growing != table || table.links.isEmpty {
            table = growing
            isChanged = true
        }
        growing = LinkTable()
        return nil
    }
}

/// The two requests that the link monitor makes.
enum NetlinkRequest {
    /// A request for every object of one kind, in the host's byte order.
    static func dump(_ type: UInt16, sequence: UInt32) -> [UInt8] {
        let isLink = type == UInt16(RTM_GETLINK)
        // Written most significant byte first, `bigEndian` comes out in the host's own order.
        var writer = ByteWriter(capacity: 40)
        writer.uint32(UInt32(isLink ? 40 : 24).bigEndian)
        writer.uint16(type.bigEndian)
        writer.uint16(UInt16(NLM_F_REQUEST | NLM_F_DUMP).bigEndian)
        writer.uint32(sequence.bigEndian)
        writer.uint32(0)
        // struct ifinfomsg (16 bytes) or ifaddrmsg (8), all zero: every family, every interface.
        for _ in 0..<(isLink ? 4 : 2) { writer.uint32(0) }
        if isLink {
            // Leave out the counters: they are most of each message.
            writer.uint16(UInt16(8).bigEndian)
            writer.uint16(UInt16(IFLA_EXT_MASK).bigEndian)
            writer.uint32(UInt32(RTEXT_FILTER_SKIP_STATS).bigEndian)
        }
        return writer.bytes
    }
}
