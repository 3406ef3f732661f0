import NetworkTypes

extension BFDSession {
    /// The sequence numbers of both directions (RFC 5880 §6.7.3, §6.7.4).
    struct Sequences: Hashable, Sendable {
        /// The last one sent (bfd.XmitAuthSeq).
        var transmit: UInt32
        /// The last one accepted (bfd.RcvAuthSeq); `nil` while none is known (bfd.AuthSeqKnown).
        private(set) var received: UInt32?
        /// When the last one accepted is to be forgotten, if nothing is accepted until then.
        var expiry: Instant?

        init(transmit: UInt32) { self.transmit = transmit }

        mutating func accept(_ sequence: UInt32) {
            received = sequence
            expiry = nil
        }

        mutating func forgetReceived() {
            received = nil
            expiry = nil
        }

        /// Whether the number lies behind the last one accepted, and not too far.
        func admits(_ sequence: UInt32, isMeticulous: Bool, multiplier: UInt8) -> Bool {
            guard let received else { return true }
            let distance = sequence &- received
            return distance <= 3 * UInt32(multiplier) && (distance > 0 || !isMeticulous)
        }
    }

    /// §6.7: why the packet is not to be believed; `nil` when it is.
    mutating func authenticate(_ packet: BFDPacket, at arrival: Instant) -> BFDDiscard? {
        switch (settings.authentication, packet.authentication) {
        case (nil, nil): return nil
        case (nil, .some): return .unexpectedAuthentication
        case (.some, nil): return .missingAuthentication
        case (let ours?, let section?):
            guard section.type == ours.method.rawValue else { return .authenticationType }
            let keys = ours.keys.filter { $0.id == section.keyID }
            guard !keys.isEmpty else { return .authenticationKey }
            guard let hash = ours.method.hash else { return Self.checkPassword(section, keys) }
            return checkDigest(packet, section, ours.method, hash, keys, at: arrival)
        }
    }

    private static func checkPassword(
        _ section: BFDAuthenticationSection, _ keys: [BFDAuthentication.Key]
    ) -> BFDDiscard? {
        let fitting = keys.filter {
            Int(section.length) == 3 + $0.secret.count
                && section.content.count >= 1 + $0.secret.count
        }
        guard !fitting.isEmpty else { return .authenticationLength }
        let matches = fitting.contains { key in
            areEqual(section.content[1..<1 + key.secret.count], key.secret[...])
        }
        return matches ? nil : .authenticationDigest
    }

    private mutating func checkDigest(
        _ packet: BFDPacket, _ section: BFDAuthenticationSection,
        _ method: BFDAuthentication.Method,
        _ hash: BFDHash, _ keys: [BFDAuthentication.Key], at arrival: Instant
    ) -> BFDDiscard? {
        guard Int(section.length) == 8 + hash.byteCount,
            section.content.count >= 6 + hash.byteCount, let sequence = section.sequence
        else { return .authenticationLength }
        if let expiry = sequenceExpiry, expiry <= arrival { sequences.forgetReceived() }
        guard
            sequences.admits(
                sequence, isMeticulous: method.isMeticulous, multiplier: packet.detectMultiplier)
        else { return .authenticationSequence }
        let place = 6..<6 + hash.byteCount
        let claimed = section.content[place]
        for key in keys {
            let digest = Self.digest(packet, section, key, hash, with: self.digest)
            if Self.areEqual(digest[...], claimed) {
                sequences.accept(sequence)
                return nil
            }
        }
        return .authenticationDigest
    }

    /// bfd.AuthSeqKnown ends after two detection times of silence (§6.8.1).
    private var sequenceExpiry: Instant? {
        if let expiry = sequences.expiry { return expiry }
        guard let lastReceived, let detectionTime else { return nil }
        return lastReceived + detectionTime * 2
    }

    /// The packet with its authentication section, if the session has one.
    ///
    /// A number that may repeat is raised when there is something new to say (§6.7.3).
    mutating func signed(_ packet: BFDPacket, isNews: Bool) -> BFDPacket {
        guard let method = settings.authentication?.method,
            let key = settings.authentication?.keys.first
        else { return packet }
        var packet = packet
        guard let hash = method.hash else {
            packet.authentication = BFDAuthenticationSection(
                type: method.rawValue, length: UInt8(3 + key.secret.count),
                content: [key.id] + key.secret)
            return packet
        }
        if method.isMeticulous || isNews { sequences.transmit &+= 1 }
        let sequence = sequences.transmit
        var section = BFDAuthenticationSection(
            type: method.rawValue, length: UInt8(8 + hash.byteCount),
            content: [key.id, 0]
                + (0..<4).map { UInt8(truncatingIfNeeded: sequence >> (24 - 8 * $0)) }
                + Array(repeating: 0, count: hash.byteCount))
        packet.authentication = section
        let digest = Self.digest(packet, section, key, hash, with: self.digest)
        section.content.replaceSubrange(6..., with: digest)
        packet.authentication = section
        return packet
    }

    /// The digest over the whole packet with the key, filled up with zeros, in the digest's place.
    private static func digest(
        _ packet: BFDPacket, _ section: BFDAuthenticationSection, _ key: BFDAuthentication.Key,
        _ hash: BFDHash, with digest: BFDDigest
    ) -> [UInt8] {
        var keyed = section
        let padding = Array(repeating: UInt8(0), count: hash.byteCount - key.secret.count)
        keyed.content.replaceSubrange(6..<6 + hash.byteCount, with: key.secret + padding)
        var packet = packet
        packet.authentication = keyed
        let result = digest(hash, packet.encoded())
        precondition(result.count == hash.byteCount, "the digest function has another length")
        return result
    }

    /// Takes the same time wherever they differ, so that a digest cannot be guessed byte by byte.
    private static func areEqual(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
