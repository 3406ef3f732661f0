import Glibc
import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// One question by TCP that is under way: it connects, and for HTTP asks and reads the first line
/// of the answer (RFC 9112 §4). No call waits.
final class ProbeConversation {
    /// A status line is not longer.
    private static let maximumLine = 1_024

    let socket: StreamSocket
    private let request: [UInt8]?
    private let statuses: ClosedRange<Int>
    private var sent: Int?
    private var received: [UInt8] = []

    /// Begins to connect.
    init(_ target: EndpointHealth.Target, _ method: HealthCheck.Method) throws(SystemError) {
        let remote = SocketAddress(target.address, port: target.port)
        if case .http(let path, let statuses) = method {
            request = Array(
                ("GET \(path) HTTP/1.1\r\nHost: \(remote)\r\nUser-Agent: martlet-health-check\r\n"
                    + "Accept: */*\r\nConnection: close\r\n\r\n").utf8)
            self.statuses = statuses
        } else {
            request = nil
            statuses = HealthCheck.usualStatuses
        }
        socket = try StreamSocket(connectingTo: remote)
    }

    /// Whether room to write is waited for, rather than an answer.
    var isWriting: Bool { request.map { (sent ?? 0) < $0.count } ?? true }

    /// Goes on as far as it can; the answer once there is one.
    func proceed(_ buffer: StreamBuffer) -> ProbeAnswer? {
        do throws(SystemError) {
            if sent == nil {
                guard try socket.isConnected() else { return nil }
                sent = 0
            }
            guard let request else { return .good }
            if let already = sent, already < request.count {
                let count = try socket.send(request.span.extracting(already..<request.count))
                sent = already + count
                if already + count < request.count { return nil }
            }
            return try read(buffer)
        } catch {
            return ProbeAnswer(error)
        }
    }

    /// Ends it with a reset. An ordinary end would leave a port of this node in TIME_WAIT for a
    /// minute and an entry in the connection tracking for two, for every question.
    func abandon() { socket.abort() }

    private func read(_ buffer: StreamBuffer) throws(SystemError) -> ProbeAnswer? {
        while true {
            let outcome = try socket.receive(with: buffer) { bytes in
                for index in bytes.indices where received.count < Self.maximumLine {
                    received.append(bytes[index])
                }
            }
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                guard let status = Self.status(received[..<end]) else { return .unexpected }
                return statuses.contains(status) ? .good : .status(status)
            }
            if received.count >= Self.maximumLine { return .unexpected }
            switch outcome {
            case .data: continue
            case .nothing: return nil
            case .end: return .ended
            }
        }
    }

    /// The status of a status line: `HTTP/1.1 204 No Content`.
    static func status(_ line: some Collection<UInt8>) -> Int? {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
        guard words.count >= 2, words[0].starts(with: "HTTP/1.".utf8) else { return nil }
        let digits = words[1].filter { $0 != 0x0d }
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

extension ProbeAnswer {
    /// What a failure says of an endpoint.
    init(_ error: SystemError) {
        self =
            switch error.code {
            case ECONNREFUSED: .refused
            // EACCES is how a firewall on the way (ICMPv6 type 1, code 1) and a route that
            // prohibits show themselves.
            case EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EACCES: .unreachable
            case ETIMEDOUT: .timedOut
            case ECONNRESET, EPIPE, ECONNABORTED: .ended
            default: .notAsked(error.code)
            }
    }

    /// Why this node could not ask, and the way out.
    static func obstacle(_ code: Int32, to target: EndpointHealth.Target) -> SystemError {
        let remedy: String? =
            switch code {
            case EPERM: "a packet filter of this node forbids it: let its own packets out"
            case EADDRNOTAVAIL:
                "no local port is free (net.ipv4.ip_local_port_range), or no address of that family"
            case ENOBUFS, ENOMEM: "free memory"
            default: nil
            }
        return SystemError(
            "connect", errno: code, subject: "\(SocketAddress(target.address, port: target.port))",
            remedy: remedy)
    }
}
