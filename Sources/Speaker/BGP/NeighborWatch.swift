import LinuxNetwork
import NetworkTypes

/// Hears the router on the interface of an unnumbered peer, and lets itself be heard: a socket for
/// the interface as it is now, and the machine that decides. Belongs to the BGP thread.
final class NeighborWatch {
    let interface: String
    private let poller: Poller?
    let tag: UInt64
    private let heard: (IPAddress, Instant) -> Void
    private let failed: (SystemError) -> Void
    private var discovery: RouterDiscovery?
    private var socket: RouterAdvertisementSocket?
    private var index: Int?
    private var retryAt: Instant?

    init(
        interface: String, poller: Poller?, tag: UInt64,
        heard: @escaping (IPAddress, Instant) -> Void, failed: @escaping (SystemError) -> Void
    ) {
        self.interface = interface
        self.poller = poller
        self.tag = tag
        self.heard = heard
        self.failed = failed
    }

    /// The router that is heard.
    var neighbor: IPAddress? { discovery?.neighbor }

    var nextDeadline: Instant? {
        socket == nil ? retryAt : discovery?.nextDeadline
    }

    /// Follows the interface: one that is made anew, or comes up again, begins anew.
    func update(links: LinkTable, at now: Instant) {
        let link = links.link(named: interface)
        let current = link?.isOperational == true ? link?.index : nil
        guard current != index else { return }
        end()
        index = current
        guard current != nil else { return }
        discovery = RouterDiscovery(
            linkAddress: link?.macAddress, seed: UInt64(bitPattern: now.nanoseconds), at: now)
        open(at: now)
    }

    private func open(at now: Instant) {
        retryAt = nil
        do throws(SystemError) {
            let socket = try RouterAdvertisementSocket(interface: interface)
            try poller?.add(socket.descriptor, tag: tag, writing: false)
            self.socket = socket
        } catch {
            failed(error)
            retryAt = now + .seconds(5)
        }
    }

    /// Takes in what was heard.
    func read(at now: Instant) {
        guard let socket else { return }
        var heard: [(RouterMessage, IPAddress)] = []
        do throws(SystemError) {
            _ = try socket.receive { message, source in heard.append((message, source)) }
        } catch {
            failed(error)
        }
        for (message, source) in heard { take(message, from: source, at: now) }
    }

    /// Takes in one message.
    func take(_ message: RouterMessage, from source: IPAddress, at now: Instant) {
        perform(discovery?.handle(.received(message, from: source), at: now) ?? [], at: now)
    }

    func runDeadline(at now: Instant) {
        guard socket != nil else { return open(at: now) }
        perform(discovery?.handle(.deadlineReached, at: now) ?? [], at: now)
    }

    /// The neighbour does not answer: whoever is heard next takes its place.
    func neighborFailed(at now: Instant) {
        perform(discovery?.handle(.neighborFailed, at: now) ?? [], at: now)
    }

    private func perform(_ actions: [RouterDiscovery.Action], at now: Instant) {
        for action in actions {
            switch action {
            case .found(let router): heard(router, now)
            case .send(let message):
                // The interface may have no address yet; the next message will do.
                _ = try? socket?.send(message)
            }
        }
    }

    func end() {
        if let socket { poller?.remove(socket.descriptor) }
        socket = nil
        discovery = nil
        index = nil
        retryAt = nil
    }
}
