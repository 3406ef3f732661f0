import NetworkTypes

extension DatagramCoder {
    /// Packs messages into payloads, in the order given. News, digests and deltas that do not fit
    /// into what is left of a payload are split; each part can be understood without the others.
    public struct Packer: Sendable {
        private var writer = ByteWriter(capacity: 128)

        /// Starts without a message.
        public init() {}

        /// Adds a message; returns the payloads that became full, to be sent first.
        ///
        /// - Precondition: names, keys, values, their order and their ranges are as ``Message``
        ///   says.
        public mutating func add(_ message: Message) -> [[UInt8]] {
            var full: [[UInt8]] = []
            switch message {
            case .beat(let beat):
                begin(.beat, length: 23, &full)
                writer.uint32(beat.sequence)
                writer.uint16(beat.heardAge)
                writer.uint8(beat.localHealth)
                writer.uint64(beat.incarnation)
                writer.uint64(beat.storeHash)
            case .ping(let sequence):
                begin(.ping, length: 4, &full)
                writer.uint32(sequence)
            case .acknowledgement(let sequence, let regards):
                begin(.acknowledgement, length: 5, &full)
                writer.uint32(sequence)
                writer.uint8(regards.rawValue)
            case .inquiry(let about, let sequence):
                begin(.inquiry, length: 12, &full)
                writer.uint64(about.bits)
                writer.uint32(sequence)
            case .testimony(let testimony): add(testimony, &full)
            case .news(let news): add(news, &full)
            case .digest(let digest, let wantsReply): add(digest, wantsReply, &full)
            case .delta(let delta): add(delta, &full)
            }
            return full
        }

        /// The payload begun, if any; the packer starts again without a message.
        public mutating func finish() -> [UInt8]? {
            guard writer.count > 1 else { return nil }
            defer { writer = ByteWriter(capacity: 128) }
            return writer.bytes
        }

        /// How many bytes of bodies the payload begun still takes.
        private var room: Int { maximumPayload - max(writer.count, 1) - headerLength }

        private mutating func begin(
            _ type: MessageType, length: Int, _ full: inout [[UInt8]]
        ) {
            if length > room, let payload = finish() { full.append(payload) }
            precondition(length <= room, "no payload holds a message of \(length) bytes")
            if writer.count == 0 { writer.uint8(version) }
            writer.uint8(type.rawValue)
            writer.uint16(UInt16(length))
        }

        /// How many of `lengths` go into one message after `fixed` bytes. When not even one fits
        /// into the payload begun, as many as fit into the next.
        private func share(_ lengths: some Sequence<Int>, after fixed: Int) -> (Int, length: Int) {
            var (count, length) = (0, fixed)
            var limit = room
            for next in lengths {
                if count == 0, fixed + next > limit { limit = maximumPayload - 1 - headerLength }
                guard length + next <= limit else { break }
                count += 1
                length += next
            }
            return (count, length)
        }
    }
}

extension DatagramCoder.Packer {
    private mutating func add(_ testimony: Testimony, _ full: inout [[UInt8]]) {
        begin(.testimony, length: 15, &full)
        writer.uint64(testimony.about.bits)
        writer.uint32(testimony.sequence)
        writer.uint16(testimony.heardAge)
        writer.uint8(
            (testimony.isHeard ? DatagramCoder.Flag.isHeard : 0)
                | (testimony.hasSession ? DatagramCoder.Flag.hasSession : 0))
    }

    private mutating func add(_ news: [MemberNews], _ full: inout [[UInt8]]) {
        var rest = news[...]
        while !rest.isEmpty {
            let (count, length) = share(rest.lazy.map(\.encodedLength), after: 0)
            begin(.news, length: length, &full)
            for item in rest.prefix(count) { write(item) }
            rest = rest.dropFirst(count)
        }
    }

    private mutating func write(_ news: MemberNews) {
        precondition(NodeName.isValid(news.name), "news of a member without a proper name")
        writer.uint8(UInt8(news.name.utf8.count))
        writer.append(news.name.utf8)
        writer.uint8(news.endpoint.address.family.rawValue)
        writer.address(news.endpoint.address)
        writer.uint16(news.endpoint.port)
        writer.uint64(news.incarnation)
        writer.uint8(news.state.rawValue)
        writer.uint8(news.cause.rawValue)
        writer.uint64(news.witness.bits)
    }

    /// Every part covers a range of its own, and together they cover the digest's.
    private mutating func add(
        _ digest: Digest, _ wantsReply: Bool, _ full: inout [[UInt8]]
    ) {
        var rest = digest.entries[...]
        var first = digest.first
        repeat {
            let (count, length) = share(rest.lazy.map(\.encodedLength), after: 17)
            let part = rest.prefix(count)
            rest = rest.dropFirst(count)
            let last = part.last.flatMap { rest.isEmpty ? nil : $0.node } ?? digest.last
            begin(.digest, length: length, &full)
            writer.uint8(wantsReply ? DatagramCoder.Flag.wantsReply : 0)
            writer.uint64(first.bits)
            writer.uint64(last.bits)
            for entry in part {
                precondition(
                    entry.node >= first && entry.node <= last, "a digest that does not ascend")
                writer.uint64(entry.node.bits)
                writer.uint64(entry.generation)
                writer.varint(entry.version)
                writer.varint(entry.target)
                first = NodeID(bits: entry.node.bits &+ 1)
            }
        } while !rest.isEmpty
    }

    /// Every part begins where the one before ended.
    private mutating func add(_ delta: Delta, _ full: inout [[UInt8]]) {
        var rest = delta.entries[...]
        var from = delta.from
        repeat {
            let fixed =
                16 + from.varintLength + (delta.through - from).varintLength
                + delta.floor.varintLength + delta.target.varintLength
            // A step between versions is never longer than the version itself.
            let (count, bound) = share(rest.lazy.map(\.longestLength), after: fixed)
            let part = rest.prefix(count)
            rest = rest.dropFirst(count)
            let through = part.last.flatMap { rest.isEmpty ? nil : $0.version } ?? delta.through
            precondition(through > from, "a delta that does not ascend")
            var body = ByteWriter(capacity: bound)
            body.uint64(delta.node.bits)
            body.uint64(delta.generation)
            body.varint(from)
            body.varint(through - from)
            body.varint(delta.floor)
            body.varint(delta.target)
            for entry in part {
                body.write(entry, after: from, through: through)
                from = entry.version
            }
            begin(.delta, length: body.count, &full)
            writer.append(body.bytes)
            from = through
        } while !rest.isEmpty
    }
}

extension ByteWriter {
    fileprivate mutating func write(
        _ entry: Delta.Entry, after previous: UInt64, through: UInt64
    ) {
        precondition(
            entry.version > previous && entry.version <= through, "a delta that does not ascend")
        precondition(entry.isWithinBounds, "an entry out of bounds")
        varint(entry.version - previous)
        uint8(UInt8(entry.key.count))
        append(entry.key)
        varint(entry.value.map { UInt64($0.count) + 1 } ?? 0)
        append(entry.value ?? [])
    }
}

extension MemberNews {
    fileprivate var encodedLength: Int {
        1 + name.utf8.count + 1 + endpoint.address.family.byteWidth + 2 + 8 + 1 + 1 + 8
    }
}

extension DigestEntry {
    fileprivate var encodedLength: Int { 16 + version.varintLength + target.varintLength }
}

extension Delta.Entry {
    /// Whether key and value are of a length that goes over the wire.
    var isWithinBounds: Bool {
        (1...Self.maximumKey).contains(key.count) && (value?.count ?? 0) <= Self.maximumValue
    }

    fileprivate var longestLength: Int {
        let length = value?.count ?? 0
        return version.varintLength + 1 + key.count + UInt64(length + 1).varintLength + length
    }
}
