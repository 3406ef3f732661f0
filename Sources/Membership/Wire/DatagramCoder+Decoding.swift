import NetworkTypes

extension DatagramCoder {
    /// What a payload says; all of it, or an error. Never traps, and needs no more memory than a
    /// few times the payload's.
    public static func decode(_ bytes: Span<UInt8>) throws(DatagramError) -> [Message] {
        guard (1...maximumPayload).contains(bytes.count) else { throw .badSize(bytes.count) }
        guard bytes[0] == version else { throw .unknownVersion(bytes[0]) }
        var messages: [Message] = []
        var offset = 1
        while offset < bytes.count {
            let start = offset + headerLength
            guard start <= bytes.count else { throw .truncated(offset: offset) }
            let end = start + (Int(bytes[offset + 1]) << 8 | Int(bytes[offset + 2]))
            guard end <= bytes.count else { throw .truncated(offset: start) }
            if let type = MessageType(rawValue: bytes[offset]) {
                messages.append(try message(type, bytes.extracting(start..<end), at: start))
            }
            offset = end
        }
        return messages
    }

    private static func message(
        _ type: MessageType, _ bytes: Span<UInt8>, at offset: Int
    ) throws(DatagramError) -> Message {
        var body = MessageBody(bytes, at: offset)
        let message: Message
        switch type {
        case .beat: message = .beat(try body.beat())
        case .ping: message = .ping(sequence: try body.uint32())
        case .acknowledgement:
            message = .acknowledgement(sequence: try body.uint32(), regards: try body.state())
        case .inquiry:
            message = .inquiry(about: try body.node(), sequence: try body.uint32())
        case .testimony: message = .testimony(try body.testimony())
        case .news: message = .news(try body.news())
        case .digest:
            let wantsReply = try body.flags(Flag.wantsReply) != 0
            message = .digest(try body.digest(), wantsReply: wantsReply)
        case .delta: message = .delta(try body.delta())
        }
        guard body.isAtEnd else { throw body.malformed(.trailingBytes) }
        return message
    }
}

/// Reads the fields of one message.
private struct MessageBody: ~Escapable {
    private var reader: ByteReader
    /// Where the body begins in the payload.
    private let start: Int

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, at offset: Int) {
        reader = ByteReader(bytes)
        start = offset
    }

    var isAtEnd: Bool { reader.remaining == 0 }

    func malformed(_ reason: DatagramError.Reason) -> DatagramError {
        .malformed(reason, offset: start + reader.offset)
    }

    private func truncated(_ error: ByteReader.Truncated) -> DatagramError {
        .truncated(offset: start + error.offset)
    }

    @_lifetime(self: copy self)
    mutating func uint8() throws(DatagramError) -> UInt8 {
        do { return try reader.uint8() } catch { throw truncated(error) }
    }

    @_lifetime(self: copy self)
    mutating func uint16() throws(DatagramError) -> UInt16 {
        do { return try reader.uint16() } catch { throw truncated(error) }
    }

    @_lifetime(self: copy self)
    mutating func uint32() throws(DatagramError) -> UInt32 {
        do { return try reader.uint32() } catch { throw truncated(error) }
    }

    @_lifetime(self: copy self)
    mutating func uint64() throws(DatagramError) -> UInt64 {
        do { return try reader.uint64() } catch { throw truncated(error) }
    }

    @_lifetime(self: copy self)
    mutating func varint() throws(DatagramError) -> UInt64 {
        do {
            return try reader.varint()
        } catch {
            switch error {
            case .truncated(let error): throw truncated(error)
            case .notShortest: throw malformed(.number)
            }
        }
    }

    @_lifetime(self: copy self)
    mutating func bytes(_ count: Int) throws(DatagramError) -> [UInt8] {
        do { return try reader.array(count) } catch { throw truncated(error) }
    }

    @_lifetime(self: copy self)
    mutating func node() throws(DatagramError) -> NodeID { NodeID(bits: try uint64()) }

    /// A byte in which only the bits of `known` may be set.
    @_lifetime(self: copy self)
    mutating func flags(_ known: UInt8) throws(DatagramError) -> UInt8 {
        let flags = try uint8()
        guard flags & ~known == 0 else { throw malformed(.flags) }
        return flags
    }

    @_lifetime(self: copy self)
    mutating func state() throws(DatagramError) -> MemberState {
        guard let state = MemberState(rawValue: try uint8()) else { throw malformed(.state) }
        return state
    }

    @_lifetime(self: copy self)
    mutating func beat() throws(DatagramError) -> Beat {
        Beat(
            sequence: try uint32(), heardAge: try uint16(), localHealth: try uint8(),
            incarnation: try uint64(), storeHash: try uint64())
    }

    @_lifetime(self: copy self)
    mutating func testimony() throws(DatagramError) -> Testimony {
        let (about, sequence, heardAge) = (try node(), try uint32(), try uint16())
        let flags = try flags(DatagramCoder.Flag.isHeard | DatagramCoder.Flag.hasSession)
        return Testimony(
            about: about, sequence: sequence, heardAge: heardAge,
            isHeard: flags & DatagramCoder.Flag.isHeard != 0,
            hasSession: flags & DatagramCoder.Flag.hasSession != 0)
    }
}

extension MessageBody {
    @_lifetime(self: copy self)
    mutating func news() throws(DatagramError) -> [MemberNews] {
        var news: [MemberNews] = []
        repeat { news.append(try memberNews()) } while !isAtEnd
        return news
    }

    @_lifetime(self: copy self)
    private mutating func memberNews() throws(DatagramError) -> MemberNews {
        guard !isAtEnd else { throw malformed(.emptyList) }
        let name = try bytes(Int(try uint8()))
        guard NodeName.isValid(utf8: name) else { throw malformed(.name) }
        guard let family = IPAddress.Family(rawValue: try uint8()) else {
            throw malformed(.family)
        }
        let address: IPAddress
        do { address = try reader.address(family) } catch { throw truncated(error) }
        let (port, incarnation, state) = (try uint16(), try uint64(), try state())
        guard let cause = DeathCause(rawValue: try uint8()) else { throw malformed(.cause) }
        return MemberNews(
            name: String(decoding: name, as: UTF8.self),
            endpoint: SocketAddress(address, port: port), incarnation: incarnation,
            state: state, cause: cause, witness: try node())
    }

    @_lifetime(self: copy self)
    mutating func digest() throws(DatagramError) -> Digest {
        var digest = Digest([], first: try node(), last: try node())
        guard digest.first <= digest.last else { throw malformed(.order) }
        while !isAtEnd {
            let node = try node()
            guard node >= digest.first, node <= digest.last else { throw malformed(.order) }
            if let previous = digest.entries.last, node <= previous.node {
                throw malformed(.order)
            }
            digest.entries.append(
                DigestEntry(
                    node: node, generation: try uint64(), version: try varint(),
                    target: try varint()))
        }
        return digest
    }

    @_lifetime(self: copy self)
    mutating func delta() throws(DatagramError) -> Delta {
        let (node, generation, from, span) = (try node(), try uint64(), try varint(), try varint())
        let (through, overflow) = from.addingReportingOverflow(span)
        guard span > 0, !overflow else { throw malformed(.version) }
        var delta = Delta(
            node: node, generation: generation, from: from, through: through,
            floor: try varint(), target: try varint(), entries: [])
        guard delta.floor <= max(from, delta.target) else { throw malformed(.version) }
        var previous = from
        while !isAtEnd {
            let entry = try entry(after: previous, through: through)
            previous = entry.version
            delta.entries.append(entry)
        }
        return delta
    }

    @_lifetime(self: copy self)
    private mutating func entry(
        after previous: UInt64, through: UInt64
    ) throws(DatagramError) -> Delta.Entry {
        let step = try varint()
        let (version, overflow) = previous.addingReportingOverflow(step)
        guard step > 0, !overflow, version <= through else { throw malformed(.version) }
        let keyLength = Int(try uint8())
        guard (1...Delta.Entry.maximumKey).contains(keyLength) else { throw malformed(.key) }
        let key = try bytes(keyLength)
        let valueLength = try varint()
        guard valueLength <= Delta.Entry.maximumValue + 1 else { throw malformed(.value) }
        let value = valueLength == 0 ? nil : try bytes(Int(valueLength) - 1)
        return Delta.Entry(key: key, value: value, version: version)
    }
}
