import BFD
import NetworkTypes
import Testing

private typealias Method = BFDAuthentication.Method

@Suite("Authentication")
struct AuthenticationTests {
    private static func settings(
        _ method: BFDAuthentication.Method, _ secret: String = "secret", id: UInt8 = 7,
        alternate: BFDAuthentication.Key? = nil
    ) -> BFDSession.Settings {
        var settings = BFDSession.Settings.every(50)
        settings.authentication = BFDAuthentication(
            method: method, key: .init(id: id, secret: Array(secret.utf8)), alternate: alternate)
        return settings
    }

    /// Packets of session 2, signed with the number that follows `sequence`.
    private struct Signer {
        var session: BFDSession

        init(_ settings: BFDSession.Settings) {
            session = BFDSession(
                settings: settings, discriminator: 2, seed: 3, digest: Digests.function, at: .start)
        }

        /// The next periodic packet; each one later than the other.
        mutating func next() throws -> BFDPacket {
            let due = try #require(session.nextDeadline)
            return try #require(session.handle(.deadlineReached, at: due).packets.first)
        }
    }

    @Test("The digests of the tests are those of RFC 1321 §A.5 and RFC 3174 §7.3")
    func digests() {
        let hexadecimal = { (bytes: [UInt8]) in
            bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        let digits = Array(
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890".utf8)
        #expect(hexadecimal(Digests.md5([])) == "d41d8cd98f00b204e9800998ecf8427e")
        #expect(hexadecimal(Digests.md5(digits)) == "57edf4a22be3c955ac49da2e2107b67a")
        #expect(
            hexadecimal(Digests.sha1(Array("abc".utf8)))
                == "a9993e364706816aba3e25717850c26c9cd0d89d")
    }

    @Test(
        "Packets signed elsewhere are believed, with each method",
        arguments: BFDAuthentication.Method.allCases)
    func vectors(method: BFDAuthentication.Method) throws {
        let name = method.description.lowercased().replacing(" ", with: "-")
        var session = BFDSession(Self.settings(method))
        _ = session.hear(try Fixture(name).packet(), at: .start)
        #expect(session.status.counters.discards.total == 0)
        #expect(session.status.remote?.discriminator == 0x1122_3344)
    }

    @Test(
        "BIRD's packets are believed, with each method",
        arguments: BFDAuthentication.Method.allCases)
    func bird(method: BFDAuthentication.Method) throws {
        let name = method.description.lowercased().replacing(" ", with: "-")
        var session = BFDSession(Self.settings(method))
        let actions = session.hear(try Fixture("bird-" + name).packet(), at: .start)
        #expect(actions.states == [.`init`])
        #expect(session.status.counters.discards.total == 0)
    }

    @Test("Two ends with one secret come up", arguments: BFDAuthentication.Method.allCases)
    func comingUp(method: BFDAuthentication.Method) {
        var pair = Pair.up(Self.settings(method), Self.settings(method))
        pair.run(for: .seconds(60))
        #expect(pair.states == [.up, .up])
        #expect(pair.ends.allSatisfy { $0.status.counters.discards.total == 0 })
        #expect(pair.ends.allSatisfy { $0.status.counters.downs == 0 })
    }

    @Test(
        "Two ends of different secrets do not, for that reason",
        arguments: BFDAuthentication.Method.allCases)
    func wrongSecret(method: BFDAuthentication.Method) {
        var pair = Pair(Self.settings(method), Self.settings(method, "secreT"))
        pair.run(for: .seconds(10))
        #expect(pair.states == [.down, .down])
        let discards = pair.ends[0].status.counters.discards
        #expect(discards[.authenticationDigest] > 0)
        #expect(discards.total == discards[.authenticationDigest])
    }

    @Test("Another method, another key number and another length are told apart")
    func reasons() throws {
        let packet = try Fixture("keyed-md5").packet()
        let session = BFDSession(Self.settings(.keyedMD5))
        var cases: [(BFDDiscard, BFDSession.Settings, BFDPacket)] = [
            (.authenticationType, Self.settings(.meticulousKeyedMD5), packet),
            (.authenticationType, Self.settings(.keyedSHA1), packet),
            (.authenticationKey, Self.settings(.keyedMD5, id: 8), packet),
            (
                .authenticationLength, Self.settings(.simplePassword, "secret1"),
                try Fixture("simple-password").packet()
            ),
        ]
        var longer = packet
        longer.authentication?.length = 25
        cases.append((.authenticationLength, session.settings, longer))
        var cut = packet
        cut.authentication?.content.removeLast()
        cases.append((.authenticationLength, session.settings, cut))
        for (reason, settings, packet) in cases {
            var session = BFDSession(settings)
            _ = session.hear(packet, at: .start)
            #expect(session.status.counters.discards[reason] == 1, "\(reason)")
            #expect(session.status.counters.discards.total == 1, "\(reason)")
            #expect(session.state == .down)
        }
    }

    @Test("A password that only begins like ours, or goes on after it, is another")
    func passwordLength() throws {
        for secret in ["secre", "secrets"] {
            var session = BFDSession(Self.settings(.simplePassword, secret))
            _ = session.hear(try Fixture("simple-password").packet(), at: .start)
            #expect(session.status.remote == nil)
        }
    }

    @Test("A meticulous packet is taken once; one that may repeat, again (RFC 5880 §6.7.3)")
    func repetition() throws {
        for (method, expected) in [(Method.meticulousKeyedMD5, 1), (.keyedMD5, 2)] {
            var signer = Signer(Self.settings(method))
            let packet = try signer.next()
            var session = BFDSession(Self.settings(method))
            for _ in 0..<2 { _ = session.hear(packet, at: .at(10)) }
            #expect(session.status.counters.received == expected)
            #expect(
                session.status.counters.discards[.authenticationSequence] == UInt64(2 - expected))
        }
    }

    @Test("Numbers up to three multipliers ahead are taken, the next is not")
    func window() throws {
        for (ahead, taken) in [(1, true), (9, true), (10, false)] {
            var signer = Signer(Self.settings(.meticulousKeyedSHA1))
            var session = BFDSession(Self.settings(.meticulousKeyedSHA1))
            _ = session.hear(try signer.next(), at: .at(1))
            for _ in 1..<ahead { _ = try signer.next() }
            _ = session.hear(try signer.next(), at: .at(2))
            #expect(session.status.counters.received == (taken ? 2 : 1), "\(ahead) ahead")
        }
    }

    @Test("An old number is refused until two detection times of silence have passed")
    func replay() throws {
        var signer = Signer(Self.settings(.meticulousKeyedMD5))
        let old = try signer.next()
        let new = try signer.next()
        var session = BFDSession(Self.settings(.meticulousKeyedMD5))
        _ = session.hear(old, at: .at(0))
        _ = session.hear(new, at: .at(10))
        // Session 2 says 1 s × 3; after three seconds it is forgotten, its number not yet.
        _ = session.handle(.deadlineReached, at: .at(3_010))
        #expect(session.status.remote == nil)
        _ = session.hear(old, at: .at(6_009))
        #expect(session.status.counters.discards[.authenticationSequence] == 1)
        _ = session.hear(old, at: .at(6_010))
        #expect(session.status.counters.discards[.authenticationSequence] == 1)
        #expect(session.status.remote?.discriminator == 2)
    }

    @Test("An end that starts anew with another number is believed again")
    func restart() {
        var pair = Pair.up(
            Self.settings(.meticulousKeyedSHA1), Self.settings(.meticulousKeyedSHA1))
        pair.restart(1, discriminator: 77)
        pair.run(for: .seconds(4))
        #expect(pair.states == [.up, .up])
    }

    @Test("A forged packet with another number does not move the window")
    func forgedSequence() throws {
        var signer = Signer(Self.settings(.meticulousKeyedMD5))
        var session = BFDSession(Self.settings(.meticulousKeyedMD5))
        var forged = try signer.next()
        forged.authentication?.content[2] ^= 0x40
        _ = session.hear(forged, at: .at(1))
        #expect(session.status.counters.discards[.authenticationDigest] == 1)
        _ = session.hear(try signer.next(), at: .at(2))
        #expect(session.status.counters.received == 1)
    }

    @Test("Secrets are changed without a packet lost, one end after the other")
    func rotation() throws {
        let old = BFDAuthentication.Key(id: 7, secret: Array("secret".utf8))
        let new = BFDAuthentication.Key(id: 8, secret: Array("better".utf8))
        let method = Method.meticulousKeyedSHA1
        var pair = Pair.up(Self.settings(method), Self.settings(method))
        let steps = [
            Self.settings(method, alternate: new),
            Self.settings(method, "better", id: 8, alternate: old),
            Self.settings(method, "better", id: 8),
        ]
        for settings in steps {
            for end in 0...1 {
                pair.tell(end, .settingsChanged(settings))
                pair.run(for: .seconds(1))
            }
        }
        #expect(pair.states == [.up, .up])
        #expect(pair.ends.allSatisfy { $0.status.counters.downs == 0 })
        #expect(pair.ends.allSatisfy { $0.status.counters.discards.total == 0 })
        #expect(pair.packets(of: 0).last?.packet.authentication?.keyID == 8)
    }

    @Test("Two secrets under one number are both tried")
    func sameNumber() {
        let other = BFDAuthentication.Key(id: 7, secret: Array("better".utf8))
        var pair = Pair(
            Self.settings(.keyedMD5, alternate: other),
            Self.settings(
                .keyedMD5, "better", alternate: .init(id: 7, secret: Array("secret".utf8))))
        pair.run(for: .seconds(2))
        #expect(pair.states == [.up, .up])
    }

    @Test("Secrets of no length, or longer than the method takes, are refused")
    func secretLengths() {
        let key = { (count: Int) in
            BFDAuthentication.Key(id: 1, secret: Array(repeating: 65, count: count))
        }
        for method in Method.allCases {
            let longest = method.hash == .sha1 ? 20 : 16
            #expect(BFDAuthentication(method: method, key: key(0)) == nil)
            #expect(BFDAuthentication(method: method, key: key(1)) != nil)
            #expect(BFDAuthentication(method: method, key: key(longest)) != nil)
            #expect(BFDAuthentication(method: method, key: key(longest + 1)) == nil)
            #expect(
                BFDAuthentication(method: method, key: key(1), alternate: key(longest + 1)) == nil)
        }
    }

    @Test("A key in a text is its number")
    func redaction() {
        let key = BFDAuthentication.Key(id: 9, secret: Array("hidden".utf8))
        #expect("\(key)" == "key 9")
    }
}
