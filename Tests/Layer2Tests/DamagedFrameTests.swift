import Layer2
import NetworkTypes
import Testing

/// Every fixture cut at every length and with every byte changed to every value, through the
/// decoders and through an announcer in each of its states.
@Suite("Damaged frames")
struct DamagedFrameTests {
    private static let ours = Cast.families.map { Cast.address($0) }

    private func announcers() -> [Announcer] {
        var probing = Announcer(interface: "eth0", macAddress: Cast.speaker)
        for address in Self.ours {
            _ = probing.handle(
                .addressAdded(address, AnnouncementSettings()), at: .afterBurst)
        }
        return [.settled(Self.ours, reannounceInterval: .seconds(60)), probing]
    }

    /// Whatever a damaged frame brings about, we speak for our own addresses only.
    private func speaksForOurs(_ actions: [Announcer.Action]) -> Bool {
        actions.frames.allSatisfy { frame in
            guard let claim = Frames.claimed(in: frame) else {
                return Frames.arp(frame).map { Self.ours.contains($0.targetAddress) }
                    ?? Frames.solicitation(frame).map { Self.ours.contains($0.target) } ?? false
            }
            return Self.ours.contains(claim.address) && claim.hardware == Cast.speaker
        }
    }

    @Test(
        "A frame cut anywhere is never answered unless only padding is gone",
        arguments: try Fixture.all())
    func truncation(fixture: Fixture) {
        let packetLength =
            fixture.name.hasPrefix("arp")
            ? (fixture.bytes[12] == 0x81 ? 46 : 42) : fixture.bytes.count
        for length in 0..<packetLength {
            for var announcer in announcers() {
                let actions = announcer.take(Array(fixture.bytes.prefix(length)))
                #expect(actions.isEmpty, "cut to \(length) bytes")
                #expect(announcer.drops.total == 1, "cut to \(length) bytes")
            }
        }
    }

    @Test(
        "A frame with any byte changed makes us speak for no address but ours",
        arguments: try Fixture.all())
    func oneByteChanged(fixture: Fixture) {
        for original in announcers() {
            var failures = 0
            for offset in fixture.bytes.indices {
                var announcer = original
                for change in UInt8(1)...255 {
                    var frame = fixture.bytes
                    frame[offset] ^= change
                    if !speaksForOurs(announcer.take(frame)) { failures += 1 }
                }
            }
            #expect(failures == 0)
        }
    }

    @Test(
        "A neighbor discovery message with any byte changed after its link-layer header is dropped")
    func checksumCoversDiscovery() throws {
        let fixture = try Fixture("ns-multicast")
        // Not covered: version, traffic class and flow label but for the version's four bits.
        for offset in 14..<fixture.bytes.count where !(15...17).contains(offset) {
            var announcer = Announcer.settled(Self.ours)
            var frame = fixture.bytes
            frame[offset] ^= 0x50
            #expect(announcer.take(frame).isEmpty, "byte \(offset)")
        }
    }

    @Test("An announcer without addresses says nothing to anything", arguments: try Fixture.all())
    func nothingWithoutAddresses(fixture: Fixture) {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        var frames = 0
        for offset in fixture.bytes.indices {
            for change in UInt8(0)...255 {
                var frame = fixture.bytes
                frame[offset] ^= change
                frames += announcer.take(frame).count
            }
        }
        #expect(frames == 0)
        #expect(announcer.nextDeadline == nil)
    }
}
