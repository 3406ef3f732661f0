import Glibc
import LinuxNetwork
import NetworkTypes

/// What the thread of the ``HealthCheckServer`` does. No call waits but the poller's.
final class HealthCheckLoop {
    private enum Watched {
        case listener(StreamListener, port: UInt16)
        case connection(Connection)
    }

    /// Who asks, and what it has said so far.
    private final class Connection {
        let socket: StreamSocket
        let port: UInt16
        let deadline: Instant
        var head: [UInt8] = []

        init(_ socket: StreamSocket, port: UInt16, until deadline: Instant) {
            self.socket = socket
            self.port = port
            self.deadline = deadline
        }
    }

    private static let maximumConnections = 256
    private static let maximumHead = 8 << 10
    private static let patience = Duration.seconds(5)
    private static let retryInterval = Duration.seconds(5)

    private let mailbox: Mailbox<HealthCheckServer.Mail>
    private let failed: @Sendable (UInt16, SystemError) -> Void
    private let buffer = StreamBuffer()
    private var poller: Poller?
    private var watched: [UInt64: Watched] = [:]
    /// Tags of connections, the oldest first.
    private var connections: [UInt64] = []
    /// Tags of listeners, by port and family.
    private var listeners: [UInt16: [IPAddress.Family: UInt64]] = [:]
    private var troubled: Set<UInt16> = []
    private var retryAt: Instant?
    private var nextTag: UInt64 = 1
    private var plan = HealthCheckPlan()
    private var standing = HealthCheckPlan.Standing()

    init(
        mailbox: Mailbox<HealthCheckServer.Mail>,
        failed: @escaping @Sendable (UInt16, SystemError) -> Void
    ) {
        self.mailbox = mailbox
        self.failed = failed
    }

    func run() {
        while true {
            do throws(SystemError) {
                if try turn() { return }
            } catch {
                // The poller itself failed: all is opened anew, after a pause in which only the end
                // is heard of.
                failed(0, error)
                reset()
                if mailbox.rest(for: Self.retryInterval, isEnd: take) { return }
            }
        }
    }

    private func reset() {
        poller = nil
        watched = [:]
        connections = []
        listeners = [:]
    }

    /// Waits for something and deals with it; true at the end.
    private func turn() throws(SystemError) -> Bool {
        let poller: Poller
        if let known = self.poller {
            poller = known
        } else {
            poller = try Poller(with: mailbox)
            self.poller = poller
            listen(poller)
        }
        let wakeUp = try poller.wait(until: nextDeadline)
        if wakeUp.isSignalled {
            let plan = plan
            if take() { return true }
            if self.plan != plan { listen(poller) }
        }
        for event in wakeUp.events {
            switch watched[event.tag] {
            case .listener(let listener, let port): accept(listener, port: port, poller)
            case .connection(let connection): read(connection, tag: event.tag)
            case nil: continue
            }
        }
        let now = MonotonicClock.now()
        while let oldest = connections.first, case .connection(let connection) = watched[oldest],
            connection.deadline <= now
        {
            end(oldest)
        }
        if let retryAt, retryAt <= now { listen(poller) }
        return false
    }

    /// Connections have all the same patience, so the oldest ends first.
    private var nextDeadline: Instant? {
        var deadline = retryAt
        if let oldest = connections.first, case .connection(let connection) = watched[oldest] {
            deadline = deadline.map { min($0, connection.deadline) } ?? connection.deadline
        }
        return deadline
    }

    private func take() -> Bool {
        let mail = mailbox.take()
        if let plan = mail.plan { self.plan = plan }
        if let isHealthy = mail.isHealthy { standing.isHealthy = isHealthy }
        if let isDraining = mail.isDraining { standing.isDraining = isDraining }
        return mail.isStopped
    }

    /// Opens the ports of the plan that are not open yet, and closes those that are none of its.
    private func listen(_ poller: Poller) {
        for (port, tags) in listeners where plan.answers[port] == nil {
            for tag in tags.values { close(tag) }
            listeners[port] = nil
        }
        troubled.formIntersection(plan.answers.keys)
        retryAt = nil
        for port in plan.answers.keys.sorted() {
            for family in IPAddress.Family.allCases where listeners[port]?[family] == nil {
                open(port, family, poller)
            }
        }
    }

    private func open(_ port: UInt16, _ family: IPAddress.Family, _ poller: Poller) {
        do throws(SystemError) {
            let any: IPAddress = family == .ipv4 ? .unspecifiedIPv4 : .unspecifiedIPv6
            let listener = try StreamListener(
                SocketAddress(any, port: port), keepsReserve: false)
            try poller.add(listener.descriptor, tag: nextTag, writing: false)
            watched[nextTag] = .listener(listener, port: port)
            listeners[port, default: [:]][family] = nextTag
            nextTag += 1
            if listeners[port]?.count == IPAddress.Family.allCases.count { troubled.remove(port) }
        } catch {
            // A kernel without a family has nobody to answer in it.
            if error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL { return }
            retryAt = MonotonicClock.now() + Self.retryInterval
            guard troubled.insert(port).inserted else { return }
            let remedy =
                error.code == EADDRINUSE
                ? "another program listens there, kube-proxy perhaps: only one of the two may"
                : error.remedy
            failed(
                port,
                SystemError(
                    "listen", errno: error.code,
                    subject: "TCP port \(port) (healthCheckNodePort)", remedy: remedy))
        }
    }

    private func close(_ tag: UInt64) {
        if case .listener(let listener, _) = watched.removeValue(forKey: tag) {
            poller?.remove(listener.descriptor)
        }
    }

    private func accept(_ listener: StreamListener, port: UInt16, _ poller: Poller) {
        do throws(SystemError) {
            _ = try listener.accept { socket in
                if connections.count >= Self.maximumConnections, let oldest = connections.first {
                    end(oldest)
                }
                let tag = nextTag
                nextTag += 1
                let connection = Connection(
                    socket, port: port, until: MonotonicClock.now() + Self.patience)
                do throws(SystemError) {
                    try poller.add(socket.descriptor, tag: tag, writing: false)
                } catch {
                    socket.abort()
                    return
                }
                watched[tag] = .connection(connection)
                connections.append(tag)
            }
        } catch {
            // No descriptor is left: the port is closed for a while, or it would wake us for ever.
            let tags = listeners.removeValue(forKey: port) ?? [:]
            for tag in tags.values { close(tag) }
            retryAt = MonotonicClock.now() + Self.retryInterval
            if troubled.insert(port).inserted { failed(port, error) }
        }
    }

    /// Reads what waits, and answers once the head is whole.
    private func read(_ connection: Connection, tag: UInt64) {
        do throws(SystemError) {
            var received: [UInt8] = []
            let end = try connection.socket.receive(with: buffer) { bytes in
                received.reserveCapacity(bytes.count)
                for index in bytes.indices { received.append(bytes[index]) }
            }
            switch end {
            case .nothing: return
            case .end: self.end(tag)
            case .data:
                connection.head += received
                guard let answer = plan.answers[connection.port] else {
                    self.end(tag)
                    return
                }
                var response = answer.response(to: connection.head, standing)
                if response == nil, connection.head.count > Self.maximumHead {
                    response = HealthCheckPlan.Answer.tooLong
                }
                guard let response else { return }
                // A few hundred bytes, which an empty socket always takes.
                _ = try connection.socket.send(response.span)
                self.end(tag)
            }
        } catch {
            end(tag)
        }
    }

    private func end(_ tag: UInt64) {
        guard case .connection(let connection) = watched.removeValue(forKey: tag) else { return }
        if let place = connections.firstIndex(of: tag) { connections.remove(at: place) }
        poller?.remove(connection.socket.descriptor)
        connection.socket.close()
    }
}
