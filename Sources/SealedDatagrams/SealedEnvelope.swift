import NetworkTypes

/// How a datagram looks on the wire.
///
///     header, in clear, authenticated          inside, sealed
///     0  version: 1 sealed, 0x81 open          0   sender, the hash of its node name (8)
///     1  hint of the key (4)                   8   flags (1)
///     5  session of the sender (16)            9   echo: the challenge you gave me, or 0 (8)
///     21 counter, from 1 (8)                   …   offer: a challenge for you (8), if flagged
///     29 inside, then the tag (16)             …   answered: your session, half (8), counter (8)
///                                              …   content
struct SealedEnvelope: Equatable {
    /// What goes in clear.
    struct Header: Equatable {
        static let count = 29

        var isSealed: Bool
        var hint: UInt32
        var session: SessionID
        var counter: UInt64

        init(isSealed: Bool, hint: UInt32, session: SessionID, counter: UInt64) {
            self.isSealed = isSealed
            self.hint = hint
            self.session = session
            self.counter = counter
        }

        /// `nil` when it is shorter than a header, or of another version.
        init?(_ bytes: Span<UInt8>) {
            var reader = ByteReader(bytes)
            do throws(ByteReader.Truncated) {
                let version = try reader.uint8()
                guard version == Self.sealed || version == Self.open else { return nil }
                isSealed = version == Self.sealed
                hint = try reader.uint32()
                session = SessionID(high: try reader.uint64(), low: try reader.uint64())
                counter = try reader.uint64()
            } catch {
                return nil
            }
        }

        var bytes: [UInt8] {
            var writer = ByteWriter(capacity: SealedChannel.maximumDatagram)
            writer.uint8(isSealed ? Self.sealed : Self.open)
            writer.uint32(hint)
            writer.uint64(session.high)
            writer.uint64(session.low)
            writer.uint64(counter)
            return writer.bytes
        }

        /// Counters do not repeat within a session, and each session has its own key.
        var nonce: [UInt8] { [0, 0, 0, 0] + counter.networkBytes }

        private static let sealed: UInt8 = 1
        private static let open: UInt8 = 0x81
    }

    /// Which datagram a hello answers.
    struct Answered: Equatable {
        /// The first half of the session that sent it.
        var session: UInt64
        var counter: UInt64
    }

    /// The longest inside without the content.
    static let maximumOverhead = 8 + 1 + 8 + 8 + 16

    var sender: UInt64
    var echo: UInt64
    var offer: UInt64?
    var answered: Answered?
    /// `nil` for a hello.
    var content: [UInt8]?

    init(
        sender: UInt64, echo: UInt64, offer: UInt64? = nil, answered: Answered? = nil,
        content: [UInt8]? = nil
    ) {
        self.sender = sender
        self.echo = echo
        self.offer = offer
        self.answered = answered
        self.content = content
    }

    /// Reads what is inside; `nil` for what no sender writes.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes.span)
        do throws(ByteReader.Truncated) {
            sender = try reader.uint64()
            let flags = try reader.uint8()
            guard flags & ~(Self.hasContent | Self.hasOffer | Self.hasAnswered) == 0 else {
                return nil
            }
            echo = try reader.uint64()
            offer = flags & Self.hasOffer == 0 ? nil : try reader.uint64()
            if flags & Self.hasAnswered != 0 {
                answered = Answered(session: try reader.uint64(), counter: try reader.uint64())
            }
            if flags & Self.hasContent != 0 {
                content = try reader.array(reader.remaining)
            } else if reader.remaining > 0 {
                return nil
            }
        } catch {
            return nil
        }
        // A hello answers something and offers a challenge; content may offer one.
        guard content == nil ? offer != nil && answered != nil : answered == nil else { return nil }
    }

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: Self.maximumOverhead + (content?.count ?? 0))
        writer.uint64(sender)
        writer.uint8(
            (content == nil ? 0 : Self.hasContent) | (offer == nil ? 0 : Self.hasOffer)
                | (answered == nil ? 0 : Self.hasAnswered))
        writer.uint64(echo)
        if let offer { writer.uint64(offer) }
        if let answered {
            writer.uint64(answered.session)
            writer.uint64(answered.counter)
        }
        if let content { writer.append(content) }
        return writer.bytes
    }

    private static let hasContent: UInt8 = 1
    private static let hasOffer: UInt8 = 2
    private static let hasAnswered: UInt8 = 4
}
