import Layer2
import NetworkTypes

/// Feeds arbitrary bytes to the reader of multicast listener queries and to a listener, cut into
/// frames as for the announcer: one byte of length, one of elapsed time, the frame. With the high
/// bit of the latter set, the checksum is put right, because chance does not get past it.
///
/// Beside traps, it finds reports about groups that are not ours, bursts, and deadlines that stand
/// still.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMulticast(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let mac = MACAddress(bits: 0x0200_5e10_0001)
    let groups = (0..<3).map {
        IPAddress(family: .ipv6, bits: 0xff02 << 112 | 0x1_ff00_0010 + UInt128($0))
    }
    var listener = MulticastListener(macAddress: mac)
    var now = Instant(nanoseconds: 0)
    for group in groups { _ = listener.handle(.joined(group), at: now) }
    var position = 0
    while position + 2 <= input.count {
        let end = min(position + 2 + Int(input[position]), input.count)
        now = now + .milliseconds(Int(input[position + 1] & 0x7f) * 20)
        var frame = Array(input[position + 2..<end])
        if input[position + 1] & 0x80 != 0 { repairChecksum(&frame) }
        if let query = MulticastQuery(frame.span) {
            precondition(query.group?.isMulticast ?? true, "a question about no group")
            precondition(query.maximumResponseDelay >= .zero, "an answer before the question")
            _ = listener.handle(.queryReceived(query), at: now)
        }
        check(listener.handle(.deadlineReached, at: now), groups, mac)
        if let next = listener.nextDeadline { precondition(next > now, "time stands still") }
        position = end
    }
    return 0
}

/// Makes the ICMPv6 checksum hold over the rest of an untagged frame with a hop-by-hop header.
private func repairChecksum(_ frame: inout [UInt8]) {
    guard frame.count >= 66 else { return }
    frame[64] = 0
    frame[65] = 0
    var sum = InternetChecksum()
    sum.add(UInt16(frame.count - 62))
    sum.add(58)
    let addresses = Array(frame[22..<54])
    let message = Array(frame[62...])
    sum.add(addresses.span)
    sum.add(message.span)
    frame[64] = UInt8(truncatingIfNeeded: sum.value >> 8)
    frame[65] = UInt8(truncatingIfNeeded: sum.value)
}

private func check(
    _ actions: [MulticastListener.Action], _ groups: [IPAddress], _ mac: MACAddress
) {
    precondition(actions.count <= 32, "a burst")
    for case .send(let frame) in actions {
        precondition(frame.count >= 86 && frame.count <= 1514, "a frame of impossible size")
        precondition(Array(frame[6..<12]) == mac.bytes, "sent from a foreign link-layer address")
        precondition(frame[21] == 1, "a report that leaves the link")
        let starts = frame[62] == 143 ? Array(stride(from: 74, to: frame.count, by: 20)) : [70]
        for start in starts {
            guard start + 16 <= frame.count,
                let group = IPAddress(bytes: Array(frame[start..<start + 16]))
            else { preconditionFailure("a record that is cut") }
            precondition(groups.contains(group), "spoke about a foreign group")
        }
    }
}
