import BFD
import Glibc
import LinuxNetwork
import NetworkTypes

/// A session with what it sends by. Belongs to the BFD thread.
final class BFDNeighbor {
    private static let retryInterval = Duration.seconds(1)
    private static let portAttempts = 64

    let path: BFDPath
    let portKey: BFDPorts.Key
    /// What an echo has to bring back.
    let token: UInt64
    var wish: BFDWish
    var machine: BFDSession
    /// What its users were told last.
    var verdict = BFDVerdict.unknown
    /// Whether nobody wishes for it any more.
    var isEnding = false
    /// The index of the path's interface that the session is bound to; without one in the path, of
    /// where the peer was heard.
    var interface: Int?
    /// Which of our addresses the peer sends to.
    var heardAt: IPAddress?
    /// By which station the peer is reached, for echo packets.
    var station: BFDEchoSocket.Station?
    /// The source port, the same as long as the session lasts (RFC 5881 §4).
    private(set) var sourcePort: UInt16
    /// Control packets that the kernel did not take.
    private(set) var unsent: UInt64 = 0
    /// Why packets cannot be sent.
    private(set) var trouble: SystemError?

    private var transmitter: BFDTransmitSocket?
    private var retryAt: Instant?

    init(path: BFDPath, wish: BFDWish, machine: BFDSession, sourcePort: UInt16, token: UInt64) {
        self.path = path
        self.wish = wish
        self.machine = machine
        self.sourcePort = sourcePort
        self.token = token
        portKey = BFDPorts.Key(family: path.remote.family, isMultihop: path.isMultihop)
    }

    /// Sends a control packet. A socket that fails is opened anew, at most once a second: the
    /// interface or the address may be another by then.
    func send(_ packet: BFDPacket, at now: Instant) {
        guard let transmitter = opened(at: now) else { return refuse() }
        let code = transmitter.send(packet.encoded().span)
        if code == 0 {
            trouble = nil
            return
        }
        refuse()
        trouble = SystemError("sendto", errno: code, subject: "BFD to \(path)")
        if retryAt.map({ $0 <= now }) ?? true { close(at: now) }
    }

    /// Counts a packet that could not go.
    func refuse() { unsent &+= 1 }

    /// Closes the socket, to be opened with the next packet.
    func rebind() {
        transmitter = nil
        retryAt = nil
    }

    private func close(at now: Instant) {
        transmitter = nil
        retryAt = now + Self.retryInterval
    }

    private func opened(at now: Instant) -> BFDTransmitSocket? {
        if let transmitter { return transmitter }
        if let retryAt, retryAt > now { return nil }
        let remote = SocketAddress(path.remote, port: portKey.port)
        let unspecified: IPAddress =
            path.remote.family == .ipv4 ? .unspecifiedIPv4 : .unspecifiedIPv6
        for _ in 0..<Self.portAttempts {
            do throws(SystemError) {
                let socket = try BFDTransmitSocket(
                    from: SocketAddress(path.local ?? unspecified, port: sourcePort), to: remote,
                    interface: path.interface)
                transmitter = socket
                return socket
            } catch {
                trouble = error
                guard error.code == EADDRINUSE else { break }
                let ports = BFDTransmitSocket.ports
                sourcePort =
                    sourcePort < ports.upperBound ? sourcePort + 1 : ports.lowerBound
            }
        }
        close(at: now)
        return nil
    }

    // MARK: Echo

    /// Where echo packets go and come; `nil` when none are wanted, or nothing is heard of the peer.
    var echoLink: BFDEchoLinks.Link? {
        guard machine.settings.echo?.transmitInterval != nil, let interface else { return nil }
        return BFDEchoLinks.Link(interface: interface, family: path.remote.family)
    }

    /// The address that echo packets are sent from and to.
    var echoAddress: IPAddress? { path.local ?? heardAt }
}
