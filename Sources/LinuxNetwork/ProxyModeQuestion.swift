import Glibc
import NetworkTypes

/// Asks kube-proxy for its mode: it answers `GET /proxyMode` at its metrics port, by default on
/// loopback only.
enum ProxyModeQuestion {
    /// kube-proxy's usual metrics port.
    static let port: UInt16 = 10_249

    /// How long all of it may take; it is on this machine.
    private static let patience = Duration.milliseconds(200)

    /// The longest answer that is read.
    private static let limit = 4_096

    /// `iptables`, `ipvs` or `nftables`; `nil` when nobody answers so.
    static func ask(port: UInt16 = port) -> String? {
        let socket: StreamSocket
        do throws(SystemError) {
            let loopback = IPAddress(ipv4: 0x7f00_0001)
            socket = try StreamSocket(connectingTo: SocketAddress(loopback, port: port))
        } catch {
            return nil
        }
        defer { socket.abort() }
        do throws(SystemError) {
            return mode(try answer(of: socket))
        } catch {
            return nil
        }
    }

    private static func answer(of socket: StreamSocket) throws(SystemError) -> [UInt8] {
        let deadline = MonotonicClock.now() + patience
        var answer: [UInt8] = []
        guard ConnectionAttempt.wait(for: socket.descriptor, POLLOUT, until: deadline),
            try socket.isConnected()
        else {
            return []
        }
        let request = Array("GET /proxyMode HTTP/1.0\r\nHost: localhost\r\n\r\n".utf8)
        guard try socket.send(request.span) == request.count else { return [] }
        let buffer = StreamBuffer()
        while answer.count < limit,
            ConnectionAttempt.wait(for: socket.descriptor, POLLIN, until: deadline)
        {
            let received = try socket.receive(with: buffer) { bytes in
                for index in bytes.indices where answer.count < limit {
                    answer.append(bytes[index])
                }
            }
            if received == .end { break }
        }
        return answer
    }

    /// The mode in an answer with status 200.
    static func mode(_ answer: [UInt8]) -> String? {
        let text = String(decoding: answer, as: UTF8.self)
        guard text.hasPrefix("HTTP/1."), text.dropFirst(8).hasPrefix(" 200"),
            let end = text.firstRange(of: "\r\n\r\n")
        else { return nil }
        let body = text[end.upperBound...].filter { !$0.isWhitespace }
        return ["iptables", "ipvs", "nftables"].contains(body) ? body : nil
    }
}
