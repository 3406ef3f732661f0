import Layer2
import LinuxNetwork
import NetworkTypes

/// Between the wire and the machines.
extension Layer2Loop {
    mutating func receiveAll(at now: Instant) {
        for _ in 0..<Self.turns {
            if receive(at: now) { break }
        }
    }

    /// Takes a turn's frames; returns whether that was all.
    mutating func receive(at now: Instant) -> Bool {
        guard let socket else { return true }
        do throws(SystemError) {
            let count = try socket.receive(limit: Self.framesPerTurn) { frame in
                switch announcer.receive(frame, at: now, reply: &reply) {
                case .answered:
                    counters.sendFailures &+= UInt64(socket.enqueue(reply.span))
                    answersWaiting += 1
                    if answersWaiting == Self.answersTogether { sendAnswers() }
                case .dropped(.foreignAnswer):
                    if watch.isCollecting { watch.receive(frame, at: now) }
                case .dropped(.undecodable):
                    guard let query = MulticastQuery(frame) else { break }
                    tell(.queryReceived(query), at: now)
                case .dropped: break
                case .acted(let actions): perform(actions, at: now)
                }
            }
            sendAnswers()
            counters.framesReceived &+= UInt64(count)
            return count < Self.framesPerTurn
        } catch {
            // The link went down or away: netlink tells when it is back. If it never left, as far
            // as netlink knows, the retry opens the socket again.
            closeSocket(at: now)
            fail(error, at: now)
            return true
        }
    }

    mutating func sendAnswers() {
        guard answersWaiting > 0, let socket else { return }
        answersWaiting = 0
        if MonotonicClock.now() < permit.until {
            counters.sendFailures &+= UInt64(socket.flush())
        } else {
            socket.discard()
        }
    }

    mutating func tellWatch(_ event: AnswerWatch.Event, at now: Instant) {
        watch.lastAnswered = announcer.lastAnswered
        for action in watch.handle(event, at: now) {
            switch action {
            case .send(let frame): speak(frame)
            case .seekSignOfLife:
                perform(announcer.handle(.signOfLifeWanted, at: now), at: now)
            case .found(let address, let verdict): say(.watched(address, verdict), at: now)
            }
        }
    }

    mutating func pauseWatch(at now: Instant) {
        tellWatch(.pauseChanged(socket == nil || isolation.since != nil), at: now)
    }

    /// Sends a frame that needs authority. Without, it is lost like any other frame can be.
    mutating func speak(_ frame: [UInt8]) {
        if MonotonicClock.now() < permit.until { send(frame) }
    }

    mutating func send(_ frame: [UInt8]) {
        guard let socket else { return }
        do throws(SystemError) {
            try socket.send(frame.span)
        } catch {
            counters.sendFailures &+= 1
        }
    }

    mutating func tell(_ event: MulticastListener.Event, at now: Instant) {
        for case .send(let frame) in listener.handle(event, at: now) { send(frame) }
    }

    /// Makes the network card pass the groups on.
    mutating func hear(_ groups: Set<IPAddress>, at now: Instant) {
        guard let socket else { return }
        for group in groups {
            guard let hardware = MACAddress(multicast: group) else { continue }
            do throws(SystemError) {
                try socket.listen(to: hardware)
            } catch {
                unheardGroups.insert(group)
                fail(error, at: now)
            }
        }
    }

    mutating func perform(_ actions: [Announcer.Action], at now: Instant) {
        for action in actions {
            switch action {
            case .send(let frame): speak(frame)
            case .joinGroup(let group):
                hear([group], at: now)
                tell(.joined(group), at: now)
            case .leaveGroup(let group):
                if let hardware = MACAddress(multicast: group) { socket?.ignore(hardware) }
                unheardGroups.remove(group)
                tell(.left(group), at: now)
            case .answering(let address):
                guard socket != nil else { break }
                // Whoever had it before has let go of it.
                conflicts[address] = nil
                holds.release(address, on: link.name)
                answeringSince[address] = now
                say(.answering(address), at: now)
                if let began = takeovers.removeValue(forKey: address) {
                    say(.addressTaken(address, after: now - began), at: now)
                }
            case .conflict(let conflict):
                conflicts[conflict.address] = Layer2Conflict(
                    offender: conflict.offender, phase: conflict.phase, at: now)
                say(.conflict(conflict), at: now)
            case .peerAnnounces(let address, let peer):
                say(.peerAnnounces(address, peer), at: now)
            case .heldByPeer(let address, let peer):
                holds.hold(address, on: link.name)
                say(.heldByPeer(address, peer), at: now)
            case .standingBy(let address): answeringSince[address] = nil
            case .waitingToHear(let address): say(.waitingToHear(address), at: now)
            case .formerOwnerAnswers(let owner, let isAnswered):
                say(.formerOwnerAnswers(owner, isAnswered), at: now)
            case .refused(let address): say(.refused(address), at: now)
            }
        }
    }
}
