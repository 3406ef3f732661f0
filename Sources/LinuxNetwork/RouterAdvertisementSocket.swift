import CLinux
import Glibc
import NetworkTypes

/// Hears and sends router advertisements and solicitations on one interface (raw ICMPv6). No call
/// waits.
///
/// The kernel checks and computes checksums and takes the interface's link-local address as source.
/// What cannot be believed is counted and passed over. The socket belongs to the interface as it is
/// now: when that is deleted and made again, open another. It belongs to one thread.
@safe package final class RouterAdvertisementSocket {
    /// For a ``Poller``: readable when a message waits.
    package let descriptor: Int32
    /// The interface.
    package let interface: String
    /// Messages that were not believed, by reason.
    package private(set) var faults: [RouterMessage.Fault: Int] = [:]

    private static let capacity = 2_048
    private static let batch = 16
    private let buffer: UnsafeMutablePointer<UInt8>

    /// Opens a socket; needs CAP_NET_RAW.
    package init(interface: String) throws(SystemError) {
        var call: UnsafePointer<CChar>?
        let opened = unsafe martlet_router_open(interface, &call)
        guard opened >= 0 else {
            let name = unsafe call.map { unsafe String(cString: $0) } ?? "socket"
            throw SystemError(name, errno: -opened, subject: "interface \(interface)")
        }
        descriptor = opened
        self.interface = interface
        unsafe buffer = .allocate(capacity: Self.capacity)
    }

    deinit {
        close(descriptor)
        unsafe buffer.deallocate()
    }

    /// Hands messages that wait, each with its sender, to `body`. Takes at most 16, believed or
    /// not, and returns how many; at 16 more may wait.
    package func receive(
        _ body: (RouterMessage, IPAddress) -> Void
    ) throws(SystemError) -> Int {
        var message = martlet_router_message()
        for count in 0..<Self.batch {
            let status = unsafe martlet_router_receive(
                descriptor, buffer, UInt32(Self.capacity), &message)
            guard status >= 0 else {
                throw SystemError("recvmsg", errno: -status, subject: "interface \(interface)")
            }
            if status == 0 { return count }
            let ordered = unsafe withUnsafeBytes(of: message.source) { bytes in
                unsafe bytes.loadUnaligned(as: UInt128.self)
            }
            let source = IPAddress(family: .ipv6, bits: UInt128(bigEndian: ordered))
            do throws(RouterMessage.Fault) {
                guard message.length <= Self.capacity else { throw .truncated }
                let bytes = unsafe Span(_unsafeStart: buffer, count: Int(message.length))
                let decoded = try RouterMessage(
                    decoding: bytes, from: source, hopLimit: message.hop_limit)
                body(decoded, source)
            } catch {
                faults[error, default: 0] += 1
            }
        }
        return Self.batch
    }

    /// Sends a message to its group. Without a link-local address on the interface, as in its first
    /// second while the address is checked for duplicates, it fails with `EADDRNOTAVAIL`.
    package func send(_ message: RouterMessage) throws(SystemError) {
        let status = unsafe message.group.bytes.withUnsafeBufferPointer { group in
            unsafe message.encoded.withUnsafeBufferPointer { bytes in
                unsafe martlet_router_send(
                    descriptor, interface, group.baseAddress, bytes.baseAddress,
                    UInt32(bytes.count))
            }
        }
        guard status == 0 else {
            throw SystemError("sendto", errno: -status, subject: "interface \(interface)")
        }
    }
}
