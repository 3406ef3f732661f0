import Layer2
import LoadBalancing
import Membership
import NetworkTypes

extension SpeakerProcess {
    func takeWire(_ input: Input) {
        let now = node.localNow
        readPermit(at: now)
        switch input {
        case .frame(let frame):
            var reply = FrameBuffer()
            switch announcer.receive(frame.span, at: now, reply: &reply) {
            case .answered: send(reply.bytes)
            case .dropped(.foreignAnswer):
                if watch.isCollecting { watch.receive(frame.span, at: now) }
            case .dropped: break
            case .acted(let actions): perform(actions)
            }
        case .announcer(let events): tellAnnouncer(events, at: now)
        case .watch(let watched): tellWatch(.addressesChanged(watched), at: now)
        default: preconditionFailure("not for the interface's thread")
        }
    }

    func runWire(at now: Instant) {
        readPermit(at: now)
        if let deadline = watch.nextDeadline, deadline <= now {
            tellWatch(.deadlineReached, at: now)
        }
        if let deadline = announcer.nextDeadline, deadline <= now {
            perform(announcer.handle(.deadlineReached, at: now))
        }
    }

    /// What a permit that is back was given upon is in the mail, if only since just now.
    private func readPermit(at now: Instant) {
        let until = agent.authorizedUntil
        let isBack = announcer.authority <= now && until > now
        announcer.authority = until
        watch.authority = until
        guard isBack else { return }
        for input in takeMail(of: .wire) { takeWire(input) }
        perform(announcer.handle(.authorityRestored, at: now))
        for address in answering.sorted()
        where announcer.state(of: address)?.isAnswering != true { ended(address) }
    }

    private func tellAnnouncer(_ events: [Announcer.Event], at now: Instant) {
        for event in events {
            if case .addressRemoved(let address) = event { ended(address) }
            perform(announcer.handle(event, at: now))
            if case .isolationChanged(let since, _) = event {
                tellWatch(.pauseChanged(since != nil), at: now)
            }
        }
    }

    func perform(_ actions: [Announcer.Action]) {
        for action in actions {
            switch action {
            case .send(let frame): send(frame)
            case .answering(let address):
                answering.insert(address)
                world.note("\(node.name) answers for \(address)")
                world.judge.began(address, at: node.index, now: world.now)
                post(.tenure(.answering(address)), to: .tenure)
            case .heldByPeer(let address, let station):
                post(
                    .tenure(.heldByPeer(address, peer: stations[station] ?? "\(station)")),
                    to: .tenure)
            case .peerAnnounces(let address, let station):
                world.note(
                    "\(node.name) hears \(stations[station] ?? "\(station)") announce \(address)")
                post(.tenure(.peerAnnounced(address, node: stations[station])), to: .tenure)
            case .standingBy(let address): ended(address)
            case .conflict(let conflict): world.note("\(node.name): \(conflict)")
            case .waitingToHear(let address):
                world.note("\(node.name) waits to hear anybody before it takes \(address)")
            case .refused(let address): world.note("\(node.name) cannot announce \(address)")
            case .joinGroup, .leaveGroup, .formerOwnerAnswers: break
            }
        }
    }

    private func tellWatch(_ event: AnswerWatch.Event, at now: Instant) {
        watch.lastAnswered = announcer.lastAnswered
        for action in watch.handle(event, at: now) {
            switch action {
            case .send(let frame): send(frame)
            case .seekSignOfLife: perform(announcer.handle(.signOfLifeWanted, at: now))
            case .found(let address, let verdict):
                world.note("\(node.name) finds \(address) \(verdict)")
                post(.found(address, verdict), to: .tenure)
            }
        }
    }

    private func ended(_ address: IPAddress) {
        guard answering.remove(address) != nil else { return }
        world.note("\(node.name) is silent for \(address)")
        world.judge.ended(address, at: node.index, now: world.now)
    }

    /// Nothing may leave without the authority to speak, whatever it is.
    private func send(_ frame: [UInt8]) {
        if agent.authorizedUntil <= node.localNow {
            world.judge.violated("\(node.name) sends a frame without authority", in: world)
        }
        world.send(frame, from: node.index)
    }
}
