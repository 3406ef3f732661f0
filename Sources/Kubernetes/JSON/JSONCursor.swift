/// A place in a JSON text (RFC 8259), moved forward token by token.
///
/// Every step is checked against the end; nothing here recurses, so that nesting costs no stack.
struct JSONCursor {
    /// What brackets enclose.
    enum Container {
        case mapping, list

        var opening: UInt8 { self == .mapping ? UInt8(ascii: "{") : UInt8(ascii: "[") }
        var closing: UInt8 { self == .mapping ? UInt8(ascii: "}") : UInt8(ascii: "]") }
        var name: String { self == .mapping ? "a mapping" : "a list" }
    }

    /// A number has at most this many characters; the API's have 20.
    static let numberLimit = 64

    let bytes: [UInt8]
    var offset = 0
    /// Just behind an opening bracket, where no comma is needed.
    private var isFirst = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ reason: JSONFailure.Reason) -> JSONFailure {
        JSONFailure(reason: reason, offset: offset)
    }

    /// The next byte that is no white space.
    mutating func peek() throws(JSONFailure) -> UInt8 {
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else { return byte }
            offset += 1
        }
        throw failure(.truncated)
    }

    /// Nothing but white space may follow.
    mutating func finish() throws(JSONFailure) {
        while offset < bytes.count {
            let byte = bytes[offset]
            guard byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 else {
                throw failure(.trailing)
            }
            offset += 1
        }
    }

    // MARK: Containers

    /// Passes an opening bracket.
    mutating func begin(_ container: Container) throws(JSONFailure) {
        guard try peek() == container.opening else {
            throw failure(.unexpectedType(container.name))
        }
        offset += 1
        isFirst = true
    }

    /// Moves to the next element of a list; false, behind the bracket, when there is none.
    mutating func nextElement() throws(JSONFailure) -> Bool { try next(in: .list) }

    /// Moves to the value of the next field of a mapping; `nil`, behind the bracket, at its end.
    mutating func nextKey() throws(JSONFailure) -> String? {
        guard let key = try nextKeyBytes() else { return nil }
        return try text(of: key)
    }

    /// As ``nextKey()``, without making a text of the key.
    mutating func nextKeyBytes() throws(JSONFailure) -> Text? {
        guard try next(in: .mapping) else { return nil }
        guard try peek() == UInt8(ascii: "\"") else { throw failure(.unexpected(bytes[offset])) }
        let key = try textBounds()
        let colon = try peek()
        guard colon == UInt8(ascii: ":") else { throw failure(.unexpected(colon)) }
        offset += 1
        return key
    }

    private mutating func next(in container: Container) throws(JSONFailure) -> Bool {
        let byte = try peek()
        defer { isFirst = false }
        if byte == container.closing {
            offset += 1
            return false
        }
        if isFirst { return true }
        guard byte == UInt8(ascii: ",") else { throw failure(.unexpected(byte)) }
        offset += 1
        // A comma before the closing bracket is no JSON.
        let following = try peek()
        guard following != container.closing else { throw failure(.unexpected(following)) }
        return true
    }

    // MARK: Scalars

    /// Passes `null` if it is next.
    mutating func skipNull() throws(JSONFailure) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        _ = try literal("null")
        return true
    }

    /// Passes `true`, `false` or `null`.
    mutating func literal(_ word: String) throws(JSONFailure) -> String {
        for byte in word.utf8 {
            guard offset < bytes.count else { throw failure(.truncated) }
            guard bytes[offset] == byte else { throw failure(.unexpected(bytes[offset])) }
            offset += 1
        }
        return word
    }

    /// Passes a number and returns it as written.
    mutating func number() throws(JSONFailure) -> String {
        let start = offset
        if byte(at: offset) == UInt8(ascii: "-") { offset += 1 }
        if byte(at: offset) == UInt8(ascii: "0") { offset += 1 } else { try digits() }
        if byte(at: offset) == UInt8(ascii: ".") {
            offset += 1
            try digits()
        }
        if byte(at: offset) | 0x20 == UInt8(ascii: "e") {
            offset += 1
            let sign = byte(at: offset)
            if sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { offset += 1 }
            try digits()
        }
        // 01, 1x and 1.2.3 end here.
        let following = byte(at: offset)
        guard !(0x30...0x39).contains(following), following != UInt8(ascii: "."),
            offset - start <= Self.numberLimit
        else { throw failure(.badNumber) }
        return String(decoding: bytes[start..<offset], as: UTF8.self)
    }

    private mutating func digits() throws(JSONFailure) {
        guard (0x30...0x39).contains(byte(at: offset)) else {
            throw failure(offset < bytes.count ? .badNumber : .truncated)
        }
        while (0x30...0x39).contains(byte(at: offset)) { offset += 1 }
    }

    /// The byte, or 0 behind the end.
    private func byte(at place: Int) -> UInt8 { place < bytes.count ? bytes[place] : 0 }

    // MARK: Passing over

    /// Passes the next value, whatever it is, looking at no more than strings and brackets.
    mutating func skipValue() throws(JSONFailure) {
        var depth = 0
        var byte = try peek()
        repeat {
            switch byte {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                offset += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard depth > 0 else { throw failure(.unexpected(byte)) }
                depth -= 1
                offset += 1
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                guard depth > 0 else { throw failure(.unexpected(byte)) }
                offset += 1
            default: skipWord()
            }
            if depth > 0 { byte = try peek() }
        } while depth > 0
    }

    private mutating func skipString() throws(JSONFailure) {
        offset += 1
        while offset < bytes.count {
            let byte = bytes[offset]
            offset += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") { offset += 1 }
        }
        offset = bytes.count
        throw failure(.truncated)
    }

    /// Passes a number or a literal: at least one byte, and all up to the next separator.
    private mutating func skipWord() {
        repeat { offset += 1 } while offset < bytes.count && !isSeparator(bytes[offset])
    }

    private func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "}"), UInt8(ascii: "]"),
            UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), 0x20, 0x0a, 0x0d, 0x09:
            true
        default: false
        }
    }
}
