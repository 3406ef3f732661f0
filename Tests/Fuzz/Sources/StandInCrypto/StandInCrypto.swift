import FoundationEssentials

// Stands in for swift-crypto while SealedDatagrams is fuzzed: the same calls, no secrets. Every
// seal holds and nothing is hidden, so that the fuzzer's bytes get to what is behind the seal, and
// the run needs no build of BoringSSL.

package struct SymmetricKey: Sendable {
    let bytes: [UInt8]

    package init(data: some Sequence<UInt8>) { bytes = Array(data) }
}

package struct SHA256 {
    private var state: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func update(data: some Sequence<UInt8>) {
        for byte in data { state = (state ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    package func finalize() -> [UInt8] {
        (0..<32).map { UInt8(truncatingIfNeeded: state >> UInt64($0 % 8 * 8)) }
    }
}

package enum HMAC<Hash> {
    package static func authenticationCode(
        for data: some Sequence<UInt8>, using key: SymmetricKey
    ) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: key.bytes)
        hash.update(data: data)
        return hash.finalize()
    }
}

package enum HKDF<Hash> {
    package static func deriveKey(
        inputKeyMaterial: SymmetricKey, salt: some Sequence<UInt8>, info: some Sequence<UInt8>,
        outputByteCount: Int
    ) -> SymmetricKey {
        var hash = SHA256()
        hash.update(data: inputKeyMaterial.bytes)
        hash.update(data: salt)
        return SymmetricKey(data: hash.finalize().prefix(outputByteCount))
    }
}

package enum AES {
    package enum GCM {
        package struct WrongLength: Error {}

        package struct Nonce {
            package init(data: some Sequence<UInt8>) throws {
                guard Array(data).count == 12 else { throw WrongLength() }
            }
        }

        package struct SealedBox {
            package let ciphertext: Data
            package let tag: Data

            package init(
                nonce: Nonce, ciphertext: some Sequence<UInt8>, tag: some Sequence<UInt8>
            ) throws {
                self.ciphertext = Data(ciphertext)
                self.tag = Data(tag)
                guard self.tag.count == 16 else { throw WrongLength() }
            }
        }

        package static func seal(
            _ message: some Sequence<UInt8>, using key: SymmetricKey, nonce: Nonce,
            authenticating: some Sequence<UInt8>
        ) throws -> SealedBox {
            try SealedBox(
                nonce: nonce, ciphertext: message, tag: [UInt8](repeating: 0, count: 16))
        }

        package static func open(
            _ box: SealedBox, using key: SymmetricKey, authenticating: some Sequence<UInt8>
        ) throws -> Data { box.ciphertext }
    }
}
