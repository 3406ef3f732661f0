import Glibc
import NetworkTypes

/// Tries once whether somebody serves at a port, and waits for the outcome.
package enum ConnectionAttempt {
    /// What came of it.
    package enum Outcome: Equatable, Sendable {
        /// TCP: the connection was accepted.
        case accepted
        /// A reset, or ICMP port unreachable: the host is there, and nobody listens.
        case refused
        /// Nothing came back.
        case silence
        /// It could not be tried, or the network said no.
        case failed(SystemError)
    }

    /// Connects by TCP and hangs up.
    ///
    /// - Parameter patience: how long that may take; at least a millisecond.
    package static func tcp(
        to remote: SocketAddress, from source: IPAddress? = nil, patience: Duration = .seconds(1)
    ) -> Outcome {
        let deadline = MonotonicClock.now() + patience
        do throws(SystemError) {
            let socket = try StreamSocket(
                connectingTo: remote, StreamOptions(source: source))
            defer { socket.abort() }
            while wait(for: socket.descriptor, POLLOUT, until: deadline) {
                if try socket.isConnected() { return .accepted }
            }
            return .silence
        } catch {
            return outcome(of: error)
        }
    }

    /// Sends an empty datagram and listens for a refusal. Silence is what a server that has no
    /// answer to it says, too.
    package static func udp(
        to remote: SocketAddress, from source: IPAddress? = nil,
        patience: Duration = .milliseconds(300)
    ) -> Outcome {
        let deadline = MonotonicClock.now() + patience
        let unspecified: IPAddress =
            remote.address.family == .ipv4 ? .unspecifiedIPv4 : .unspecifiedIPv6
        do throws(SystemError) {
            let socket = try DatagramSocket(
                SocketAddress(source ?? unspecified, port: 0), receiveBuffer: 1 << 16,
                sendBuffer: 1 << 16)
            let nothing: [UInt8] = []
            socket.enqueue(nothing.span, to: remote)
            if let failure = socket.flush().first {
                return .failed(
                    SystemError("sendmsg", errno: failure.code, subject: "UDP \(remote)"))
            }
            while wait(for: socket.descriptor, POLLIN, until: deadline) {
                var refusal: DatagramSocket.ReturnedError.Kind?
                _ = try socket.receiveErrors { if $0.peer == remote { refusal = $0.kind } }
                switch refusal {
                case .portUnreachable?: return .refused
                case .hostUnreachable?:
                    return .failed(
                        SystemError("recvmsg", errno: EHOSTUNREACH, subject: "UDP \(remote)"))
                case .other(let code)?:
                    return .failed(SystemError("recvmsg", errno: code, subject: "UDP \(remote)"))
                case nil: break
                }
                var isAnswered = false
                _ = try socket.receive { _, peer in if peer == remote { isAnswered = true } }
                if isAnswered { return .accepted }
            }
            return .silence
        } catch {
            return outcome(of: error)
        }
    }

    private static func outcome(of error: SystemError) -> Outcome {
        switch error.code {
        case ECONNREFUSED: .refused
        case ETIMEDOUT: .silence
        default: .failed(error)
        }
    }

    /// Waits for one descriptor, rounded up to a millisecond; false when the time is up.
    static func wait(for descriptor: Int32, _ event: Int32, until deadline: Instant) -> Bool {
        let rest = (deadline - MonotonicClock.now()).wholeNanoseconds
        guard rest > 0 else { return false }
        var watched = pollfd(fd: descriptor, events: Int16(event), revents: 0)
        return unsafe poll(&watched, 1, Int32(clamping: rest / 1_000_000 + 1)) == 1
    }
}
