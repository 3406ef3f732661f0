import NetworkTypes

@testable import LinuxNetwork

/// Feeds arbitrary bytes to what reads the kernel's records and captured packets. The first byte
/// chooses: routing messages, each datagram behind two bytes of length; answers of nf_tables; file
/// notices; router advertisements; notifications of nf_tables; captured frames, likewise behind
/// their lengths.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzNetlink(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    let rest = Array(input[1...])
    switch choice % 6 {
    case 0: synchronize(rest)
    case 1: readAnswers(rest)
    case 2: readNotices(rest)
    case 3: readRouterMessage(rest)
    case 4: readNotifications(rest)
    default: readFrames(rest, linkType: LinkType.allCases[Int(choice) % LinkType.allCases.count])
    }
    return 0
}

private func synchronize(_ input: [UInt8]) {
    var links = LinkSynchronization()
    check([links.start()])
    var position = 0
    while position + 2 <= input.count {
        let length = Int(input[position]) << 8 | Int(input[position + 1])
        let end = min(position + 2 + length, input.count)
        let datagram = Array(input[position + 2..<end])
        let actions = links.received(datagram.span)
        check(actions)
        // The owner of the socket begins again after a failure.
        if actions.contains(where: { if case .failed = $0 { true } else { false } }) {
            check([links.start()])
        }
        if let table = links.takeChange() { check(table) }
        position = end
    }
}

private func check(_ actions: [LinkSynchronization.Action]) {
    for action in actions {
        switch action {
        case .request(let bytes):
            precondition(bytes.count == 24 || bytes.count == 40, "a request of impossible size")
        case .failed(let code): precondition(code > 0, "failed without an error")
        }
    }
}

private func check(_ table: LinkTable) {
    for (index, link) in table.links {
        precondition(index == link.index && index > 0, "a link under another's index")
        precondition(link.master != 0, "a port of nothing")
        for held in link.addresses {
            precondition(held.address.family == held.subnet.family, "families are mixed")
            precondition(
                table.holders(of: held.address).contains { $0.index == index },
                "a holder is not found")
        }
    }
}

private func readAnswers(_ input: [UInt8]) {
    let answers = NftablesAnswers.read(input.span)
    // The header of each and the number and length in it.
    precondition(answers.count * 24 <= input.count, "more answers than fit")
    for answer in answers {
        precondition(!answer.detail.utf8.contains(0), "a text that does not end")
    }
}

private func readNotifications(_ input: [UInt8]) {
    var reader = NftablesChangeReader(table: "martlet", own: 7)
    let changes = reader.read(input.span)
    // The header of the message that ends each transaction, and four bytes more.
    precondition(changes.count * 20 <= input.count, "more transactions than fit")
    _ = reader.overrun()
}

private func readNotices(_ input: [UInt8]) {
    var events: [InotifyWatch.Event] = []
    InotifyWatch.decode(input[...], into: &events)
    precondition(events.count * 16 <= input.count, "more notices than fit")
    for event in events {
        precondition(!event.name.utf8.contains(0), "a name that does not end")
    }
}

private func readRouterMessage(_ input: [UInt8]) {
    let router = IPAddress(family: .ipv6, bits: 0xfe80 << 112 | 1)
    do throws(RouterMessage.Fault) {
        let message = try RouterMessage(decoding: input.span, from: router, hopLimit: 255)
        let bytes = message.encoded
        let again = try RouterMessage(decoding: bytes.span, from: router, hopLimit: 255)
        precondition(again.encoded == bytes, "a message that changes when it is written again")
    } catch {
        // Most inputs are none.
    }
}

private func readFrames(_ input: [UInt8], linkType: LinkType) {
    var streams = StreamReassembly()
    var position = 0
    while position + 2 <= input.count {
        let length = Int(input[position]) << 8 | Int(input[position + 1])
        let end = min(position + 2 + length, input.count)
        readFrame(Array(input[position + 2..<end]), linkType, &streams)
        precondition(streams.waitingCost <= StreamReassembly.limit, "more waits than may")
        position = end
    }
    _ = streams.finish()
    precondition(streams.waitingCost == 0, "something is left that nothing more comes for")
}

private func readFrame(
    _ frame: [UInt8], _ linkType: LinkType, _ streams: inout StreamReassembly
) {
    do throws(MalformedHeader) {
        let header = try FrameHeader(frame.span, linkType: linkType)
        precondition(header.payload.upperBound <= frame.count, "a payload beyond the frame")
        guard header.carried == FrameProtocol.ipv4 || header.carried == FrameProtocol.ipv6 else {
            return
        }
        let packet = try PacketHeader(frame.span, header.payload)
        precondition(packet.payload.upperBound <= frame.count, "a payload beyond the frame")
        switch packet.carried {
        case PacketHeader.tcp:
            let segment = try SegmentHeader(frame.span, packet.payload)
            _ = streams.take(segment, frame.span.extracting(segment.payload))
            if let number = segment.acknowledgment { streams.acknowledge(number) }
        case PacketHeader.udp:
            let datagram = try DatagramHeader(frame.span, of: packet)
            precondition(datagram.payload.upperBound <= frame.count, "beyond the frame")
        default: break
        }
    } catch {
        precondition(!error.rule.isEmpty, "a fault without a rule")
    }
}
