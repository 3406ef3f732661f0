import NetworkTypes
import Testing

@testable import LinuxNetwork

@Suite struct LinkSynchronizationTests {
    /// A synchronization that has taken in one link with one address.
    private func synchronized() -> LinkSynchronization {
        var synchronization = LinkSynchronization()
        _ = synchronization.start()
        feed(&synchronization, .link(), .done(1))
        feed(&synchronization, .address("192.0.2.7", length: 24), .done(2))
        return synchronization
    }

    @discardableResult
    private func feed(
        _ synchronization: inout LinkSynchronization, _ messages: LinkMessage...
    ) -> [LinkSynchronization.Action] {
        let datagram = messages.flatMap(\.bytes)
        return synchronization.received(datagram.span)
    }

    @Test("the table appears once both dumps are complete, with names, flags and subnets")
    func dump() throws {
        var synchronization = LinkSynchronization()
        guard case .request(let first) = synchronization.start() else {
            Issue.record("no request")
            return
        }
        #expect(first.count == 40)
        let second = feed(&synchronization, .link(kind: "veth"), .done(1))
        guard case .request(let addresses) = second.first else {
            Issue.record("no second request")
            return
        }
        #expect(addresses.count == 24)
        #expect(synchronization.takeChange() == nil)
        feed(
            &synchronization, .address("192.0.2.7", length: 24),
            .address("2001:db8::7", length: 64), .done(2))
        let link = try #require(synchronization.takeChange()?.link(named: "eth0"))
        #expect(link.index == 7 && link.kind == "veth" && link.isOperational && link.isEthernet)
        #expect(link.macAddress == MACAddress("52:54:00:12:34:56"))
        #expect(
            Set(link.addresses.map(\.subnet.description)) == ["192.0.2.0/24", "2001:db8::/64"])
        #expect(synchronization.takeChange() == nil)
    }

    @Test("a dump that the kernel calls interrupted is made again before anyone sees it")
    func interrupted() {
        var synchronization = LinkSynchronization()
        _ = synchronization.start()
        let again = feed(&synchronization, .link(isInterrupted: true), .done(1))
        #expect(again.count == 1)
        #expect(synchronization.takeChange() == nil)
        feed(&synchronization, .link(name: "eth9", sequence: 2), .done(2))
        feed(&synchronization, .done(3))
        #expect(synchronization.takeChange()?.link(named: "eth9") != nil)
    }

    @Test("a notification changes the table, whatever sequence number its cause had")
    func notifications() {
        var synchronization = synchronized()
        #expect(synchronization.takeChange() != nil)
        feed(&synchronization, .link(flags: 0x1003, sequence: 991))
        #expect(synchronization.takeChange()?.links[7]?.isOperational == false)
        #expect(synchronization.table.links[7]?.addresses.count == 1)
        feed(&synchronization, .address("192.0.2.7", length: 24, type: 21, sequence: 55))
        #expect(synchronization.takeChange()?.links[7]?.addresses.isEmpty == true)
        feed(&synchronization, .link(17, sequence: 0))
        #expect(synchronization.takeChange()?.links.isEmpty == true)
    }

    @Test("a message that changes nothing delivers nothing")
    func noNews() {
        var synchronization = synchronized()
        _ = synchronization.takeChange()
        // Promiscuous mode (0x100) comes and goes with captures and is nobody's business here.
        feed(&synchronization, .link(flags: 0x11143), .address("192.0.2.7", length: 24))
        #expect(synchronization.takeChange() == nil)
    }

    @Test("a port that leaves a bridge is no link that is gone")
    func bridgeFamily() {
        var synchronization = synchronized()
        feed(&synchronization, .link(17, family: 7))
        #expect(synchronization.table.links[7] != nil)
    }

    @Test("of a point-to-point address our end is the address and theirs the subnet")
    func pointToPoint() {
        var synchronization = synchronized()
        feed(&synchronization, .address("192.0.2.9", length: 32, peer: "198.51.100.1"))
        let address = synchronization.table.links[7]?.addresses.first { $0.subnet.length == 32 }
        #expect(address?.address == IPAddress("192.0.2.9"))
        #expect(address?.subnet == Prefix("198.51.100.1/32"))
    }

    @Test("a refused dump is an error with its number, and another dump can follow")
    func refused() {
        var synchronization = LinkSynchronization()
        _ = synchronization.start()
        #expect(feed(&synchronization, .error(16, 1)) == [.failed(errno: 16)])
        _ = synchronization.start()
        feed(&synchronization, .link(sequence: 2), .done(2))
        feed(&synchronization, .done(3))
        #expect(synchronization.takeChange()?.links.count == 1)
    }

    @Test("every truncation and every changed byte is read without a trap")
    func damaged() {
        let whole =
            LinkMessage.link(master: 3, kind: "bridge").bytes
            + LinkMessage.address("2001:db8::7", length: 64, peer: "2001:db8::8").bytes
        var kept = 0
        for length in 0...whole.count {
            var synchronization = synchronized()
            _ = synchronization.received(Array(whole[..<length]).span)
            kept += synchronization.table.links.count
        }
        for position in whole.indices {
            for value in [0, 1, 0x7f, 0x80, 0xff] as [UInt8] {
                var changed = whole
                changed[position] = value
                var synchronization = synchronized()
                _ = synchronization.received(changed.span)
                #expect(synchronization.table.links[7] != nil || position < 6)
            }
        }
        #expect(kept >= whole.count)
    }
}
