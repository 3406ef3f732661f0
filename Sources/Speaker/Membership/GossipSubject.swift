import NetworkTypes

/// What an entry of the replicated store is about: its key, at most 64 bytes.
///
/// The first byte says which kind; kinds that a later version adds are passed over.
enum GossipSubject: Hashable, Sendable {
    /// The address that the member answers for; the value is the epoch of its claim.
    case claim(IPAddress)
    /// One of the member's interfaces, by name.
    case interface(String)
    /// That the member hands over what it has.
    case drain
    /// That nobody answers for the address, as the member sees it.
    case dispute(IPAddress)
    /// That the member, by its own health checks, has no endpoint for the address.
    case unserving(IPAddress)
    /// What an operator asked the member to pass on.
    case request(UInt64)
    /// What the member answers to a request.
    case answer(UInt64)

    /// The key.
    var key: [UInt8] {
        var writer = ByteWriter(capacity: 24)
        switch self {
        case .claim(let address): writer.subject("c", address)
        case .dispute(let address): writer.subject("x", address)
        case .unserving(let address): writer.subject("u", address)
        case .interface(let name):
            writer.uint8(UInt8(ascii: "i"))
            writer.append(name.utf8.prefix(63))
        case .drain: writer.uint8(UInt8(ascii: "d"))
        case .request(let number):
            writer.uint8(UInt8(ascii: "q"))
            writer.uint64(number)
        case .answer(let number):
            writer.uint8(UInt8(ascii: "a"))
            writer.uint64(number)
        }
        return writer.bytes
    }

    /// Reads a key; `nil` when it is of no kind that this version knows.
    init?(key: [UInt8]) {
        var reader = ByteReader(key.span)
        do throws(ByteReader.Truncated) {
            let kind = Unicode.Scalar(try reader.uint8())
            switch kind {
            case "c":
                guard let address = try reader.taggedAddress() else { return nil }
                self = .claim(address)
            case "x":
                guard let address = try reader.taggedAddress() else { return nil }
                self = .dispute(address)
            case "u":
                guard let address = try reader.taggedAddress() else { return nil }
                self = .unserving(address)
            case "i":
                guard let name = try reader.text(reader.remaining), !name.isEmpty else {
                    return nil
                }
                self = .interface(name)
            case "d": self = .drain
            case "q": self = .request(try reader.uint64())
            case "a": self = .answer(try reader.uint64())
            default: return nil
            }
        } catch {
            return nil
        }
        guard reader.remaining == 0 else { return nil }
    }
}

extension ByteWriter {
    fileprivate mutating func subject(_ kind: Unicode.Scalar, _ address: IPAddress) {
        uint8(UInt8(ascii: kind))
        taggedAddress(address)
    }

    /// The family's number, then the address.
    mutating func taggedAddress(_ address: IPAddress) {
        uint8(address.family.rawValue)
        self.address(address)
    }

    /// A length of one byte, then that many bytes of UTF-8; longer texts are cut.
    mutating func shortText(_ text: String) {
        var cut = Substring(text)
        while cut.utf8.count > 255 { cut.removeLast() }
        uint8(UInt8(cut.utf8.count))
        append(cut.utf8)
    }
}

extension ByteReader {
    /// An address behind its family's number; `nil` for a family that does not exist.
    @_lifetime(self: copy self)
    mutating func taggedAddress() throws(Truncated) -> IPAddress? {
        guard let family = IPAddress.Family(rawValue: try uint8()) else { return nil }
        return try address(family)
    }

    /// A text of `count` bytes; `nil` when they are no UTF-8.
    @_lifetime(self: copy self)
    mutating func text(_ count: Int) throws(Truncated) -> String? {
        String(validating: try array(count), as: UTF8.self)
    }

    /// A text behind its length.
    @_lifetime(self: copy self)
    mutating func shortText() throws(Truncated) -> String? {
        let count = Int(try uint8())
        return try text(count)
    }
}
