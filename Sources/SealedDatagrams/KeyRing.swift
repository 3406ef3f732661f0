/// The keys of a cluster's gossip: the first seals, all of them open.
///
/// Rotation without a gap: append the new key on every node, then move it to the top everywhere,
/// then remove the old one. A ring is read from a text of one key a line, the base64 of 16 or 32
/// bytes; what follows a `#` is for people.
package struct KeyRing: Equatable, Sendable {
    /// Opens and seals nothing: whoever can send a datagram to the port can speak as any node. The
    /// framing, the challenge and the replay window stay, which keep old datagrams out and nobody
    /// who forges.
    package static let none = KeyRing(keys: [])

    /// The most keys of a ring.
    package static let maximumKeys = 16
    /// The most bytes of a key file.
    package static let maximumFileSize = 64 << 10

    /// First the one that seals.
    let keys: [GossipKey]

    /// Whether datagrams are sealed at all.
    package var isSealing: Bool { !keys.isEmpty }

    private init(keys: [GossipKey]) { self.keys = keys }

    /// Reads the text of a key file; `path` only names it in an error.
    package init(text: [UInt8], path: String) throws(KeyFileFault) {
        var keys: [GossipKey] = []
        var lines: [GossipKey: Int] = [:]
        for (index, line) in text.split(separator: 0x0a, omittingEmptySubsequences: false)
            .enumerated()
        {
            let number = index + 1
            var word = line.prefix { $0 != UInt8(ascii: "#") }
            while let last = word.last, Self.isBlank(last) { word.removeLast() }
            word = word.drop(while: Self.isBlank)
            if word.isEmpty { continue }
            guard let key = GossipKey(base64: word) else {
                throw KeyFileFault(path: path, line: number, rule: .noKey)
            }
            if let earlier = lines.updateValue(number, forKey: key) {
                throw KeyFileFault(path: path, line: number, rule: .repeated(line: earlier))
            }
            guard keys.count < Self.maximumKeys else {
                throw KeyFileFault(path: path, line: number, rule: .tooMany)
            }
            keys.append(key)
        }
        if keys.isEmpty { throw KeyFileFault(path: path, line: nil, rule: .empty) }
        self.keys = keys
    }

    /// The text of a new key file: one random key of 32 bytes.
    package static func generate() -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<4).flatMap { _ in generator.next().networkBytes }
        return """
            # Martlet's gossip key: every node of the cluster has the same file.
            # The first line seals, all lines open. To rotate: append a new key everywhere, then
            # move it to the top everywhere, then remove the old one.
            \(GossipKey(bytes: bytes).base64)

            """
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0d
    }
}
