import Layer2
import NetworkTypes

/// Feeds arbitrary bytes to the decoders, to an announcer and to a watch, cut into frames: each
/// frame is preceded by one byte of length and one of elapsed time. With the high bit of the latter
/// set, the ICMPv6 checksum is put right, because chance does not get past it. A length of zero
/// makes the other byte an event.
///
/// Beside traps, it finds a frame that makes us speak for an address that is not ours, a frame
/// without authority, and a machine that asks to be woken for nothing again and again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLayer2(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    var station = Station()
    var position = 0
    while position + 2 <= input.count {
        let end = min(position + 2 + Int(input[position]), input.count)
        if input[position] == 0 {
            station.happen(input[position + 1])
        } else {
            var frame = Array(input[position + 2..<end])
            if input[position + 1] & 0x80 != 0 { repairChecksum(&frame) }
            station.now = station.now + .milliseconds(Int(input[position + 1]) * 10)
            station.take(frame)
        }
        position = end
    }
    return 0
}

/// What an interface's thread consists of, without the thread.
private struct Station {
    static let mac = MACAddress(bits: 0x0200_5e10_0001)
    static let peer = MACAddress(bits: 0x0200_5e10_0002)
    static let sibling = MACAddress(bits: 0x0200_5e10_0000)
    static let ours = [
        IPAddress(ipv4: 0xc000_020a), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x10),
        IPAddress(ipv4: 0xc000_020b), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x11),
        IPAddress(ipv4: 0xc000_020c), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x12),
    ]
    /// The interface's own, of every family and scope, so that no question needs to be a probe.
    static let own = [
        IPAddress(ipv4: 0xc000_0201), IPAddress(ipv4: 0xa9fe_0001),
        IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x1),
        IPAddress(family: .ipv6, bits: 0xfe80 << 112 | 0x1),
    ]
    static let formerOwner = IPAddress(ipv4: 0xc000_0202)
    static let watched = [
        IPAddress(ipv4: 0xc000_0263), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x99),
    ]

    var announcer = Announcer(interface: "eth0", macAddress: mac)
    var watch = AnswerWatch(macAddress: mac)
    var now = Instant(nanoseconds: 0)

    init() {
        handle(.ownAddressesChanged(Self.own))
        handle(.companionsChanged([Self.formerOwner] + Self.watched))
        for index in Self.ours.indices { add(index) }
        handle(
            watch.handle(
                .addressesChanged(
                    Dictionary(uniqueKeysWithValues: Self.watched.map { ($0, [Self.peer]) })),
                at: now))
    }

    mutating func take(_ frame: [UInt8]) {
        var reply = FrameBuffer()
        switch announcer.receive(frame.span, at: now, reply: &reply) {
        case .answered: check([.send(reply.bytes)])
        case .acted(let actions): check(actions)
        case .dropped: watch.receive(frame.span, at: now)
        }
        run()
    }

    mutating func happen(_ byte: UInt8) {
        switch byte % 12 {
        case 0: handle(.peersChanged([Self.peer]))
        case 1: handle(.siblingsChanged([Self.sibling]))
        case 2: handle(.siblingsChanged([]))
        case 3: handle(.isolationChanged(since: now, isAlonePlausible: byte & 0x80 != 0))
        case 4: handle(.isolationChanged(since: nil, isAlonePlausible: false))
        case 5: authorize(until: now + .milliseconds(Int(byte)))
        case 6: authorize(until: Instant(nanoseconds: .max))
        case 7: handle(.linkRestored)
        case 8: handle(.addressRemoved(Self.ours[Int(byte / 12) % Self.ours.count]))
        case 9: add(Int(byte / 12) % Self.ours.count)
        case 10: handle(.reannounce(Self.ours[Int(byte / 12) % Self.ours.count]))
        default: handle(watch.handle(.doubted(Self.watched[Int(byte / 12) % 2]), at: now))
        }
        run()
    }

    private mutating func add(_ index: Int) {
        let starts: [AnnouncementSettings.Start] = [.atOnce, .afterProbing, .afterCheck]
        let settings = AnnouncementSettings(
            start: starts[index / 2], formerOwner: Self.formerOwner)
        handle(.addressAdded(Self.ours[index], settings))
    }

    private mutating func authorize(until: Instant) {
        watch.authority = until
        handle(.authorityChanged(until))
    }

    /// Handles deadlines for the next second or so; there is a bound to how many that can be.
    private mutating func run() {
        let end = now + .seconds(1)
        for _ in 0..<1000 {
            let next = [announcer.nextDeadline, watch.nextDeadline].compactMap { $0 }.min()
            guard let next, next <= end else { return }
            now = max(now, next)
            handle(.deadlineReached)
            watch.lastAnswered = announcer.lastAnswered
            handle(watch.handle(.deadlineReached, at: now))
        }
        preconditionFailure("woken again and again")
    }

    private mutating func handle(_ event: Announcer.Event) {
        let actions = announcer.handle(event, at: now)
        check(actions)
    }

    private mutating func handle(_ actions: [AnswerWatch.Action]) {
        for action in actions {
            switch action {
            case .send(let frame): check([.send(frame)])
            case .seekSignOfLife: handle(.signOfLifeWanted)
            case .found: break
            }
        }
    }

    private func check(_ actions: [Announcer.Action]) {
        for case .send(let frame) in actions {
            precondition(now < announcer.authority, "sent without authority")
            do throws(DecodeError) {
                try check(frame)
            } catch {
                preconditionFailure("sent a frame that does not decode: \(error)")
            }
        }
    }

    private func check(_ frame: [UInt8]) throws(DecodeError) {
        let ethernet = try EthernetView(frame.span)
        precondition(ethernet.source == Self.mac, "sent from a foreign link-layer address")
        switch ethernet.type {
        case .arp:
            let packet = try ARPPacket(ARPView(ethernet.payload))
            precondition(packet.senderHardware == Self.mac, "spoke for a foreign station")
            if packet.senderAddress.isUnspecified {
                check(probe: packet.targetAddress)
            } else {
                check(claim: packet.senderAddress)
            }
        case .ipv6:
            let message = try NeighborDiscoveryView(IPv6View(ethernet.payload))
            precondition(
                message.source.isUnspecified || message.linkLayerAddress == Self.mac,
                "spoke for a foreign station")
            switch message.kind {
            case .solicitation where message.source.isUnspecified: check(probe: message.target)
            case .solicitation: check(claim: message.source)
            case .advertisement: check(claim: message.target)
            }
        }
    }

    private func check(probe target: IPAddress) {
        precondition(
            (Self.ours + Self.watched + [Self.formerOwner]).contains(target),
            "asked for a foreign address")
    }

    private func check(claim address: IPAddress) {
        precondition((Self.ours + Self.own).contains(address), "spoke for a foreign address")
    }
}

/// Makes the ICMPv6 checksum hold over the rest of an untagged frame.
private func repairChecksum(_ frame: inout [UInt8]) {
    guard frame.count >= 58 else { return }
    frame[56] = 0
    frame[57] = 0
    var sum = InternetChecksum()
    sum.add(UInt16(frame.count - 54))
    sum.add(58)
    // Source, destination and message lie next to each other.
    let covered = Array(frame[22...])
    sum.add(covered.span)
    frame[56] = UInt8(truncatingIfNeeded: sum.value >> 8)
    frame[57] = UInt8(truncatingIfNeeded: sum.value)
}
