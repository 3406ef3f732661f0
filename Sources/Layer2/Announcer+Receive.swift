import NetworkTypes

extension Announcer {
    /// Takes in a frame. This is the path of every question, so it allocates nothing: an answer is
    /// written into `reply`, and actions exist only where another station claims our address.
    ///
    /// Questions are answered one for one and at once, whether sent to a group or to us alone.
    /// Frames for other stations, seen because a bridge floods them, are not ours to answer.
    public mutating func receive(
        _ frame: Span<UInt8>, at now: Instant, reply: inout FrameBuffer
    ) -> Outcome {
        let message: NeighborMessage
        let isForUs: Bool
        do throws(DecodeError) {
            let ethernet = try EthernetView(frame)
            guard ethernet.source != macAddress else { return drop(.ownFrame) }
            if siblings.isEmpty || !siblings.contains(ethernet.source) { hear(at: now) }
            guard ethernet.destination == macAddress || ethernet.destination.isGroup else {
                return drop(.otherStation)
            }
            isForUs = ethernet.destination == macAddress
            message = try NeighborMessage(ethernet)
        } catch {
            return drop(.undecodable(error))
        }
        guard message.hardware != macAddress else { return drop(.ownFrame) }
        if isForUs, message.asked == nil { lastAnswered = now }

        if !message.claimed.isUnspecified, let slot = slots[message.claimed] {
            return observe(message, claiming: slot, at: now, reply: &reply)
        }
        noteForeign(message, at: now)
        guard let asked = message.asked else { return drop(.foreignAnswer) }
        guard let slot = slots[asked] else { return drop(.foreignAddress) }
        return answer(message, slot, at: now, reply: &reply)
    }

    /// Remembers now and then who else is there, and whether a former owner is.
    @inline(__always)
    private mutating func noteForeign(_ message: NeighborMessage, at now: Instant) {
        if !inquiries.isEmpty { inquiries.heard(message.claimed) }
        guard now >= nextSighting, !message.claimed.isUnspecified,
            siblings.isEmpty || !siblings.contains(message.hardware)
        else { return }
        nextSighting = now + Timing.sightingInterval
        witnesses.note(message.claimed, at: message.hardware)
    }

    /// Answers a question for an address of the table.
    private mutating func answer(
        _ message: NeighborMessage, _ slot: Int, at now: Instant, reply: inout FrameBuffer
    ) -> Outcome {
        entries[slot].counters.requestsReceived &+= 1
        guard entries[slot].isAnswering else {
            // Only a probe says that its sender wants the address too (RFC 5227 §2.1.1,
            // RFC 4862 §5.4.3); other questions just came too early.
            guard message.claimed.isUnspecified else { return drop(.notInUse) }
            return observe(probeBy: message.hardware, slot, at: now)
        }
        guard now < authority else { return drop(.unauthorized) }
        AddressFrames(address: entries[slot].address, hardware: macAddress)
            .answer(to: message.claimed, at: message.hardware, into: &reply)
        entries[slot].counters.responsesSent &+= 1
        return .answered
    }

    /// Deals with a claim to an address of the table, and with the question that may come with it:
    /// a backend that holds the address on its loopback may ask for another one with it.
    private mutating func observe(
        _ message: NeighborMessage, claiming slot: Int, at now: Instant,
        reply: inout FrameBuffer
    ) -> Outcome {
        let outcome = observe(claimBy: message.hardware, slot, at: now)
        guard let asked = message.asked, asked != message.claimed, let other = slots[asked],
            entries[other].isAnswering
        else { return outcome }
        let answered = answer(message, other, at: now, reply: &reply)
        guard case .acted(let actions) = outcome else { return answered }
        guard answered == .answered else { return outcome }
        return .acted(actions + [.send(reply.bytes)])
    }

    mutating func drop(_ reason: Drop) -> Outcome {
        drops.count(reason)
        return .dropped(reason)
    }
}
