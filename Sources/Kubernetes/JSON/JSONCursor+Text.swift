extension JSONCursor {
    /// Where a string's content stands, between its quotes.
    struct Text {
        var bounds: Range<Int>
        /// Whether the content is to be taken as it stands.
        var isPlain: Bool
        var isASCII: Bool
    }

    /// Passes a string and returns its value.
    mutating func string() throws(JSONFailure) -> String {
        guard try peek() == UInt8(ascii: "\"") else { throw failure(.unexpectedType("a string")) }
        return try text(of: try textBounds())
    }

    /// Passes a string, from its opening quote on.
    mutating func textBounds() throws(JSONFailure) -> Text {
        offset += 1
        let start = offset
        var isPlain = true
        var high: UInt8 = 0
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte == UInt8(ascii: "\"") {
                let text = Text(
                    bounds: start..<offset, isPlain: isPlain, isASCII: high < 0x80)
                offset += 1
                return text
            }
            guard byte >= 0x20 else { throw failure(.controlCharacter) }
            high |= byte
            if byte == UInt8(ascii: "\\") {
                isPlain = false
                offset += 1
            }
            offset += 1
        }
        offset = bytes.count
        throw failure(.truncated)
    }

    /// The value of a string that was passed.
    func text(of text: Text) throws(JSONFailure) -> String {
        let content = bytes[text.bounds]
        if text.isPlain, text.isASCII { return String(decoding: content, as: UTF8.self) }
        let unescaped = text.isPlain ? content : try unescaped(text.bounds)[...]
        guard let value = String(validating: unescaped, as: UTF8.self) else {
            throw JSONFailure(reason: .notUTF8, offset: text.bounds.lowerBound)
        }
        return value
    }

    private func unescaped(_ bounds: Range<Int>) throws(JSONFailure) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bounds.count)
        var place = bounds.lowerBound
        while place < bounds.upperBound {
            let byte = bytes[place]
            place += 1
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            // The escaped byte is within the bounds: the closing quote is not escaped.
            let escaped = bytes[place]
            place += 1
            if escaped == UInt8(ascii: "u") {
                let scalar = try scalar(at: &place, end: bounds.upperBound)
                result.append(contentsOf: Character(scalar).utf8)
            } else if let meant = Self.meaning(of: escaped) {
                result.append(meant)
            } else {
                throw JSONFailure(reason: .badEscape, offset: place - 2)
            }
        }
        return result
    }

    private static func meaning(of escaped: UInt8) -> UInt8? {
        switch escaped {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): escaped
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    /// What four hexadecimal digits stand for, or eight of two escapes that make a surrogate pair.
    private func scalar(at place: inout Int, end: Int) throws(JSONFailure) -> Unicode.Scalar {
        let start = place
        let first = try unit(at: &place, end: end)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard UTF16.isLeadSurrogate(first), place + 6 <= end,
            bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u")
        else { throw JSONFailure(reason: .loneSurrogate, offset: start - 2) }
        place += 2
        let second = try unit(at: &place, end: end)
        let bits = (UInt32(first) & 0x3ff) << 10 | UInt32(second) & 0x3ff
        guard UTF16.isTrailSurrogate(second), let scalar = Unicode.Scalar(0x10000 + bits) else {
            throw JSONFailure(reason: .loneSurrogate, offset: start - 2)
        }
        return scalar
    }

    private func unit(at place: inout Int, end: Int) throws(JSONFailure) -> UInt16 {
        guard place + 4 <= end else { throw JSONFailure(reason: .badEscape, offset: place) }
        var unit: UInt16 = 0
        for byte in bytes[place..<place + 4] {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46: digit = byte - 0x41 + 10
            case 0x61...0x66: digit = byte - 0x61 + 10
            default: throw JSONFailure(reason: .badEscape, offset: place)
            }
            unit = unit << 4 | UInt16(digit)
        }
        place += 4
        return unit
    }
}
