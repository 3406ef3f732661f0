import CLinux
import Glibc
import NetworkTypes

/// One TCP connection. No call waits.
///
/// Segments carry DSCP CS6 and are never delayed to be filled (Nagle); the session's own timers
/// judge whether the peer is alive, so neither keepalives nor a user time-out are set. The kernel
/// holds at most about 128 KiB that it has not sent: what the peer does not take stays with the
/// caller, who can still change its mind. An attempt to connect that nobody answers ends after
/// about 7 s, so that who comes up is not kept waiting by an old attempt.
///
/// A socket belongs to one thread. It closes when it goes.
package final class StreamSocket {
    /// What `receive` found.
    package enum Received: Equatable, Sendable {
        /// Bytes, which were handed over; more may wait.
        case data
        /// Nothing for now.
        case nothing
        /// The peer has said that no more will come.
        case end
    }

    /// For a ``Poller``; -1 once closed. Writable after connecting means: look at
    /// ``isConnected()``.
    package private(set) var descriptor: Int32
    /// The far end.
    package let remote: StreamEnd
    /// Whether the peer connected to us.
    package let isIncoming: Bool

    static let unsentLimit: Int32 = 128 << 10
    static let attempts: Int32 = 2

    /// Begins to connect.
    ///
    /// - Throws: what is wrong already: no route, no such interface, an address that is not ours.
    package init(
        connectingTo remote: SocketAddress, _ options: StreamOptions = StreamOptions()
    ) throws(SystemError) {
        let subject = "TCP to \(remote)"
        var target = try martlet_stream_end(remote, interface: options.interface)
        let opened = try Self.open(remote.address.family, subject: subject)
        do throws(SystemError) {
            try Self.prepare(opened, for: remote, options, subject: subject)
            let status = unsafe martlet_stream_connect(opened, &target)
            guard status == 0 else {
                throw Self.connectError(-status, subject: subject)
            }
        } catch {
            Glibc.close(opened)
            throw error
        }
        descriptor = opened
        self.remote = StreamEnd(
            remote, interface: target.scope == 0 ? nil : options.interface)
        isIncoming = false
    }

    /// Takes over a connection that a listener accepted; `nil`, and closed, when the kernel does
    /// not let it be tuned.
    init?(accepted descriptor: Int32, from remote: StreamEnd) {
        guard martlet_stream_tune(descriptor, Self.unsentLimit, 0) == 0 else {
            Glibc.close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.remote = remote
        isIncoming = true
    }

    deinit { close() }

    // MARK: Connecting

    /// Whether the attempt to connect has succeeded; false as long as it is under way. Throws when
    /// it has failed, once.
    package func isConnected() throws(SystemError) -> Bool {
        let status = martlet_stream_connected(descriptor)
        guard status >= 0 else { throw Self.connectError(-status, subject: "TCP to \(remote)") }
        return status == 1
    }

    /// The near end: the address that the connection comes from.
    package func local() throws(SystemError) -> StreamEnd {
        var end = martlet_stream_end()
        let status = unsafe martlet_stream_local(descriptor, &end)
        guard status == 0, let local = StreamEnd(end) else {
            throw SystemError("getsockname", errno: -status, subject: "TCP with \(remote)")
        }
        return local
    }

    // MARK: Bytes

    /// Hands what waits, at most ``StreamBuffer/capacity`` bytes, to `body` in place: they are
    /// valid only during the call.
    ///
    /// - Throws: when the connection has ended with an error, a reset for example.
    package func receive(
        with buffer: StreamBuffer, _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> Received {
        let count = unsafe martlet_stream_receive(
            descriptor, buffer.start, UInt(StreamBuffer.capacity))
        if count > 0 {
            body(unsafe Span(_unsafeStart: buffer.start, count: count))
            return .data
        }
        if count == 0 { return .end }
        let code = Int32(-count)
        if code == EAGAIN { return .nothing }
        throw SystemError("recv", errno: code, subject: "TCP with \(remote)")
    }

    /// Gives bytes to the kernel. Returns how many it took: fewer than there are, or none, when the
    /// peer does not keep up; the rest is the caller's, to be tried again once the socket is
    /// writable.
    package func send(_ bytes: Span<UInt8>) throws(SystemError) -> Int {
        if bytes.isEmpty { return 0 }
        let count = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe martlet_stream_send(descriptor, bytes.baseAddress, UInt(bytes.count))
        }
        guard count >= 0 else {
            throw SystemError("send", errno: Int32(-count), subject: "TCP with \(remote)")
        }
        return count
    }

    /// Bytes that the kernel has taken and that were not sent, because the peer's window is closed
    /// or the path is full; 0 when the socket is closed.
    package var unsent: Int { max(0, Int(martlet_stream_waiting(descriptor, 1))) }

    /// Bytes that the kernel has taken and the peer has not acknowledged, ``unsent`` among them; 0
    /// when the socket is closed.
    package var unacknowledged: Int { max(0, Int(martlet_stream_waiting(descriptor, 0))) }

    // MARK: Ends

    /// Says that no more will be sent, after what was given to `send`; the peer can still send.
    package func finish() throws(SystemError) {
        let status = martlet_stream_finish(descriptor)
        guard status == 0 else {
            throw SystemError("shutdown", errno: -status, subject: "TCP with \(remote)")
        }
    }

    /// Ends the connection; what was given to `send` still goes out as far as the peer takes it.
    /// Does nothing when it is closed already.
    ///
    /// What the peer has sent is read and thrown away first: closing over unread bytes is a reset,
    /// which may overtake the last words and make the peer lose them (RFC 1122 §4.2.2.13).
    package func close() {
        guard descriptor >= 0 else { return }
        if martlet_stream_finish(descriptor) == 0 { discardIncoming() }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// Ends the connection with a reset; nothing more goes out. Does nothing when it is closed.
    package func abort() {
        guard descriptor >= 0 else { return }
        martlet_stream_forsake(descriptor)
        Glibc.close(descriptor)
        descriptor = -1
    }

    // At most 4 MiB: a peer that sends faster than that is read is not worth a clean end.
    private func discardIncoming() {
        let buffer = StreamBuffer()
        for _ in 0..<64 {
            let count = unsafe martlet_stream_receive(
                descriptor, buffer.start, UInt(StreamBuffer.capacity))
            if count <= 0 { return }
        }
    }
}
