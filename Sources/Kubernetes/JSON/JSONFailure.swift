/// Why bytes are not the JSON (RFC 8259) that was asked for, and where.
struct JSONFailure: Error, Hashable, Sendable {
    /// What is wrong.
    enum Reason: Hashable, Sendable {
        /// The text ends too early.
        case truncated
        /// A byte that cannot stand there.
        case unexpected(UInt8)
        /// Something follows the value.
        case trailing
        /// Lists and mappings are nested deeper than the limit.
        case tooDeep
        /// A string holds bytes that are not UTF-8.
        case notUTF8
        /// A string holds a control character that is not escaped (§7).
        case controlCharacter
        /// `\` before a letter that means nothing.
        case badEscape
        /// `\u` with half of a surrogate pair.
        case loneSurrogate
        /// A number that breaks the grammar (§6), or has too many digits.
        case badNumber
        /// A value of another type than documented.
        case unexpectedType(String)
    }

    var reason: Reason
    /// Offset of the byte, from 0.
    var offset: Int
}

extension JSONFailure: CustomStringConvertible {
    /// In words, with the offset.
    var description: String { "\(reason) at byte \(offset)" }
}

extension JSONFailure.Reason: CustomStringConvertible {
    /// In words.
    var description: String {
        switch self {
        case .truncated: "the JSON ends too early"
        case .unexpected(let byte):
            (0x21...0x7e).contains(byte)
                ? "unexpected \"\(Character(Unicode.Scalar(byte)))\" in JSON"
                : "unexpected byte \(byte) in JSON"
        case .trailing: "something follows the JSON value"
        case .tooDeep: "JSON nested deeper than \(JSONDocument.depthLimit) levels"
        case .notUTF8: "a JSON string that is not UTF-8"
        case .controlCharacter: "a control character in a JSON string"
        case .badEscape: "an unknown escape in a JSON string"
        case .loneSurrogate: "half of a surrogate pair in a JSON string"
        case .badNumber: "a malformed JSON number"
        case .unexpectedType(let wanted): "JSON that is not \(wanted)"
        }
    }
}
