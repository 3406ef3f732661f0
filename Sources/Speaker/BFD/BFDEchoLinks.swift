import LinuxNetwork
import NetworkTypes

/// The sockets that echo packets need: one below IP for each interface and family, and the echo
/// port, held as long as one of them exists.
final class BFDEchoLinks {
    /// An interface and what is spoken on it.
    struct Link: Hashable {
        var interface: Int
        var family: IPAddress.Family
    }

    /// An echo that came back, or the station of a peer that was heard.
    enum News {
        case echo(BFDEcho, at: Instant)
        case station(BFDEchoSocket.Station, of: IPAddress, on: Link)
    }

    /// The hop limit of an echo that one forwarding took; a peer that answers from a program of
    /// its own may leave it at 255.
    private static let leastHops: UInt8 = 254
    private static let retryInterval = Duration.seconds(1)
    private static let roundsPerTurn = 16

    private var sockets: [Link: BFDEchoSocket] = [:]
    private var ports: [IPAddress.Family: BFDEchoPort] = [:]
    private var retryAt: [Link: Instant] = [:]
    /// Why a link cannot be used.
    private(set) var troubles: [Link: SystemError] = [:]

    /// Opens what the link needs, unless it is open or was tried a moment ago.
    func open(_ link: Link, in group: BFDSocketGroup, at now: Instant) {
        guard sockets[link] == nil, retryAt[link].map({ $0 <= now }) ?? true else { return }
        do throws(SystemError) {
            if ports[link.family] == nil {
                ports[link.family] = try BFDEchoPort(link.family, port: BFDLinkPacket.echoPort)
            }
            let socket = try BFDEchoSocket(
                link.family, interface: link.interface, echoPort: BFDLinkPacket.echoPort,
                controlPort: BFDPorts.singleHop)
            try group.add(socket)
            sockets[link] = socket
            troubles[link] = nil
            retryAt[link] = nil
        } catch {
            troubles[link] = error
            retryAt[link] = now + Self.retryInterval
        }
    }

    /// Closes every link but these.
    func keep(_ needed: Set<Link>) {
        guard !sockets.isEmpty || !retryAt.isEmpty else { return }
        sockets = sockets.filter { needed.contains($0.key) }
        retryAt = retryAt.filter { needed.contains($0.key) }
        troubles = troubles.filter { needed.contains($0.key) }
        let families = Set(needed.map(\.family))
        ports = ports.filter { families.contains($0.key) }
    }

    /// Sends an echo packet. One that cannot go is a lost one.
    func send(
        _ echo: BFDEcho, from local: IPAddress, on link: Link, to station: BFDEchoSocket.Station
    ) {
        let packet = BFDLinkPacket.echo(echo.encoded(), local: local)
        _ = sockets[link]?.send(packet, to: station)
    }

    /// Hands over everything that waits. A socket that fails is closed, to be opened again.
    func receive(at now: Instant, _ body: (News) -> Void) {
        for (link, socket) in sockets {
            do throws(SystemError) {
                for _ in 0..<Self.roundsPerTurn {
                    let count = try socket.receive { bytes, station, time in
                        guard let packet = BFDLinkPacket(bytes) else { return }
                        Self.read(packet, from: station, on: link, at: time).map(body)
                    }
                    if count < BFDEchoSocket.batch { break }
                }
            } catch {
                sockets[link] = nil
                troubles[link] = error
                retryAt[link] = now + Self.retryInterval
            }
        }
    }

    private static func read(
        _ packet: BFDLinkPacket, from station: BFDEchoSocket.Station, on link: Link,
        at time: Instant
    ) -> News? {
        guard packet.destinationPort == BFDLinkPacket.echoPort else {
            // A control packet of a neighbour, which has passed no router (RFC 5881 §5).
            return packet.hops == .max ? .station(station, of: packet.source, on: link) : nil
        }
        guard packet.hops >= leastHops, let echo = BFDEcho(decoding: packet.payload) else {
            return nil
        }
        return .echo(echo, at: time)
    }
}
