import Layer2
import NetworkTypes
import Testing

@Suite("Groups and the table")
struct GroupTests {
    private let atOnce = AnnouncementSettings(start: .atOnce, reannounceInterval: nil)
    private let first = IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x1_0000_0010)
    private let second = IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 0x2_0000_0010)

    @Test("Addresses that share a solicited-node group join it once and leave it with the last")
    func sharedGroup() throws {
        let group = try #require(IPAddress("ff02::1:ff00:10"))
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        let now = Instant.milliseconds(0)
        #expect(
            announcer.handle(.addressAdded(first, atOnce), at: now).others
                == [.joinGroup(group), .answering(first)])
        #expect(
            announcer.handle(.addressAdded(second, atOnce), at: now).others
                == [.answering(second)])
        #expect(announcer.groups == [group])
        #expect(announcer.handle(.addressRemoved(first), at: now).isEmpty)
        #expect(announcer.handle(.addressRemoved(second), at: now) == [.leaveGroup(group)])
        #expect(announcer.groups.isEmpty)
    }

    @Test("The group is joined before the first probe is sent")
    func joinedBeforeProbe() throws {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        let actions = announcer.handle(
            .addressAdded(first, AnnouncementSettings()), at: .milliseconds(0))
        let group = try #require(first.solicitedNodeMulticast)
        #expect(actions.first == .joinGroup(group))
        #expect(actions.frames.count == 1)
    }

    @Test("IPv4 addresses need no group")
    func ipv4() {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        let actions = announcer.handle(
            .addressAdded(Cast.address(.ipv4), atOnce), at: .milliseconds(0))
        #expect(actions.others == [.answering(Cast.address(.ipv4))])
        #expect(announcer.groups.isEmpty)
    }

    @Test("Adding twice and removing twice are the same as once")
    func idempotent() {
        var announcer = Announcer.settled([first])
        #expect(announcer.handle(.addressAdded(first, atOnce), at: .afterBurst).isEmpty)
        #expect(announcer.addresses == [first])
        #expect(!announcer.handle(.addressRemoved(first), at: .afterBurst).isEmpty)
        #expect(announcer.handle(.addressRemoved(first), at: .afterBurst).isEmpty)
    }

    @Test(
        "Addresses that no station can have are refused",
        arguments: [
            "0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.1", "::", "::1", "ff02::1",
        ])
    func refused(text: String) throws {
        let address = try #require(IPAddress(text))
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        #expect(
            announcer.handle(.addressAdded(address, atOnce), at: .afterBurst)
                == [.refused(address)])
        #expect(announcer.addresses.isEmpty)
    }

    @Test("The table is bounded; the address after the last is refused and the others stay")
    func full() {
        var announcer = Announcer(interface: "eth0", macAddress: Cast.speaker)
        let now = Instant.milliseconds(0)
        for number in 0..<UInt32(Announcer.maximumAddresses) {
            _ = announcer.handle(
                .addressAdded(IPAddress(ipv4: 0xc612_0001 + number), atOnce), at: now)
        }
        let extra = Cast.address(.ipv6)
        #expect(announcer.handle(.addressAdded(extra, atOnce), at: now) == [.refused(extra)])
        #expect(announcer.addresses.count == Announcer.maximumAddresses)
        _ = announcer.handle(.addressRemoved(IPAddress(ipv4: 0xc612_0001)), at: now)
        #expect(announcer.handle(.addressAdded(extra, atOnce), at: now).contains(.answering(extra)))
    }
}
