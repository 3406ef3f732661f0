import Layer2
import NetworkTypes

/// Feeds arbitrary bytes to the decoders and to an announcer, cut into frames: each frame is
/// preceded by one byte of length and one of elapsed time. With the high bit of the latter set, the
/// ICMPv6 checksum is put right, because chance does not get past it.
///
/// Beside traps, it finds a frame that makes us speak for an address that is not ours.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLayer2(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let mac = MACAddress(bits: 0x0200_5e10_0001)
    let ours = [
        IPAddress(ipv4: 0xc000_020a), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x10),
        IPAddress(ipv4: 0xc000_020b), IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x11),
    ]
    var announcer = Announcer(interface: "eth0", macAddress: mac)
    var now = Instant(nanoseconds: 0)
    for (index, address) in ours.enumerated() {
        let settings = AnnouncementSettings(probeFirst: index >= 2)
        check(announcer.handle(.addressAdded(address, settings), at: now), ours, mac)
    }
    var position = 0
    while position + 2 <= input.count {
        let end = min(position + 2 + Int(input[position]), input.count)
        now = now + .milliseconds(Int(input[position + 1]) * 10)
        var frame = Array(input[position + 2..<end])
        if input[position + 1] & 0x80 != 0 { repairChecksum(&frame) }
        check(announcer.handle(.frameReceived(frame), at: now), ours, mac)
        check(announcer.handle(.deadlineReached, at: now), ours, mac)
        position = end
    }
    return 0
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

private func check(_ actions: [Announcer.Action], _ ours: [IPAddress], _ mac: MACAddress) {
    for case .send(let frame) in actions {
        do throws(DecodeError) {
            try check(frame, ours, mac)
        } catch {
            preconditionFailure("sent a frame that does not decode: \(error)")
        }
    }
}

private func check(
    _ frame: [UInt8], _ ours: [IPAddress], _ mac: MACAddress
) throws(DecodeError) {
    let ethernet = try EthernetView(frame.span)
    precondition(ethernet.source == mac, "sent from a foreign link-layer address")
    switch ethernet.type {
    case .arp:
        let packet = try ARPPacket(ARPView(ethernet.payload))
        let spoken =
            packet.senderAddress.isUnspecified ? packet.targetAddress : packet.senderAddress
        precondition(ours.contains(spoken), "spoke for a foreign address")
        precondition(packet.senderHardware == mac, "spoke for a foreign station")
    case .ipv6:
        let message = try NeighborDiscoveryView(IPv6View(ethernet.payload))
        precondition(ours.contains(message.target), "spoke for a foreign address")
        precondition(
            message.kind == .solicitation || message.linkLayerAddress == mac,
            "spoke for a foreign station")
    }
}
