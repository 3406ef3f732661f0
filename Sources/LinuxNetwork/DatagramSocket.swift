import CLinux
import Glibc
import NetworkTypes

/// A UDP socket of one family that also hears what became of its datagrams: ICMP errors and failed
/// address resolution, each with the peer it is about.
///
/// No call waits. Datagrams are received and sent 64 to a system call. They carry DSCP CS6 and
/// never DF, so a path of small MTU fragments them. Sending to somebody who is not there is an
/// error of that datagram alone; what the kernel tells later comes out of ``receiveErrors(_:)``.
///
/// Bounds: a datagram longer than 2,048 bytes is not handed over but counted; what exceeds the
/// buffers is dropped, by the kernel on the way in, with a ``SendFailure`` on the way out. A socket
/// belongs to one thread. Link-local addresses need a scope and are not supported.
@safe package final class DatagramSocket {
    /// A datagram that was not sent.
    package struct SendFailure: Equatable, Sendable {
        /// Where it was to go.
        package let destination: SocketAddress
        /// The error number of `errno(3)`.
        package let code: Int32

        /// Whether only room was missing; the next may go.
        package var isFull: Bool { code == EAGAIN || code == ENOBUFS || code == ENOMEM }
    }

    /// What came back for a datagram that was sent.
    package struct ReturnedError: Equatable, Sendable {
        /// What it means for the peer.
        package enum Kind: Equatable, Sendable {
            /// The host is there and nobody listens at the port (RFC 792, RFC 4443 §3.1 code 4).
            case portUnreachable
            /// A router, or our own kernel (no ARP or NDP answer), cannot reach the host.
            case hostUnreachable
            /// Anything else: a filter's refusal, a parameter problem.
            case other(code: Int32)
        }

        /// Where the datagram was sent to.
        package let peer: SocketAddress
        /// What it means.
        package let kind: Kind
        /// The datagram's beginning as the error quotes it, at most 64 bytes: who forges an error
        /// without seeing our datagrams does not know it.
        package let quoted: [UInt8]
    }

    /// The most bytes of a datagram that is sent or handed over.
    package static let maximumLength = 2_048
    /// The most failures kept until `flush`; more are only counted.
    package static let maximumFailures = 1_024

    /// For `poll` only.
    package let descriptor: Int32
    /// What the socket is bound to; the port is the real one.
    package let local: SocketAddress
    /// Datagrams that came and were too long to hand over.
    package private(set) var oversized = 0
    /// Datagrams that were not sent, whether or not their failure was told.
    package private(set) var unsent = 0

    static let batch = Int(MARTLET_DATAGRAM_BATCH)
    private static let quotedLength = 64

    // Owned: opened in init, freed in deinit. Plain memory, because an array behind a class is
    // checked for uniqueness and exclusivity at every byte.
    private let incoming: UnsafeMutablePointer<UInt8>
    private let received: UnsafeMutablePointer<martlet_datagram>
    private let outgoing: UnsafeMutablePointer<UInt8>
    private let queue: UnsafeMutablePointer<martlet_datagram>
    private var queued = 0
    private var failures: [SendFailure] = []

    /// Binds a socket to an address, or with the unspecified address to every address of that
    /// family; port 0 is any free one. The buffers (in bytes) are what the kernel is asked for.
    package init(
        _ local: SocketAddress, receiveBuffer: Int32 = 1 << 20, sendBuffer: Int32 = 1 << 20
    ) throws(SystemError) {
        let subject = "UDP \(local)"
        var end = martlet_datagram_end(local)
        let opened = unsafe martlet_datagram_open(&end, receiveBuffer, sendBuffer)
        guard opened >= 0 else {
            throw SystemError("bind", errno: -opened, subject: subject)
        }
        let port = martlet_datagram_port(opened)
        guard port >= 0 else {
            close(opened)
            throw SystemError("getsockname", errno: -port, subject: subject)
        }
        descriptor = opened
        self.local = SocketAddress(local.address, port: UInt16(truncatingIfNeeded: port))
        unsafe incoming = .allocate(capacity: Self.batch * Self.maximumLength)
        unsafe outgoing = .allocate(capacity: Self.batch * Self.maximumLength)
        unsafe received = .allocate(capacity: Self.batch)
        unsafe queue = .allocate(capacity: Self.batch)
        unsafe received.initialize(repeating: martlet_datagram(), count: Self.batch)
        unsafe queue.initialize(repeating: martlet_datagram(), count: Self.batch)
    }

    deinit {
        close(descriptor)
        unsafe incoming.deallocate()
        unsafe outgoing.deallocate()
        unsafe received.deallocate()
        unsafe queue.deallocate()
    }

    /// Hands every waiting datagram, at most 64, to `body` in place: the bytes are valid only
    /// during the call. Returns how many there were; at 64 more may wait.
    package func receive(
        _ body: (Span<UInt8>, SocketAddress) -> Void
    ) throws(SystemError) -> Int {
        let count = unsafe martlet_datagram_receive(
            descriptor, incoming, UInt32(Self.maximumLength), received)
        guard count >= 0 else {
            throw SystemError("recvmmsg", errno: -count, subject: "UDP \(local)")
        }
        for index in 0..<Int(count) {
            let datagram = unsafe received[index]
            let length = Int(datagram.length)
            guard length <= Self.maximumLength, let peer = SocketAddress(datagram.peer) else {
                oversized += 1
                continue
            }
            body(
                unsafe Span(
                    _unsafeStart: incoming + index * Self.maximumLength, count: length), peer)
        }
        return Int(count)
    }

    /// Hands the errors that came back, at most 64, to `body`. Returns how many there were; at 64
    /// more may wait.
    package func receiveErrors(_ body: (ReturnedError) -> Void) throws(SystemError) -> Int {
        var error = martlet_datagram_error()
        for count in 0..<Self.batch {
            var quoted = [UInt8](repeating: 0, count: Self.quotedLength)
            let status = unsafe quoted.withUnsafeMutableBufferPointer { space in
                unsafe martlet_datagram_failure(
                    descriptor, space.baseAddress, UInt32(space.count), &error)
            }
            guard status >= 0 else {
                throw SystemError("recvmsg(MSG_ERRQUEUE)", errno: -status, subject: "UDP \(local)")
            }
            if status == 0 { return count }
            guard let peer = SocketAddress(error.peer) else { continue }
            quoted.removeLast(quoted.count - min(Int(error.quoted), quoted.count))
            body(ReturnedError(peer: peer, kind: .init(error), quoted: quoted))
        }
        return Self.batch
    }

    /// Puts a datagram aside, to go out with others in one system call: with the next ``flush()``,
    /// or when 64 wait.
    ///
    /// - Precondition: the destination is of the socket's family, and the datagram at most
    ///   ``maximumLength`` long.
    package func enqueue(_ datagram: Span<UInt8>, to destination: SocketAddress) {
        precondition(datagram.count <= Self.maximumLength, "a datagram longer than a slot")
        precondition(destination.address.family == local.address.family, "another family")
        let slot = queued
        unsafe datagram.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe (outgoing + slot * Self.maximumLength).update(from: start, count: bytes.count)
        }
        unsafe queue[slot] = martlet_datagram(
            peer: martlet_datagram_end(destination), length: UInt32(datagram.count), failure: 0)
        queued = slot + 1
        if queued == Self.batch { send() }
    }

    /// Sends what `enqueue` put aside. Returns what was not sent since the last call.
    package func flush() -> [SendFailure] {
        if queued > 0 { send() }
        if failures.isEmpty { return [] }
        defer { failures = [] }
        return failures
    }

    private func send() {
        let count = queued
        queued = 0
        let failed = unsafe martlet_datagram_send(
            descriptor, outgoing, UInt32(Self.maximumLength), queue, UInt32(count))
        if failed == 0 { return }
        unsent += Int(failed)
        for index in 0..<count where unsafe queue[index].failure != 0 {
            let datagram = unsafe queue[index]
            guard failures.count < Self.maximumFailures, let peer = SocketAddress(datagram.peer)
            else { continue }
            failures.append(SendFailure(destination: peer, code: datagram.failure))
        }
    }
}
