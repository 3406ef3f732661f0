import BFD

/// MD5 (RFC 1321) and SHA-1 (RFC 3174) for the sessions under test.
enum Digests {
    static let function: BFDDigest = { hash, bytes in
        hash == .md5 ? md5(bytes) : sha1(bytes)
    }

    private static let shifts: [UInt32] = [
        7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21,
    ]

    /// The integer part of 2³² × |sin(i + 1)|, by the sine's series.
    private static let sines: [UInt32] = (0..<64).map { index in
        let angle = Double(index + 1).remainder(dividingBy: 2 * Double.pi)
        var (term, sum, order) = (angle, angle, 1.0)
        while abs(term) > 1e-18 {
            term *= -angle * angle / ((order + 1) * (order + 2))
            sum += term
            order += 2
        }
        return UInt32(abs(sum) * 4_294_967_296)
    }

    static func md5(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
        let bytes = padded(message, isBigEndian: false)
        for start in stride(from: 0, to: bytes.count, by: 64) {
            let words = (0..<16).map { word in
                (0..<4).reduce(UInt32(0)) {
                    $0 | UInt32(bytes[start + 4 * word + $1]) << (8 * UInt32($1))
                }
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            for round in 0..<64 {
                let mixed: UInt32
                let word: Int
                switch round / 16 {
                case 0: (mixed, word) = (b & c | ~b & d, round)
                case 1: (mixed, word) = (d & b | ~d & c, (5 * round + 1) % 16)
                case 2: (mixed, word) = (b ^ c ^ d, (3 * round + 5) % 16)
                default: (mixed, word) = (c ^ (b | ~d), 7 * round % 16)
                }
                let sum = a &+ mixed &+ sines[round] &+ words[word]
                (a, d, c) = (d, c, b)
                b = b &+ rotate(sum, shifts[round / 16 * 4 + round % 4])
            }
            for (index, value) in [a, b, c, d].enumerated() { state[index] &+= value }
        }
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    static func sha1(_ message: [UInt8]) -> [UInt8] {
        var state: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0]
        let bytes = padded(message, isBigEndian: true)
        for start in stride(from: 0, to: bytes.count, by: 64) {
            var words = (0..<16).map { word in
                (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[start + 4 * word + $1]) }
            }
            for index in 16..<80 {
                let mixed = words[index - 3] ^ words[index - 8] ^ words[index - 14]
                words.append(rotate(mixed ^ words[index - 16], 1))
            }
            var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4])
            for round in 0..<80 {
                let mixed: UInt32
                let constant: UInt32
                switch round / 20 {
                case 0: (mixed, constant) = (b & c | ~b & d, 0x5a82_7999)
                case 1: (mixed, constant) = (b ^ c ^ d, 0x6ed9_eba1)
                case 2: (mixed, constant) = (b & c | b & d | c & d, 0x8f1b_bcdc)
                default: (mixed, constant) = (b ^ c ^ d, 0xca62_c1d6)
                }
                let sum = rotate(a, 5) &+ mixed &+ e &+ constant &+ words[round]
                (e, d, c, b, a) = (d, c, rotate(b, 30), a, sum)
            }
            for (index, value) in [a, b, c, d, e].enumerated() { state[index] &+= value }
        }
        return state.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
        }
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 {
        value << count | value >> (32 - count)
    }

    private static func padded(_ message: [UInt8], isBigEndian: Bool) -> [UInt8] {
        let zeros = (119 - message.count % 64) % 64
        let length = UInt64(message.count * 8)
        let tail = (0..<8).map {
            UInt8(truncatingIfNeeded: length >> (isBigEndian ? 56 - 8 * $0 : 8 * $0))
        }
        return message + [0x80] + Array(repeating: 0, count: zeros) + tail
    }
}
