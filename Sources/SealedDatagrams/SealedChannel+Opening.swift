import Crypto
import NetworkTypes

extension SealedChannel {
    /// Opens a datagram that came from `source`. Any bytes may come.
    package mutating func open(
        _ datagram: Span<UInt8>, from source: SocketAddress, at now: Instant
    ) -> Opened {
        guard datagram.count <= Self.maximumDatagram else { return drop(.tooLong, source) }
        guard let header = SealedEnvelope.Header(datagram) else { return drop(.malformed, source) }
        if header.session == session { return drop(.reflected, source) }
        let inside: [UInt8]
        var key: SymmetricKey?
        switch unseal(datagram, header: header) {
        case .open(let bytes): inside = bytes
        case .sealed(let bytes, let used): (inside, key) = (bytes, used)
        case .refused(let reason): return drop(reason, source)
        }
        guard let envelope = SealedEnvelope(inside) else { return drop(.malformed, source) }
        clock += 1
        if let known = sessions[header.session] {
            guard known.sender == envelope.sender else { return drop(.malformed, source) }
            if known.key == nil || known.hint != header.hint {
                sessions[header.session]?.key = key
                sessions[header.session]?.hint = header.hint
            }
            sessions[header.session]?.used = clock
        } else {
            meet(header, sender: envelope.sender, key: key)
        }
        guard sessions[header.session]?.window.accept(header.counter) == true else {
            return drop(.replayed, source)
        }
        return take(envelope, header: header, from: source, at: now)
    }

    /// What a seal comes to.
    private enum Unsealed {
        case open([UInt8])
        case sealed([UInt8], SymmetricKey)
        case refused(DropReason)
    }

    private func unseal(_ datagram: Span<UInt8>, header: SealedEnvelope.Header) -> Unsealed {
        let tagLength = 16
        let body = ByteReader.rest(of: datagram, from: SealedEnvelope.Header.count)
        guard header.isSealed else {
            return keys.isSealing ? .refused(.notSealed) : .open(body)
        }
        guard body.count > tagLength else { return .refused(.malformed) }
        let candidates = keys.keys.filter { $0.hint == header.hint }
        if candidates.isEmpty { return .refused(.wrongKey) }
        let clear = ByteReader.prefix(of: datagram, SealedEnvelope.Header.count)
        let known = sessions[header.session]
        if let known, let key = known.key, known.hint == header.hint {
            // Two keys of a ring with one hint are one chance in a thousand million; then the
            // other one is found below.
            if let inside = unseal(body, key: key, header: header, clear: clear) {
                return .sealed(inside, key)
            }
            if candidates.count == 1 { return .refused(.forged) }
        }
        for candidate in candidates {
            let key = candidate.sessionKey(of: header.session)
            if let inside = unseal(body, key: key, header: header, clear: clear) {
                return .sealed(inside, key)
            }
        }
        return .refused(.forged)
    }

    private func unseal(
        _ body: [UInt8], key: SymmetricKey, header: SealedEnvelope.Header, clear: [UInt8]
    ) -> [UInt8]? {
        do {
            let box = try AES.GCM.SealedBox(
                nonce: AES.GCM.Nonce(data: header.nonce), ciphertext: body.dropLast(16),
                tag: body.suffix(16))
            return Array(try AES.GCM.open(box, using: key, authenticating: clear))
        } catch {
            return nil
        }
    }

    /// Counts a datagram that is not taken, and has its source told of once.
    mutating func drop(_ reason: DropReason, _ source: SocketAddress) -> Opened {
        counters.dropped[reason, default: 0] += 1
        let trouble = SealedTrouble(reason: reason, source: source.address)
        if reason.isTrouble, told.count < Self.maximumTroubles, told.insert(trouble).inserted {
            untold.append(trouble)
        }
        return .dropped(reason)
    }
}

extension ByteReader {
    /// The bytes from `start` on, copied.
    fileprivate static func rest(of bytes: Span<UInt8>, from start: Int) -> [UInt8] {
        var rest: [UInt8] = []
        rest.reserveCapacity(bytes.count - start)
        for index in start..<bytes.count { rest.append(bytes[index]) }
        return rest
    }

    /// The first `count` bytes, copied.
    fileprivate static func prefix(of bytes: Span<UInt8>, _ count: Int) -> [UInt8] {
        var prefix: [UInt8] = []
        prefix.reserveCapacity(count)
        for index in 0..<count { prefix.append(bytes[index]) }
        return prefix
    }
}
