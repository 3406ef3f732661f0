import Crypto
import NetworkTypes

/// Seals datagrams and opens those of others: what comes out was sent by a holder of a key of the
/// ring, to this start of this node, by the present start of its sender, and comes out once.
///
/// Design
/// - Each start of a node draws a random session; AES-256-GCM (NIST SP 800-38D) under a key derived
///   from the ring's (HKDF-SHA256, RFC 5869) with the session as salt, nonce = a counter. No state
///   outlives the process and no nonce repeats.
/// - A receiver gives each session a challenge, HMAC(secret of this start, session, sender,
///   generation), and takes content only with its echo. Otherwise it answers with a hello that
///   carries the challenge; the sender then repeats what it sent last, so that a first contact or a
///   restart costs one round trip. A challenge is given to nobody else and dies with the start, so
///   a datagram for another node, or from before, is worth nothing.
/// - A window of 1,024 counters a session drops repetitions.
/// - Once a new session of a node has echoed its challenge, all earlier ones are stale. Their
///   challenges die by the generation that goes into each; the last eight are also remembered, so
///   that two nodes of one name do not take turns.
///
/// Bounds: 8,192 sessions and 8,192 destinations, of which the longest unused eighth is forgotten
/// when full (a new hello makes up for it); 64 payloads kept for destinations without challenge,
/// then the oldest is forgotten; one hello a session in 50 ms and 200 a second in all; 1,024
/// troubles told, later ones only counted.
///
/// Total over what comes from the network. Not copyable: a copy would use nonces again.
package struct SealedChannel: ~Copyable, Sendable {
    /// What an incoming datagram comes to.
    package enum Opened: Equatable, Sendable {
        /// It says this; `sender` is the hash of a node name.
        case content(sender: UInt64, [UInt8])
        /// It was set aside; send this back to where it came from.
        case reply([UInt8])
        /// It was a hello; send this again.
        case resend([UInt8], to: SocketAddress)
        /// It was a hello, and there is nothing to do.
        case settled
        /// It was dropped and counted.
        case dropped(DropReason)
    }

    /// The most bytes of a payload.
    package static let maximumPayload = 1_200
    /// The most bytes of a datagram, payload and all.
    package static let maximumDatagram =
        SealedEnvelope.Header.count + SealedEnvelope.maximumOverhead + maximumPayload + 16
    static let maximumSessions = 8_192
    static let maximumPeers = 8_192
    static let maximumKept = 64
    static let maximumTroubles = 1_024
    static let rememberedCounters = 1_024

    /// What has happened so far.
    package internal(set) var counters = SealedCounters()

    let node: UInt64
    let session: SessionID
    let secret: SymmetricKey
    var keys: KeyRing
    // The ring's first key, made ours.
    var sealingKey: SymmetricKey?
    var counter: UInt64 = 0
    var clock: UInt64 = 0
    // Where the datagrams of the last counters went: what a hello or an ICMP error is about.
    var sent: [(counter: UInt64, destination: SocketAddress)?]
    var peers: [SocketAddress: SealedPeer] = [:]
    var kept: [(destination: SocketAddress, payload: [UInt8])] = []
    var sessions: [SessionID: SealedSession] = [:]
    var nodes: [UInt64: SealedNode] = [:]
    // The generation of nodes that are not remembered.
    var unknownGeneration: UInt64 = 0
    var helloRate = HelloRate()
    var told: Set<SealedTrouble> = []
    var untold: [SealedTrouble] = []

    /// A channel of the node whose name has the hash `node`, with its own session and secret.
    package init(node: UInt64, keys: KeyRing) {
        var generator = SystemRandomNumberGenerator()
        self.init(node: node, keys: keys, using: &generator)
    }

    /// The same with random numbers from elsewhere, for tests and simulations.
    package init(
        node: UInt64, keys: KeyRing, using generator: inout some RandomNumberGenerator
    ) {
        self.node = node
        self.keys = keys
        session = SessionID(using: &generator)
        secret = SymmetricKey(data: (0..<4).flatMap { _ in generator.next().networkBytes })
        sent = Array(repeating: nil, count: Self.rememberedCounters)
        sealingKey = keys.keys.first?.sessionKey(of: session)
    }

    /// The datagram that carries `payload` to `destination`; `nil`, counted, when it is longer than
    /// ``maximumPayload``. As long as the destination has given no challenge it will not take the
    /// content; the payload is kept and sent again when its hello comes.
    package mutating func seal(_ payload: [UInt8], to destination: SocketAddress) -> [UInt8]? {
        guard payload.count <= Self.maximumPayload else {
            counters.refused += 1
            return nil
        }
        clock += 1
        guard let peer = peers[destination] else {
            keep(payload, for: destination)
            return seal(SealedEnvelope(sender: node, echo: 0, content: payload), to: destination)
        }
        peers[destination]?.used = clock
        var offer: UInt64?
        if let session = sessions[peer.session], !session.isConfirmed {
            offer = challenge(for: peer.session)
        }
        return seal(
            SealedEnvelope(sender: node, echo: peer.challenge, offer: offer, content: payload),
            to: destination)
    }

    /// Takes another key ring at run time. Sessions, counters and challenges stay; what was sealed
    /// with a key that is gone is not opened any more.
    package mutating func replace(keys: KeyRing) {
        self.keys = keys
        sealingKey = keys.keys.first?.sessionKey(of: session)
        for id in Array(sessions.keys) { sessions[id]?.key = nil }
    }

    /// Whether a datagram that begins as `quoted` was sent to `destination` lately: an ICMP error
    /// that quotes anything else was forged by somebody who does not see our datagrams.
    package func didSend(_ quoted: [UInt8], to destination: SocketAddress) -> Bool {
        guard let header = SealedEnvelope.Header(quoted.span), header.session == session else {
            return false
        }
        return self.destination(of: header.counter) == destination
    }

    /// The troubles since the last call, each reason and source once.
    package mutating func takeNewTroubles() -> [SealedTrouble] {
        defer { untold = [] }
        return untold
    }

    mutating func seal(_ envelope: SealedEnvelope, to destination: SocketAddress) -> [UInt8]? {
        counter += 1
        let header = SealedEnvelope.Header(
            isSealed: keys.isSealing, hint: keys.keys.first?.hint ?? 0, session: session,
            counter: counter)
        var datagram = header.bytes
        let inside = envelope.bytes
        if let sealingKey {
            do {
                let box = try AES.GCM.seal(
                    inside, using: sealingKey, nonce: AES.GCM.Nonce(data: header.nonce),
                    authenticating: datagram)
                datagram.append(contentsOf: box.ciphertext)
                datagram.append(contentsOf: box.tag)
            } catch {
                // Only keys and nonces of a wrong length are refused, and ours have the right one.
                counters.refused += 1
                return nil
            }
        } else {
            datagram.append(contentsOf: inside)
        }
        sent[Int(counter % UInt64(Self.rememberedCounters))] = (counter, destination)
        counters.sealed += 1
        return datagram
    }

    func destination(of counter: UInt64) -> SocketAddress? {
        guard let entry = sent[Int(counter % UInt64(Self.rememberedCounters))],
            entry.counter == counter
        else { return nil }
        return entry.destination
    }

    private mutating func keep(_ payload: [UInt8], for destination: SocketAddress) {
        kept.removeAll { $0.destination == destination }
        if kept.count == Self.maximumKept { kept.removeFirst() }
        kept.append((destination, payload))
    }
}
