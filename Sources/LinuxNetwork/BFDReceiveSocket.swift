import CLinux
import Glibc
import NetworkTypes

/// A UDP port of one family where BFD packets arrive, each with what is needed to judge it: the
/// hops left, the interface, and when the kernel took it in, however late it is read.
///
/// The port is not shared: who else has it is told by `EADDRINUSE`. No call waits. Bounds: a
/// datagram is cut at 256 bytes, which holds every BFD packet; the kernel keeps what fits in the
/// buffer. A socket belongs to one thread.
@safe package final class BFDReceiveSocket {
    /// Where a packet came from and how.
    package struct Arrival: Equatable, Sendable {
        /// Who sent it, with the source port.
        package let peer: SocketAddress
        /// Which of our addresses it was sent to; `nil` when the kernel did not say.
        package let local: IPAddress?
        /// The index of the interface it came in on, 0 when not known.
        package let interface: Int
        /// The TTL or hop limit it arrived with; `nil` when the kernel did not say.
        package let hops: UInt8?
        /// When the kernel took it in.
        package let time: Instant
    }

    /// The most packets of one call.
    package static let batch = Int(MARTLET_BFD_BATCH)

    /// The family of the packets.
    package let family: IPAddress.Family
    /// The port.
    package let port: UInt16

    let descriptor: Int32
    private let slots: UnsafeMutablePointer<UInt8>
    private let arrivals: UnsafeMutablePointer<martlet_bfd_arrival>
    private var clock = BFDArrivalClock(at: MonotonicClock.now())

    /// Takes the port on every address of the family.
    package init(
        _ family: IPAddress.Family, port: UInt16, receiveBuffer: Int32 = 4 << 20
    ) throws(SystemError) {
        let opened = martlet_bfd_listen(Int32(family.rawValue), port, receiveBuffer)
        guard opened >= 0 else {
            throw Self.failure(-opened, family: family, port: port)
        }
        self.family = family
        self.port = port
        descriptor = opened
        unsafe slots = .allocate(capacity: Self.batch * Int(MARTLET_BFD_SLOT))
        unsafe arrivals = .allocate(capacity: Self.batch)
        unsafe arrivals.initialize(repeating: martlet_bfd_arrival(), count: Self.batch)
    }

    deinit {
        close(descriptor)
        unsafe slots.deallocate()
        unsafe arrivals.deallocate()
    }

    static func failure(
        _ code: Int32, family: IPAddress.Family, port: UInt16
    ) -> SystemError {
        SystemError(
            "bind", errno: code, subject: "UDP port \(port) (BFD, IPv\(family.rawValue))",
            detail: code == EADDRINUSE
                ? "another BFD daemon of this host has the port: stop it, or take the BFD profile "
                    + "off the peers" : nil)
    }

    /// Hands every waiting packet, at most 64, to `body` in place: the bytes are valid only during
    /// the call. Returns how many there were; at 64 more may wait.
    package func receive(
        _ body: (Span<UInt8>, Arrival) -> Void
    ) throws(SystemError) -> Int {
        let begin = MonotonicClock.now()
        let count = unsafe Int(martlet_bfd_receive(descriptor, slots, arrivals))
        guard count >= 0 else {
            throw SystemError("recvmmsg", errno: Int32(-count), subject: "UDP port \(port) (BFD)")
        }
        let now = MonotonicClock.now()
        for index in 0..<count {
            let arrival = unsafe arrivals[index]
            guard let peer = SocketAddress(arrival.peer) else { continue }
            body(
                unsafe Span(
                    _unsafeStart: slots + index * Int(MARTLET_BFD_SLOT),
                    count: Int(arrival.length)),
                Arrival(
                    peer: peer, local: SocketAddress(arrival.local)?.address,
                    interface: Int(arrival.interface), hops: UInt8(exactly: arrival.hops),
                    time: clock.time(ofAge: arrival.age, at: now)))
        }
        if count < Self.batch { clock.drained(at: begin) }
        return count
    }
}

/// Turns how long a packet has waited by the wall clock, which jumps, into when it came by the
/// monotonic one.
///
/// A packet in the socket came after the socket was last seen empty. So a jump moves an arrival by
/// the time between two looks at most.
struct BFDArrivalClock {
    private var emptySince: Instant

    init(at now: Instant) { emptySince = now }

    /// When a packet read now came; `age` in nanoseconds, negative when not known.
    func time(ofAge age: Int64, at now: Instant) -> Instant {
        age < 0 ? now : max(emptySince, now - .nanoseconds(age))
    }

    /// Nothing that came before is still unread.
    mutating func drained(at now: Instant) { emptySince = max(emptySince, now) }
}
