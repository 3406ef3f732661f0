/// How the packets of a session prove who sent them (RFC 5880 §6.7).
public struct BFDAuthentication: Hashable, Sendable {
    /// The method. The raw value is the Auth Type field.
    public enum Method: UInt8, Hashable, Sendable, CaseIterable {
        /// The password in clear (§6.7.2).
        case simplePassword = 1
        /// An MD5 digest; the sequence number may repeat (§6.7.3).
        case keyedMD5 = 2
        /// An MD5 digest; the sequence number grows with every packet (§6.7.3).
        case meticulousKeyedMD5 = 3
        /// A SHA-1 digest; the sequence number may repeat (§6.7.4).
        case keyedSHA1 = 4
        /// A SHA-1 digest; the sequence number grows with every packet (§6.7.4).
        case meticulousKeyedSHA1 = 5

        /// The hash of the digest; `nil` for the password in clear.
        public var hash: BFDHash? {
            switch self {
            case .simplePassword: nil
            case .keyedMD5, .meticulousKeyedMD5: .md5
            case .keyedSHA1, .meticulousKeyedSHA1: .sha1
            }
        }

        /// The longest secret, bytes.
        public var longestSecret: Int { hash?.byteCount ?? 16 }

        var isMeticulous: Bool { self == .meticulousKeyedMD5 || self == .meticulousKeyedSHA1 }
    }

    /// A secret and the number by which both ends know it.
    public struct Key: Hashable, Sendable {
        /// The number, 0–255.
        public var id: UInt8
        /// The secret, 1–16 bytes, for SHA-1 up to 20.
        public var secret: [UInt8]

        /// Makes a key.
        public init(id: UInt8, secret: [UInt8]) {
            self.id = id
            self.secret = secret
        }
    }

    /// The method.
    public let method: Method
    /// One or two keys: the first is sent with, each is accepted.
    public let keys: [Key]

    /// Makes settings for sending with `key`, and accepting also `alternate` while keys change.
    ///
    /// Returns `nil` when a secret is empty or longer than the method allows.
    public init?(method: Method, key: Key, alternate: Key? = nil) {
        let keys = [key] + (alternate.map { [$0] } ?? [])
        guard keys.allSatisfy({ (1...method.longestSecret).contains($0.secret.count) }) else {
            return nil
        }
        self.method = method
        self.keys = keys
    }
}

/// A hash function that authentication needs.
public enum BFDHash: Hashable, Sendable, CaseIterable {
    /// RFC 1321.
    case md5
    /// RFC 3174.
    case sha1

    /// The length of a digest, bytes.
    public var byteCount: Int { self == .md5 ? 16 : 20 }
}

/// Computes a digest. The session is given one, because this module has no cryptography of its own.
public typealias BFDDigest = @Sendable (BFDHash, [UInt8]) -> [UInt8]

extension BFDAuthentication.Method: CustomStringConvertible {
    /// The method in words.
    public var description: String {
        switch self {
        case .simplePassword: "simple password"
        case .keyedMD5: "keyed MD5"
        case .meticulousKeyedMD5: "meticulous keyed MD5"
        case .keyedSHA1: "keyed SHA1"
        case .meticulousKeyedSHA1: "meticulous keyed SHA1"
        }
    }
}

extension BFDAuthentication.Key: CustomStringConvertible {
    /// The number; the secret stays one.
    public var description: String { "key \(id)" }
}
