import LoadBalancing
import NetworkTypes

extension Simulation {
    // MARK: Processes and machines

    /// Starts a node's process, and the machine if it is off. `remembers`: with the claims of its
    /// state folder, otherwise the folder was lost.
    package func start(_ node: Int, remembers: Bool = true) {
        if !speakers[node].isPowered {
            speakers[node].gainPower()
            note("\(Cast.name(node)) has power again")
        }
        guard speakers[node].process == nil else { return }
        if !remembers { speakers[node].disk = [:] }
        note("\(Cast.name(node)) starts" + (remembers ? "" : " without memory"))
        judge.disturbed(node, at: now)
        speakers[node].start()
    }

    /// Ends a node's process at once, as `kill -9` does; the machine goes on.
    package func kill(_ node: Int) {
        note("\(Cast.name(node)) is killed")
        judge.disturbed(node, at: now)
        speakers[node].kill()
    }

    /// The machine is gone.
    package func powerOff(_ node: Int) {
        note("\(Cast.name(node)) loses power")
        judge.disturbed(node, at: now)
        speakers[node].losePower()
    }

    /// Asks a node's process to end (SIGTERM); it ends by itself when it has handed over, at the
    /// latest 3 s later.
    package func terminate(_ node: Int) {
        note("\(Cast.name(node)) is asked to end")
        judge.disturbed(node, at: now)
        speakers[node].process?.terminate()
    }

    /// The process stops for a while (SIGSTOP, a paused virtual machine) and continues.
    package func pause(_ node: Int, for duration: Duration) {
        note("\(Cast.name(node)) is stopped for \(duration.inMilliseconds) ms")
        judge.disturbed(node, at: now)
        speakers[node].pause()
        let boot = speakers[node].boot
        after(duration) { world in
            guard world.speakers[node].boot == boot, world.speakers[node].isPaused else { return }
            world.note("\(Cast.name(node)) continues")
            world.judge.disturbed(node, at: world.now)
            world.speakers[node].resume()
        }
    }

    /// Makes every thread of the node run up to this much late.
    package func slow(_ node: Int, by lateness: Duration) {
        note("\(Cast.name(node)) is late by up to \(lateness.inMilliseconds) ms")
        judge.disturbed(node, at: now)
        speakers[node].lateness = max(lateness, settings.lateness)
    }

    // MARK: Networks

    /// Cuts the network into parts: datagrams, frames, or both. The clients go with the part that
    /// `homes` says for each, or stay with the first.
    package func divide(
        _ parts: [[Int]], datagrams: Bool = true, frames: Bool = true, homes: [Int] = []
    ) {
        note(
            "cut into \(parts)"
                + (datagrams && frames ? "" : datagrams ? ", gossip only" : ", LAN only"))
        disturbAll()
        if datagrams != frames { hasCutsOfOneKind = true }
        if datagrams { gossip.medium.divide(parts) }
        guard frames else { return }
        var ports = parts
        for number in clients.indices {
            ports[homes.indices.contains(number) ? homes[number] : 0].append(
                clients[number].port)
        }
        lan.medium.divide(ports)
    }

    /// Everything that a node sends is lost, or everything that it is sent.
    package func cut(
        _ node: Int, sending: Bool, datagrams: Bool = true, frames: Bool = true
    ) {
        note(
            "\(Cast.name(node)) " + (sending ? "is not heard" : "hears nothing")
                + (datagrams && frames ? "" : datagrams ? ", gossip only" : ", LAN only"))
        disturbAll()
        if datagrams != frames { hasCutsOfOneKind = true }
        if datagrams {
            if sending { gossip.medium.mute(node) } else { gossip.medium.deafen(node) }
        }
        if frames {
            if sending { lan.medium.mute(node) } else { lan.medium.deafen(node) }
        }
    }

    /// Takes all cuts away.
    package func heal() {
        note("the network is whole again")
        disturbAll()
        judge.healed(at: now)
        hasCutsOfOneKind = false
        gossip.medium.heal()
        lan.medium.heal()
    }

    /// From now on this many of a thousand datagrams, and of a thousand frames, are lost.
    package func setLoss(datagrams: Int, frames: Int) {
        note("loss: \(datagrams) ‰ of datagrams, \(frames) ‰ of frames")
        judge.unsettled(at: now)
        gossip.medium.quality.lossPerMille = datagrams
        lan.medium.quality.lossPerMille = frames
    }

    /// From now on datagrams and frames are doubled and overtake each other now and then.
    package func setDisorder(perMille: Int) {
        note("disorder: \(perMille) ‰")
        judge.unsettled(at: now)
        gossip.medium.quality.duplicatePerMille = perMille
        gossip.medium.quality.reorderPerMille = perMille
        lan.medium.quality.duplicatePerMille = perMille
        lan.medium.quality.reorderPerMille = perMille
    }

    // MARK: Operators

    /// `martlet drain` on the node.
    package func drain(_ node: Int) {
        note("\(Cast.name(node)) is to drain")
        judge.disturbed(node, at: now)
        speakers[node].isDraining = true
        speakers[node].process?.drainingChanged()
    }

    /// `martlet undrain` on the node.
    package func undrain(_ node: Int) {
        note("\(Cast.name(node)) is not to drain any more")
        judge.disturbed(node, at: now)
        speakers[node].isDraining = false
        speakers[node].process?.drainingChanged()
    }

    /// `martlet move` of an address to the node.
    package func move(_ address: IPAddress, to node: Int) {
        note("\(address) is to move to \(Cast.name(node))")
        judge.moveRequested(address, at: now)
        speakers[node].process?.moveRequested(address)
    }

    /// Changes what the API server says; every speaker sees it within 20 ms.
    package func change(_ edit: (inout ClusterFacts) -> Void) {
        edit(&cluster)
        disturbAll()
        for speaker in speakers { speaker.process?.clusterChanged() }
    }

    private func disturbAll() {
        for node in speakers.indices { judge.disturbed(node, at: now) }
    }

    /// Adds a line to the trace.
    package func note(_ text: @autoclosure () -> String) { trace.note(text(), at: now) }
}
