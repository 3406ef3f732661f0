import BGP
import NetworkTypes

/// Feeds arbitrary bytes to the framer and the decoder of BGP messages. The last byte chooses what
/// the session has agreed on; bit 7 has markers and lengths put right, because chance does not get
/// past them.
///
/// Beside traps, it finds a stream that means something else when it is cut in other places, a
/// message that is not the same after it was written and read again, and text of several lines.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBGP(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.popLast() else { return 0 }
    let context = context(choice)
    if choice & 0x80 != 0 { repairHeaders(&input) }
    let whole = messages(in: input, pieces: [input.count], context)
    let pieces = messages(in: input, pieces: [1 + Int(choice & 0x1f), 19, 3], context)
    precondition(whole == pieces, "the stream depends on where it is cut")
    for message in whole.messages { check(message, context) }
    observe(input, choice)
    return 0
}

/// An onlooker is shown both directions in turns, with a piece lost now and then.
private func observe(_ input: [UInt8], _ choice: UInt8) {
    var session = ObservedSession(hasBeginning: choice & 1 != 0)
    let length = 1 + Int(choice & 0x7f)
    for (turn, start) in stride(from: 0, to: input.count, by: length).enumerated() {
        let side: ObservedSession.Side = turn % 2 == 0 ? .one : .other
        if turn % 7 == 6 {
            session.lose(from: side)
        } else {
            _ = session.take(Array(input[start..<min(start + length, input.count)]), from: side)
        }
    }
}

/// What came out of a stream, and the fault that it ended with.
private struct Outcome: Equatable {
    var messages: [BGPMessage] = []
    var fault: MessageFault?
}

private func context(_ choice: UInt8) -> DecodingContext {
    var context = DecodingContext(
        hasFourOctetAS: choice & 1 != 0, families: choice & 2 != 0 ? [.ipv4, .ipv6] : nil,
        isInternal: choice & 4 != 0, role: choice & 8 != 0 ? .peer : nil, remoteAS: 64496)
    if choice & 16 != 0 {
        context.maximumLength = 65535
        context.extendedNextHop = [.ipv4]
    }
    if choice & 32 != 0 { context.families = [.ipv4] }
    return context
}

/// Gives each message a marker, and the last one a length that fits.
private func repairHeaders(_ input: inout [UInt8]) {
    var offset = 0
    while input.count - offset >= 19 {
        for index in offset..<offset + 16 { input[index] = 0xff }
        let length = Int(input[offset + 16]) << 8 | Int(input[offset + 17])
        let left = input.count - offset
        if length < 19 || length > left {
            input[offset + 16] = UInt8(left >> 8)
            input[offset + 17] = UInt8(left & 0xff)
            return
        }
        offset += length
    }
}

private func messages(
    in input: [UInt8], pieces: [Int], _ context: DecodingContext
) -> Outcome {
    var outcome = Outcome()
    var framer = MessageFramer()
    var offset = 0
    var turn = 0
    while offset < input.count {
        let end = min(offset + max(pieces[turn % pieces.count], 1), input.count)
        framer.append(input.span.extracting(offset..<end))
        do throws(MessageFault) {
            while let message = try framer.next(context) { outcome.messages.append(message) }
        } catch {
            outcome.fault = error
            return outcome
        }
        precondition(framer.pendingCount < context.maximumLength, "more than one message waits")
        offset = end
        turn += 1
    }
    return outcome
}

private func check(_ message: BGPMessage, _ context: DecodingContext) {
    let text = message.description
    precondition(!text.isEmpty && !text.utf8.contains(10), "not one line")
    var wide = context
    wide.maximumLength = 65535
    wide.extendedNextHop = [.ipv4]
    if case .update(let update) = message {
        // Two families cannot share one next hop, and nothing at all would be End-of-RIB.
        let isEmpty = update.announced.isEmpty && update.withdrawn.isEmpty
        guard Set(update.announced.map(\.family)).count <= 1, !isEmpty || update.endOfRIB != nil
        else { return }
    }
    let bytes = message.encoded(context: wide)
    let again: BGPMessage?
    do throws(MessageFault) {
        again = try BGPMessage(decoding: bytes.span, context: wide)
    } catch {
        preconditionFailure("what was written is refused: \(error)")
    }
    guard case .update(let update) = message, case .update(let other)? = again else {
        precondition(again == message, "another message after writing it")
        return
    }
    precondition(other.announced == update.announced, "other routes after writing them")
    precondition(Set(other.withdrawn) == Set(update.withdrawn), "other withdrawals")
    precondition(other.attributes == update.attributes, "other attributes after writing them")
    precondition(other.endOfRIB == update.endOfRIB, "End-of-RIB got lost")
    precondition(bytes == BGPMessage.update(other).encoded(context: wide), "other bytes")
}
