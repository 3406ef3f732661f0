import BFD
import NetworkTypes

/// Feeds arbitrary bytes to the packet reader and to a session: one byte chooses the session's
/// settings, then come steps of a mark, elapsed time, length and datagram. The mark says what
/// happens; with its high bit set, the packet is put right as far as reading it goes, and signed,
/// because chance gets past neither.
///
/// Beside traps, it finds packets that would be refused, more than one in answer to one, P and F
/// together, states reached in another order, and deadlines that stand still.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBFD(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    var run = Run(choice)
    var position = 1
    while position + 3 <= input.count {
        let end = min(position + 3 + Int(input[position + 2]), input.count)
        run.step(input[position], input[position + 1], Array(input[position + 3..<end]))
        position = end
    }
    return 0
}

/// No hash, but one that differs with its input.
private let mixture: BFDDigest = { hash, bytes in
    var state = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return (0..<hash.byteCount).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1
        return UInt8(truncatingIfNeeded: state >> 56)
    }
}

private struct Run {
    private let settings: BFDSession.Settings
    private var session: BFDSession
    private var now = Instant(nanoseconds: 0)
    private var sequence: UInt32 = 0

    init(_ choice: UInt8) {
        var settings = BFDSession.Settings()
        settings.role = choice & 1 == 0 ? .active : .passive
        settings.desiredMinTransmit = choice & 2 == 0 ? 10_000 : 300_000
        settings.detectMultiplier = choice & 4 == 0 ? 1 : 3
        if choice & 8 != 0 {
            settings.echo = .init(transmitInterval: 50_000, requiredMinReceive: 50_000)
        }
        if let method = BFDAuthentication.Method(rawValue: choice >> 4) {
            settings.authentication = BFDAuthentication(
                method: method, key: .init(id: 7, secret: [1, 2, 3]))
        }
        self.settings = settings
        session = BFDSession(
            settings: settings, discriminator: 1, seed: UInt64(choice), digest: mixture, at: now)
    }

    mutating func step(_ mark: UInt8, _ elapsed: UInt8, _ datagram: [UInt8]) {
        now = now + .microseconds(Int(elapsed) * Int(elapsed) * 100)
        let before = session.state
        let event = event(mark, datagram)
        guard let event else { return }
        // Packets may be older than what was done last.
        let late = mark & 0x40 == 0 ? Duration.zero : .milliseconds(20)
        let actions = session.handle(event, at: now - late)
        check(actions, from: before)
        let state = session.state
        let due = session.handle(.deadlineReached, at: now)
        check(due, from: state)
        if let next = session.nextDeadline { precondition(next > now, "time stands still") }
        let status = session.status
        precondition(status.remote != nil || status.state != .up, "up with nobody")
    }

    private mutating func event(_ mark: UInt8, _ datagram: [UInt8]) -> BFDSession.Event? {
        switch mark & 0x3f {
        case 0: return .disable
        case 1: return .enable
        case 2: return .echoReturned(datagram.first.map { UInt32($0) } ?? 0)
        case 3:
            var other = settings
            other.desiredMinTransmit = UInt32(datagram.first ?? 0) * 4_000
            other.requiredMinReceive = UInt32(datagram.last ?? 0) * 4_000
            return .settingsChanged(other)
        default:
            let bytes = mark & 0x80 == 0 ? datagram : repaired(datagram)
            do {
                let packet = try BFDPacket(decoding: bytes.span)
                precondition(packet.myDiscriminator != 0 && packet.detectMultiplier != 0)
                precondition(!packet.description.isEmpty)
                return .received(
                    mark & 0x80 == 0 ? packet : signed(packet), timeToLive: 255 - mark & 1)
            } catch {
                precondition(!error.description.isEmpty)
                return nil
            }
        }
    }

    private func repaired(_ datagram: [UInt8]) -> [UInt8] {
        var bytes = Array((datagram + Array(repeating: 0, count: 24)).prefix(24))
        bytes[0] = 0x20 | bytes[0] & 0x1f
        bytes[1] &= 0xfa
        bytes[2] = max(1, bytes[2])
        bytes[3] = 24
        bytes[7] |= 1
        return bytes
    }

    /// The packet as somebody who knows the secret would send it.
    private mutating func signed(_ packet: BFDPacket) -> BFDPacket {
        guard let method = settings.authentication?.method else { return packet }
        var packet = packet
        guard let hash = method.hash else {
            packet.authentication = .init(type: 1, length: 6, content: [7, 1, 2, 3])
            return packet
        }
        sequence &+= 1
        let head = [7, 0] + (0..<4).map { UInt8(truncatingIfNeeded: sequence >> (24 - 8 * $0)) }
        let padded = [1, 2, 3] + Array(repeating: UInt8(0), count: hash.byteCount - 3)
        packet.authentication = .init(
            type: method.rawValue, length: UInt8(8 + hash.byteCount), content: head + padded)
        let digest = mixture(hash, packet.encoded())
        packet.authentication?.content = head + digest
        return packet
    }

    private func check(_ actions: [BFDSession.Action], from start: BFDState) {
        var state = start
        var packets = 0
        for action in actions {
            switch action {
            case .send(let packet):
                packets += 1
                precondition(!packet.isPoll || !packet.isFinal, "both P and F")
                let bytes = packet.encoded()
                do throws(BFDDiscard) {
                    let read = try BFDPacket(decoding: bytes.span)
                    precondition(read == packet, "another packet")
                } catch {
                    preconditionFailure("sent what is refused: \(error)")
                }
            case .stateChanged(let new, _):
                precondition(new != state, "no change")
                precondition(new != .up || state == .down || state == .`init`, "up from nowhere")
                precondition(state != .adminDown || new == .down, "woken by a packet")
                state = new
            case .sendEcho: precondition(state == .up, "echo while not up")
            case .reachabilityChanged(let verdict):
                precondition(verdict != .up || state == .up, "reachable while not up")
            case .farewellEnded: precondition(state == .adminDown, "a farewell that was not")
            }
        }
        precondition(packets <= 1, "more than one packet for one event")
        precondition(state == session.state, "an unspoken change")
    }
}
