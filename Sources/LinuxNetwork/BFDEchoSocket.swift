import CLinux
import Glibc
import NetworkTypes

/// Sends and hears BFD echo packets of one family on one interface, below IP: an echo packet is
/// addressed to its own sender (RFC 5881 §4), so this kernel would neither let it out nor in.
///
/// It also sees the control packets that come in, to know the stations to send by. Frames are cut
/// at 256 bytes. No call waits. A socket belongs to one thread.
package final class BFDEchoSocket {
    /// The link-layer address of a station: at most eight bytes, none on links without any.
    package typealias Station = [UInt8]

    /// The most frames of one call of `receive`.
    package static let batch = 64

    let descriptor: Int32
    private let family: IPAddress.Family
    private let interface: Int
    private var bytes = [UInt8](repeating: 0, count: Int(MARTLET_BFD_SLOT))
    private var clock = BFDArrivalClock(at: MonotonicClock.now())

    /// Listens to UDP packets to the two ports on the interface with that index.
    package init(
        _ family: IPAddress.Family, interface: Int, echoPort: UInt16, controlPort: UInt16
    ) throws(SystemError) {
        let opened = martlet_bfd_tap(
            Int32(family.rawValue), Int32(truncatingIfNeeded: interface), echoPort, controlPort)
        guard opened >= 0 else {
            throw SystemError(
                "socket(AF_PACKET)", errno: -opened, subject: "interface \(interface) (BFD echo)")
        }
        descriptor = opened
        self.family = family
        self.interface = interface
    }

    deinit { close(descriptor) }

    /// Hands waiting packets, from their IP header on, to `body`, at most 64, with the station that
    /// they came from and when. Returns how many there were; at 64 more may wait.
    package func receive(
        _ body: ([UInt8], Station, Instant) -> Void
    ) throws(SystemError) -> Int {
        let begin = MonotonicClock.now()
        var frame = martlet_bfd_frame()
        for count in 0..<Self.batch {
            let status = unsafe bytes.withUnsafeMutableBufferPointer { space in
                unsafe martlet_bfd_tap_receive(
                    descriptor, space.baseAddress, UInt32(space.count), &frame)
            }
            guard status >= 0 else {
                throw SystemError(
                    "recvmsg(AF_PACKET)", errno: -status,
                    subject: "interface \(interface) (BFD echo)")
            }
            if status == 0 {
                clock.drained(at: begin)
                return count
            }
            let station = unsafe withUnsafeBytes(of: frame.link) { link in
                unsafe Array(link.prefix(Int(frame.link_length)))
            }
            let length = min(Int(frame.length), bytes.count)
            body(
                Array(bytes[..<length]), station,
                clock.time(ofAge: frame.age, at: MonotonicClock.now()))
        }
        return Self.batch
    }

    /// Sends an IP packet to a station. Returns 0, or the error number of `errno(3)`.
    package func send(_ packet: [UInt8], to station: Station) -> Int32 {
        unsafe packet.withUnsafeBufferPointer { bytes in
            unsafe station.withUnsafeBufferPointer { link in
                unsafe -martlet_bfd_tap_send(
                    descriptor, Int32(family.rawValue), Int32(truncatingIfNeeded: interface),
                    link.baseAddress, UInt32(link.count), bytes.baseAddress, UInt32(bytes.count))
            }
        }
    }
}

/// Holds the echo port of a family: echo packets that came back are heard below IP, and this keeps
/// the kernel from answering them with "port unreachable".
package final class BFDEchoPort {
    private let descriptor: Int32

    /// Takes the port on every address of the family.
    package init(_ family: IPAddress.Family, port: UInt16) throws(SystemError) {
        let opened = martlet_bfd_hold(Int32(family.rawValue), port)
        guard opened >= 0 else {
            throw BFDReceiveSocket.failure(-opened, family: family, port: port)
        }
        descriptor = opened
    }

    deinit { close(descriptor) }
}
