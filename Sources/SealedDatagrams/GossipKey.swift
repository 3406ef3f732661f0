import Crypto

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// One key of a ring, and the hint by which a receiver finds it.
struct GossipKey: Hashable, Sendable {
    /// 16 or 32 bytes.
    private let bytes: [UInt8]
    /// The beginning of a hash of the key: tells nothing of it.
    let hint: UInt32

    /// - Precondition: 16 or 32 bytes.
    init(bytes: [UInt8]) {
        precondition(bytes.count == 16 || bytes.count == 32, "a key of another length")
        self.bytes = bytes
        var hash = SHA256()
        hash.update(data: Array("martlet gossip key hint".utf8))
        hash.update(data: bytes)
        hint = hash.finalize().prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Reads base64; `nil` when it is none, or of another number of bytes.
    init?(base64 text: some Sequence<UInt8>) {
        guard let data = Data(base64Encoded: Data(text)), data.count == 16 || data.count == 32
        else { return nil }
        self.init(bytes: Array(data))
    }

    /// As a key file has it.
    var base64: String { Data(bytes).base64EncodedString() }

    /// The key that a sender's session seals with (RFC 5869): no two sessions share one, so their
    /// counters may be equal without a nonce being used twice.
    func sessionKey(of session: SessionID) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: bytes), salt: session.bytes,
            info: Self.purpose, outputByteCount: 32)
    }

    private static let purpose = Array("martlet gossip 1, AES-256-GCM".utf8)
}
