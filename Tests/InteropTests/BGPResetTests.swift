import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPResetTests {}
}

/// Peers that break off, send nonsense, too much or nothing, or take nothing.
extension RealNetwork.BGPResetTests {
    /// The prefixes that UPDATEs name, as on the wire; enough for a table to be told from another.
    private func content(_ table: [RawPeer.Message]) -> Set<[UInt8]> { Set(table.map(\.body)) }

    @Test("a reset at every byte of the initial table leaves the next session its whole table")
    func everyByte() throws {
        let lab = try RawLab(services: 3)
        let whole = try lab.session()
        whole.close()
        let probe = try lab.connect().establish()
        let table = try probe.table()
        let length = table.map(\.bytes.count).reduce(0, +)
        #expect(length > 200 && table.count == 4)
        probe.reset()
        for count in 0...length {
            let peer = try lab.connect().establish()
            let bytes = try peer.read(count)
            #expect(bytes == Array(table.flatMap(\.bytes).prefix(count)), "\(count)")
            peer.reset()
        }
        // The daemon may not have noticed the last reset when it is called again.
        let last = try lab.connect().establish()
        #expect(try content(last.table()) == content(table))
        #expect(try last.settle() == nil)
        #expect(lab.daemon.isRunning)
        #expect(try lab.metrics(["metallb_bgp_announced_prefixes_total"]) == [6])
        print("resets: one at each of \(length + 1) bytes of the initial table")
    }

    @Test("garbage and half a message cost the session and nothing else")
    func garbage() throws {
        let lab = try RawLab()
        for round in 0..<20 {
            let peer = try round.isMultiple(of: 2) ? lab.connect() : lab.session()
            peer.send(
                (round * 500..<round * 500 + 500).map {
                    UInt8(truncatingIfNeeded: ($0 &* 0x9e37_79b1) >> 13)
                })
            let last = try peer.farewell()
            #expect(last?.body == [1, 1], "\(String(describing: last))")
        }
        let half = try lab.session()
        half.send(Array(RawPeer.announcement([[24, 198, 51, 100]]).prefix(30)))
        half.reset()
        let next = try lab.session()
        #expect(try next.settle() == nil)
        #expect(try lab.metrics(["metallb_bgp_received_prefixes_total"]) == [0])
    }

    @Test("a peer that keeps TCP open and says nothing is given up when the hold time is over")
    func silence() throws {
        let lab = try RawLab(kinds: ["external", "two-octet"], "holdTime: 3s")
        let peer = try lab.session()
        let half = try lab.session("two-octet")
        half.send(Array(RawPeer.announcement([[24, 198, 51, 100]]).prefix(30)))
        let begin = wallClock()
        let last = try peer.farewell(within: 6)
        let seconds = wallClock() - begin
        #expect(last?.body == [4, 0])
        #expect(seconds > 2.8 && seconds < 3.5, "\(seconds) s")
        // Half a message is no sign of life.
        #expect(try half.farewell(within: 1)?.body == [4, 0])
        report("hold time of 3 s: given up", seconds)
    }

    @Test("a million prefixes are counted as many, in bounded memory; a limit ends the session")
    func million() throws {
        let lab = try RawLab()
        let peer = try lab.session()
        let before = try lab.residentMemory()
        let begin = wallClock()
        for block in 0..<1250 {
            let prefixes = (0..<800).map {
                [32] + RawPeer.octets(0x0b00_0000 + block * 800 + $0, 4)
            }
            guard peer.send(RawPeer.announcement(prefixes), within: 20) else {
                throw Unmet(description: "block \(block)\n\(lab.lab.lastWords)")
            }
        }
        #expect(try peer.settle(within: 30) == nil)
        report("a million prefixes read", wallClock() - begin)
        let grown = try lab.residentMemory() - before
        print("measured: a million prefixes: \(grown >> 10) KiB more")
        #expect(grown < 16 << 20)
        #expect(try lab.metrics(["metallb_bgp_received_prefixes_total"])[0] >= 10_000)
        #expect(try lab.lan.run("node-a", "ip route | wc -l").text.contains(/^[0-9]{1,2}\n/))
        peer.close()

        let limited = try RawLab("maximumPrefixes: 1000")
        let other = try limited.session()
        other.send(
            RawPeer.announcement((0..<800).map { [32] + RawPeer.octets(0x0b00_0000 + $0, 4) }))
        #expect(try other.settle() == nil)
        other.send(
            RawPeer.announcement((0..<800).map { [32] + RawPeer.octets(0x0c00_0000 + $0, 4) }))
        // RFC 4486 §4: family and limit.
        #expect(try other.farewell()?.body == [6, 1, 0, 1, 1, 0, 0, 3, 0xe8])
    }

    @Test("a peer that has stopped reading delays no other")
    func stopsReading() throws {
        let lab = try RawLab(kinds: ["external", "two-octet"], services: 40)
        try lab.lan.run("node-a", "sysctl -qw net.ipv4.tcp_wmem='4096 4096 4096'")
        let deaf = try lab.connect(window: 2048).establish()
        let peer = try lab.session("two-octet")
        // It asks again and again, and reads no answer.
        let request = RawPeer.message(5, [0, 1, 0, 1]) + RawPeer.message(5, [0, 2, 0, 1])
        let waits = try eventually {
            for _ in 0..<100 { deaf.send(request, within: 0.05) }
            return try lab.metrics(["metallb_bgp_pending_prefixes_total"])[0] > 0
        }
        #expect(waits != nil, "the deaf peer is to be waited for")
        var times: [Double] = []
        for number in 101...109 {
            let begin = wallClock()
            try lab.lab.service("web-\(number)", number)
            let update = try peer.next { $0.type == 2 && $0.bytes.suffix(5).last == UInt8(number) }
            #expect(update?.isNotification == false)
            times.append(wallClock() - begin)
        }
        times.sort()
        report("with a deaf peer beside, a change is told (median)", times[4])
        #expect(times[4] < 0.05, "\(times)")
        let state = try lab.metrics(["metallb_bgp_session_up"])
        #expect(state == [1], "a slow peer is waited for (RFC 9687 §3)")
        deaf.reset()
        #expect(try peer.settle() == nil)
    }
}
