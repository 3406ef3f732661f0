/// What can be said of two versions of the same resource.
///
/// A Kubernetes API server's are decimal numbers that grow, and the API says so since 1.35; of any
/// others only equality is known.
enum ResourceVersion {
    /// The version as a number; `nil` for one that is none, and for `0`, which means "any".
    static func number(_ version: String) -> UInt64? {
        guard version.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt64(version), number > 0
        else { return nil }
        return number
    }

    /// Whether both are numbers and the first is smaller.
    static func isOlder(_ version: String, than other: String?) -> Bool {
        guard let other, let version = number(version), let other = number(other) else {
            return false
        }
        return version < other
    }
}
