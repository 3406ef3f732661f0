/// What is wrong with a key file, where, and what to do.
package struct KeyFileFault: Error, Equatable, Sendable {
    /// The rule that is broken.
    package enum Rule: Equatable, Sendable {
        /// A line is neither a key nor empty.
        case noKey
        /// The key is on an earlier line as well.
        case repeated(line: Int)
        /// More than ``KeyRing/maximumKeys``.
        case tooMany
        /// No key at all.
        case empty
        /// Everybody on the host may read or write it; the permissions.
        case exposed(permissions: UInt32)
        /// It cannot be read or made.
        case inaccessible(reason: String, remedy: String)
    }

    /// The file.
    package let path: String
    /// The line, from 1; `nil` when it is about the whole file.
    package let line: Int?
    /// The rule that is broken.
    package let rule: Rule

    /// What the reader can do.
    package var remedy: String {
        switch rule {
        case .noKey: "write the base64 of 16 or 32 random bytes (openssl rand -base64 32)"
        case .repeated: "remove one of the two lines"
        case .tooMany: "remove keys that no node seals with any more"
        case .empty: "add a key (openssl rand -base64 32)"
        case .exposed:
            "chmod o= \(path); for a Secret in a pod, set defaultMode: 0400 on its volume"
        case .inaccessible(_, let remedy): remedy
        }
    }
}

extension KeyFileFault: CustomStringConvertible {
    package var description: String {
        let place = line.map { "\(path), line \($0)" } ?? path
        let what =
            switch rule {
            case .noKey: "not a key: a line holds the base64 of 16 or 32 bytes"
            case .repeated(let line): "the same key as on line \(line)"
            case .tooMany: "more than \(KeyRing.maximumKeys) keys"
            case .empty: "there is no key in it"
            case .exposed(let permissions):
                "other users may open it (mode 0\(String(permissions, radix: 8)))"
            case .inaccessible(let reason, _): reason
            }
        return "\(place): \(what); \(remedy)"
    }
}
