import Layer2
import LoadBalancing
import Membership
import NetworkTypes

extension SpeakerProcess {
    func takeGossip(_ input: Input) {
        let now = node.localNow
        switch input {
        case .datagram(let bytes, let sender):
            let from = SocketAddress(Cast.nodeAddress(sender), port: Cast.gossipPort)
            perform(
                agent.handle(
                    .datagramReceived(bytes, from: from, sender: world.speakers[sender].id),
                    at: now))
        case .portUnreachable(let endpoint):
            perform(agent.handle(.portUnreachable(endpoint), at: now))
        case .hostUnreachable(let endpoint):
            perform(agent.handle(.hostUnreachable(endpoint), at: now))
        case .entries(let entries):
            for entry in entries {
                perform(
                    agent.handle(.entryChanged(key: entry.key, value: entry.value), at: now))
            }
        case .goodbye: perform(agent.handle(.leave, at: now))
        default: preconditionFailure("not for the gossip's thread")
        }
    }

    func perform(_ actions: [MembershipAgent.Action]) {
        for action in actions {
            switch action {
            case .send(let bytes, let endpoint):
                world.send(bytes, from: node.index, boot: boot, to: endpoint)
            case .memberChanged(let change): note(change)
            case .entriesChanged(let node, let changes): note(changes, of: node)
            case .nodeForgotten(let name):
                members[name] = nil
                post(.forgotten(name), to: .tenure)
                clusterChanged()
            case .trouble(let trouble):
                world.note("\(node.name): \(trouble)")
            }
        }
    }

    private func note(_ change: MemberChange) {
        world.note(
            "\(node.name): \(change.name) is \(change.to)"
                + (change.cause == .none ? "" : ", \(change.cause)")
                + (change.witness.map { ", says \($0)" } ?? ""))
        world.judge.noted(change, by: node.index, at: world.now)
        post(
            .liveness([change.name: NodeFacts.Liveness(change.to, change.cause)]), to: .tenure)
    }

    private func note(_ changes: [EntryChange], of name: String) {
        var claims: [IPAddress: UInt64?] = [:]
        var areStatementsNew = false
        for change in changes {
            switch Statement(key: change.key, value: change.value) {
            case .claim(let address, let epoch): claims[address] = .some(epoch)
            case .interface(let hardware):
                members[name, default: MemberStatements()].hardware = hardware
                areStatementsNew = true
            case .draining(let isDraining):
                members[name, default: MemberStatements()].isDraining = isDraining
                areStatementsNew = true
            case .dispute(let address, let claim):
                members[name, default: MemberStatements()].disputes[address] = claim
                areStatementsNew = true
            case nil: break
            }
        }
        if !claims.isEmpty { post(.claims(node: name, claims), to: .tenure) }
        if areStatementsNew { clusterChanged() }
    }

    /// Tells the other threads who has which interface.
    func showStations() {
        var stations: [MACAddress: String] = [:]
        stations.reserveCapacity(members.count)
        for (name, member) in members {
            if let hardware = member.hardware { stations[hardware] = name }
        }
        guard stations != self.stations else { return }
        self.stations = stations
        post(.announcer([.peersChanged(Set(stations.keys))]), to: .wire)
    }

    /// Says what this node is.
    func publishStatements() {
        post(
            .entries([
                Statement.interface(node.hardware).entry,
                Statement.draining(node.isDraining || isTerminating).entry,
            ]), to: .gossip)
    }

    /// What the shell reads of the agent after each of its turns.
    func showHealth() {
        if !isAssessed, !agent.isReassessing {
            isAssessed = true
            post(.assessed, to: .tenure)
        }
        if agent.isolatedSince != shownIsolation {
            shownIsolation = agent.isolatedSince
            world.note(
                "\(node.name) is \(shownIsolation == nil ? "not alone any more" : "isolated")")
            post(.isolated(shownIsolation != nil), to: .tenure)
            post(
                .announcer([
                    .isolationChanged(
                        since: shownIsolation, isAlonePlausible: world.settings.nodes <= 2)
                ]), to: .wire)
        }
        // The thread of the interface reads the permit when it runs; one that slept without it has
        // to be woken.
        let isAuthorized = agent.authorizedUntil > node.localNow
        if isAuthorized, !wasAuthorized { post(.announcer([]), to: .wire) }
        wasAuthorized = isAuthorized
    }

    // MARK: Operators

    /// Tells whoever has to know whether the node drains.
    func drainingChanged() {
        publishStatements()
        flush()
        clusterChanged()
    }

    func moveRequested(_ address: IPAddress) {
        post(.tenure(.moveRequested(address)), to: .tenure)
        flush()
    }

    /// Hands everything over, says goodbye, and ends.
    func terminate() {
        isTerminating = true
        publishStatements()
        post(.tenure(.stopping), to: .tenure)
        flush()
        awaitHandOver(until: world.now + .seconds(3))
    }

    private func awaitHandOver(until end: Instant) {
        world.after(.milliseconds(2)) { [weak self] world in
            guard let self, self.node.process === self else { return }
            guard self.tenure.isHandedOver || world.now >= end else {
                self.awaitHandOver(until: end)
                return
            }
            self.post(.goodbye, to: .gossip)
            self.flush()
            world.after(.milliseconds(30)) { [weak self] world in
                guard let self, self.node.process === self else { return }
                world.note("\(self.node.name) has ended")
                world.judge.disturbed(self.node.index, at: world.now)
                self.node.kill()
            }
        }
    }
}

/// What another speaker says of itself, without its claims.
struct MemberStatements: Equatable {
    /// The link-layer address of its interface.
    var hardware: MACAddress?
    /// Whether it hands over what it has.
    var isDraining = false
    /// Addresses for which nobody answers, as it sees it.
    var disputes: [IPAddress: Claim] = [:]
}

extension NodeFacts.Liveness {
    /// What the election makes of a member's state.
    init(_ state: MemberState, _ cause: DeathCause) {
        switch state {
        case .alive, .suspect: self = .alive
        case .left: self = .dead(cause: "its speaker has stopped")
        case .dead: self = .dead(cause: "\(cause)")
        }
    }
}
