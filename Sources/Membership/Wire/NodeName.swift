/// What a member may be called: a node name of Kubernetes, which is a DNS subdomain (RFC 1123).
public enum NodeName {
    /// The longest name, in bytes.
    public static let maximumLength = 253

    /// Whether `name` can be a member's name.
    public static func isValid(_ name: String) -> Bool { isValid(utf8: name.utf8) }

    /// Labels of lower-case letters, digits and inner dashes, between dots.
    static func isValid(utf8 name: some Collection<UInt8>) -> Bool {
        guard (1...maximumLength).contains(name.count) else { return false }
        let (dot, dash) = (UInt8(ascii: "."), UInt8(ascii: "-"))
        var previous = dot
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): break
            // Labels begin and end with a letter or digit.
            case dot where previous != dot && previous != dash: break
            case dash where previous != dot: break
            default: return false
            }
            previous = byte
        }
        return previous != dot && previous != dash
    }
}
