/// What may stand in the value of a header (RFC 9110 §5.5), as far as it is used here: no control
/// character, so nothing can end the header and begin another.
enum HeaderText {
    static func isValid(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// The end of a name such as `Impersonate-Extra-…`: whatever no name may have is
    /// percent-encoded, which the server undoes.
    static func nameSuffix(_ text: String) -> String {
        var name = ""
        for byte in text.lowercased().utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                name += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return name
    }
}
