import BGP
import Glibc
import LinuxNetwork
import NetworkTypes

extension BGPLoop {
    // MARK: Connecting

    func connect(_ id: ConnectionID, _ runner: PeerRunner, at now: Instant) {
        guard let remote = runner.remote else {
            let reason = "no router is heard on \(runner.interface ?? "the interface") yet"
            runner.hindrance = reason
            return handle(.connectFailed(id, reason), runner, at: now)
        }
        do throws(SystemError) {
            let socket = try StreamSocket(
                connectingTo: SocketAddress(remote, port: runner.plan.transport.port),
                runner.streamOptions)
            try adopt(socket, as: id, isConnected: false, runner)
            runner.hindrance = nil
        } catch {
            runner.hindrance = "\(error)"
            handle(.connectFailed(id, "\(error)"), runner, at: now)
        }
    }

    private func adopt(
        _ socket: StreamSocket, as id: ConnectionID, isConnected: Bool, _ runner: PeerRunner
    ) throws(SystemError) {
        let connection = PeerConnection(
            id: id, tag: nextTag, socket: socket, isConnected: isConnected)
        nextTag += 1
        try poller?.add(socket.descriptor, tag: connection.tag, writing: !isConnected)
        watched[connection.tag] = .connection(connection, of: runner)
        runner.connections[id] = connection
    }

    func finishConnecting(_ connection: PeerConnection, of runner: PeerRunner, at now: Instant) {
        do throws(SystemError) {
            guard try connection.socket.isConnected() else { return }
            connection.isConnected = true
            handle(.connected(connection.id), runner, at: now)
        } catch {
            release(connection, of: runner)
            handle(.connectFailed(connection.id, "\(error)"), runner, at: now)
        }
    }

    // MARK: Accepting

    /// Listens when a peer is passive, or when told to; tries again every two seconds.
    func listen(at now: Instant) {
        listenAt = nil
        let isWanted =
            listening.port != 0
            && (listening.isAlways || runners.values.contains { $0.plan.session.isPassive })
        guard isWanted else {
            closeListeners()
            listeningTrouble = nil
            return
        }
        openListeners(at: now)
        for listener in listeners.values { setKeys(of: listener) }
    }

    private func closeListeners() {
        for (tag, listener) in listeners {
            poller?.remove(listener.descriptor)
            watched[tag] = nil
        }
        listeners = [:]
    }

    private func openListeners(at now: Instant) {
        let addresses =
            listening.addresses.isEmpty
            ? [IPAddress.unspecifiedIPv4, .unspecifiedIPv6] : listening.addresses
        var failure: SystemError?
        let open = Set(listeners.values.map(\.local.address))
        for address in addresses where !open.contains(address) {
            do throws(SystemError) {
                let listener = try StreamListener(SocketAddress(address, port: listening.port))
                try poller?.add(listener.descriptor, tag: nextTag, writing: false)
                listeners[nextTag] = listener
                watched[nextTag] = .listener(listener)
                nextTag += 1
            } catch {
                // A host without IPv6 has nothing to miss there.
                if error.code != EAFNOSUPPORT { failure = error }
            }
        }
        if let failure {
            if listeningTrouble == nil {
                outlets.tell(
                    BGPEvent(peer: "", kind: .trouble("\(failure)", remedy: failure.remedy)))
            }
            listeningTrouble = "\(failure)"
            listenAt = now + Self.retryInterval
        } else {
            listeningTrouble = nil
        }
    }

    /// Gives a listener the keys of all peers; from those that have one, only signed segments are
    /// taken.
    private func setKeys(of listener: StreamListener) {
        for runner in runners.values {
            guard let remote = runner.remote, remote.family == listener.local.address.family,
                let block = Prefix(remote, length: remote.family.bitWidth)
            else { continue }
            setKey(runner.plan.transport.key, of: listener, for: block, runner)
        }
    }

    func setKey(
        _ key: StreamKey?, of listener: StreamListener, for block: Prefix, _ runner: PeerRunner
    ) {
        do throws(SystemError) {
            try listener.setKey(key, for: block)
        } catch {
            // Taking away what was never there is no trouble.
            if key != nil { tell(runner, .trouble("\(error)", remedy: error.remedy)) }
        }
    }

    func accept(from listener: StreamListener, at now: Instant) {
        do throws(SystemError) {
            _ = try listener.accept { accept($0, at: now) }
        } catch {
            outlets.tell(BGPEvent(peer: "", kind: .trouble("\(error)", remedy: error.remedy)))
            // What waits there would wake the thread again at once.
            closeListeners()
            listeningTrouble = "\(error)"
            listenAt = now + Self.retryInterval
        }
    }

    private func accept(_ socket: StreamSocket, at now: Instant) {
        guard let runner = runners.values.first(where: { expects(socket, $0) }) else {
            outlets.tell(BGPEvent(peer: "", kind: .refused("\(socket.remote)")))
            return socket.abort()
        }
        do throws(SystemError) {
            guard try socket.setReach(runner.streamOptions.reach) else {
                tell(runner, .refused("\(socket.remote), from more hops away than allowed"))
                return socket.abort()
            }
            // Whatever became of the listener's keys, nothing unsigned gets further than this.
            if let key = runner.plan.transport.key { try socket.setKey(key) }
            runner.incomingCount += 1
            let id = ConnectionID.incoming(runner.incomingCount)
            try adopt(socket, as: id, isConnected: true, runner)
            handle(.accepted(id), runner, at: now)
        } catch {
            socket.abort()
            tell(runner, .trouble("\(error)", remedy: error.remedy))
        }
    }

    private func expects(_ socket: StreamSocket, _ runner: PeerRunner) -> Bool {
        guard socket.remote.address == runner.remote else { return false }
        if let interface = runner.interface { return socket.remote.interface == interface }
        guard let source = runner.plan.transport.source else { return true }
        // A connection whose near end cannot be read any more is gone already.
        return (try? socket.local().address) == source
    }

    // MARK: Bytes

    func read(_ connection: PeerConnection, of runner: PeerRunner, at now: Instant) {
        guard connection.isConnected else { return }
        for _ in 0..<8 where !connection.isClosed {
            do throws(SystemError) {
                let received = try connection.socket.receive(with: buffer) {
                    connection.framer.append($0)
                }
                switch received {
                case .nothing: return
                case .data: handleMessages(connection, of: runner, at: now)
                case .end:
                    release(connection, of: runner)
                    handle(
                        .closed(connection.id, "the peer closed the connection"), runner, at: now)
                }
            } catch {
                release(connection, of: runner)
                handle(.closed(connection.id, "\(error)"), runner, at: now)
            }
        }
    }

    private func handleMessages(
        _ connection: PeerConnection, of runner: PeerRunner, at now: Instant
    ) {
        do throws(MessageFault) {
            // What a message changes, the next one is understood by.
            while !connection.isClosed,
                let message = try connection.framer.next(
                    runner.machine.decodingContext(connection.id))
            {
                handle(.received(connection.id, message), runner, at: now)
            }
        } catch {
            handle(.faulted(connection.id, error), runner, at: now)
        }
    }

    func send(_ message: BGPMessage, on id: ConnectionID, of runner: PeerRunner) {
        guard let connection = runner.connections[id] else { return }
        connection.waiting += message.encoded(context: runner.machine.decodingContext(id))
    }

    /// Gives a peer's sockets what they take.
    func pump(_ runner: PeerRunner, at now: Instant) {
        for connection in runner.connections.values where connection.isConnected {
            do throws(SystemError) {
                try pump(connection, of: runner)
            } catch {
                release(connection, of: runner)
                handle(.closed(connection.id, "\(error)"), runner, at: now)
            }
        }
    }

    private func pump(
        _ connection: PeerConnection, of runner: PeerRunner
    ) throws(SystemError) {
        let isSession = runner.established == connection.id
        guard connection.hasWaiting || isSession && runner.rib.hasPending else { return }
        // What the peer does not take yet is not made of the adjacency: it gets the newest.
        var isTaken = try connection.flush()
        var chunks = 0
        while isTaken, isSession, runner.rib.hasPending, chunks < 4 {
            chunks += 1
            runner.rib.write(into: &connection.waiting, limit: PeerConnection.chunk)
            isTaken = try connection.flush()
        }
        hasMore = hasMore || isTaken && isSession && runner.rib.hasPending
        if connection.watchesWriting != !isTaken {
            connection.watchesWriting = !isTaken
            try poller?.modify(
                connection.socket.descriptor, tag: connection.tag, writing: !isTaken)
        }
        look(at: connection, of: runner)
    }

    /// Tells the machine whether the peer takes what is sent (RFC 9687).
    func look(at connection: PeerConnection, of runner: PeerRunner) {
        guard connection.isConnected, !connection.isClosed else { return }
        let now = MonotonicClock.now()
        let (isStalled, hasMoved) = connection.progress()
        if !isStalled || hasMoved { handle(.progressed(connection.id), runner, at: now) }
        if isStalled { handle(.stalled(connection.id), runner, at: now) }
    }

    // MARK: Ends

    /// Closes a connection; what waits goes out as far as it does at once.
    func close(_ id: ConnectionID, of runner: PeerRunner) {
        guard let connection = runner.connections[id] else { return }
        // A peer that cannot be told any more finds out by itself.
        if connection.isConnected { _ = try? connection.flush() }
        release(connection, of: runner)
    }

    private func release(_ connection: PeerConnection, of runner: PeerRunner) {
        poller?.remove(connection.socket.descriptor)
        watched[connection.tag] = nil
        runner.connections[connection.id] = nil
        connection.socket.close()
    }
}
