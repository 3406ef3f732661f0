import Layer2
import NetworkTypes
import Testing

@Suite struct MulticastListenerTests {
    private let hardware = MACAddress(bits: 0x5254_0012_3456)
    private let start = Instant(nanoseconds: 1_000_000_000)

    private func group(_ number: UInt32) -> IPAddress {
        IPAddress(family: .ipv6, bits: 0xff02 << 112 | 0x1_ff00_0000 | UInt128(number))
    }

    /// A general or group-specific query as a router sends it.
    private func query(
        _ group: IPAddress? = nil, isVersion1: Bool = false, delay: UInt16 = 100,
        source: String = "fe80::1"
    ) throws -> [UInt8] {
        let sender = try #require(IPAddress(source))
        var message = ByteWriter()
        message.append([130, 0, 0, 0])
        message.uint16(delay)
        message.uint16(0)
        message.address(group ?? .unspecifiedIPv6)
        if !isVersion1 { message.append([2, 125, 0, 0]) }
        var sum = InternetChecksum()
        sum.add(sender)
        sum.add(.allNodesMulticast)
        sum.add(UInt16(message.count + 58))
        sum.add(message.bytes.span)
        message.setUInt16(sum.value, at: 2)
        var frame = ByteWriter()
        frame.append([0x33, 0x33, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 1, 0x86, 0xdd, 0x60, 0, 0, 0])
        frame.uint16(UInt16(message.count + 8))
        frame.append([0, 1])
        frame.address(sender)
        frame.address(.allNodesMulticast)
        frame.append([58, 0, 5, 2, 0, 0, 1, 0])
        frame.append(message.bytes)
        return frame.bytes
    }

    private func read(_ frame: [UInt8]) -> MulticastQuery? {
        MulticastQuery(frame.span)
    }

    /// Type, destination, and records of a report, after checking its headers (RFC 3810 §5.2).
    private func report(_ frame: [UInt8]) throws -> (
        type: UInt8, destination: IPAddress, records: [(UInt8, IPAddress)]
    ) {
        let destination = try #require(IPAddress(bytes: Array(frame[38..<54])))
        #expect(frame[20] == 0 && frame[21] == 1, "hop-by-hop header, hop limit 1")
        #expect(Array(frame[54..<62]) == [58, 0, 5, 2, 0, 0, 1, 0], "router alert")
        #expect(MACAddress(bytes: Array(frame[0..<6])) == MACAddress(multicast: destination))
        var sum = InternetChecksum()
        sum.add(Array(frame[22..<54]).span)
        sum.add(UInt16(frame.count - 62 + 58))
        sum.add(Array(frame[62...]).span)
        #expect(sum.value == 0)
        guard frame[62] == 143 else {
            let group = try #require(IPAddress(bytes: Array(frame[70..<86])))
            return (frame[62], destination, [(frame[62], group)])
        }
        let count = Int(frame[68]) << 8 | Int(frame[69])
        let records = try (0..<count).map { index in
            let offset = 70 + index * 20
            let group = try #require(IPAddress(bytes: Array(frame[(offset + 4)..<(offset + 20)])))
            return (frame[offset], group)
        }
        return (143, destination, records)
    }

    /// Runs the listener until nothing is due any more, or the time is over.
    private func run(
        _ listener: inout MulticastListener, until end: Instant
    ) -> [(at: Instant, frame: [UInt8])] {
        var frames: [(at: Instant, frame: [UInt8])] = []
        while let deadline = listener.nextDeadline, deadline <= end {
            for case .send(let frame) in listener.handle(.deadlineReached, at: deadline) {
                frames.append((deadline, frame))
            }
        }
        return frames
    }

    @Test("a join is reported at once and again within a second, then there is silence")
    func join() throws {
        var listener = MulticastListener(macAddress: hardware)
        _ = listener.handle(.joined(group(1)), at: start)
        let frames = run(&listener, until: start + .seconds(100))
        #expect(frames.map(\.at) == [start, start + .seconds(1)])
        for (_, frame) in frames {
            let report = try report(frame)
            #expect(report.destination == IPAddress("ff02::16"))
            #expect(report.records.map(\.0) == [4] && report.records.map(\.1) == [group(1)])
        }
        #expect(listener.nextDeadline == nil)
    }

    @Test("a group that is left is reported as left")
    func leave() throws {
        var listener = MulticastListener(macAddress: hardware)
        _ = listener.handle(.joined(group(1)), at: start)
        _ = run(&listener, until: start + .seconds(5))
        _ = listener.handle(.left(group(1)), at: start + .seconds(5))
        let frames = run(&listener, until: start + .seconds(100))
        #expect(frames.count == 2)
        #expect(try frames.allSatisfy { try report($0.frame).records.map(\.0) == [3] })
    }

    @Test("reports come from the link-local address, once the interface has one")
    func source() throws {
        var listener = MulticastListener(macAddress: hardware)
        _ = listener.handle(.joined(group(1)), at: start)
        let before = run(&listener, until: start)
        #expect(before.first.map { Array($0.frame[22..<38]) } == IPAddress("::")?.bytes)
        let own = try #require(IPAddress("fe80::5054:ff:fe12:3456"))
        _ = listener.handle(
            .interfaceChanged(hardware, linkLocal: own), at: start + .milliseconds(10))
        let after = run(&listener, until: start + .milliseconds(10))
        #expect(after.first.map { Array($0.frame[22..<38]) } == own.bytes)
    }

    @Test("a general query is answered for every group within the time it grants")
    func generalQuery() throws {
        var listener = MulticastListener(macAddress: hardware)
        for number in 0..<150 as Range<UInt32> {
            _ = listener.handle(.joined(group(number)), at: start)
        }
        _ = run(&listener, until: start + .seconds(10))
        let asked = start + .seconds(20)
        let question = try #require(read(try query()))
        #expect(question.maximumResponseDelay == .milliseconds(100))
        _ = listener.handle(.queryReceived(question), at: asked)
        _ = listener.handle(.queryReceived(question), at: asked)
        let frames = run(&listener, until: asked + .milliseconds(100))
        let records = try frames.flatMap { try report($0.frame).records }
        #expect(frames.count == 3)
        #expect(records.map(\.1) == (0..<150).map { group($0) })
        #expect(records.allSatisfy { $0.0 == 2 })
    }

    @Test("a query about one group is answered for that group, and for a foreign one not at all")
    func groupQuery() throws {
        var listener = MulticastListener(macAddress: hardware)
        _ = listener.handle(.joined(group(1)), at: start)
        _ = listener.handle(.joined(group(2)), at: start)
        _ = run(&listener, until: start + .seconds(10))
        let asked = start + .seconds(20)
        for number in [2, 9] as [UInt32] {
            let question = try #require(read(try query(group(number))))
            _ = listener.handle(.queryReceived(question), at: asked)
        }
        let frames = run(&listener, until: asked + .seconds(1))
        #expect(try frames.flatMap { try report($0.frame).records.map(\.1) } == [group(2)])
    }

    @Test("a querier of version 1 gets version 1 reports, sent to the group itself")
    func version1() throws {
        var listener = MulticastListener(macAddress: hardware)
        _ = listener.handle(.joined(group(1)), at: start)
        _ = run(&listener, until: start + .seconds(10))
        let question = try #require(read(try query(isVersion1: true)))
        #expect(question.isVersion1)
        _ = listener.handle(.queryReceived(question), at: start + .seconds(20))
        let frames = run(&listener, until: start + .seconds(21))
        let first = try report(try #require(frames.first?.frame))
        #expect(frames.count == 1 && first.type == 131 && first.destination == group(1))
        _ = listener.handle(.left(group(1)), at: start + .seconds(22))
        let left = run(&listener, until: start + .seconds(22))
        let done = try report(try #require(left.first?.frame))
        #expect(done.type == 132 && done.destination == IPAddress("ff02::2"))
    }

    @Test("ten thousand groups are reported in paced, full frames")
    func many() throws {
        var listener = MulticastListener(macAddress: hardware)
        for number in 0..<10_000 as Range<UInt32> {
            _ = listener.handle(.joined(group(number)), at: start)
        }
        let frames = run(&listener, until: start + .milliseconds(900))
        #expect(frames.count == 143)
        #expect(frames.allSatisfy { $0.frame.count <= 1514 })
        #expect(Dictionary(grouping: frames, by: \.at).values.allSatisfy { $0.count <= 32 })
        #expect(try Set(frames.flatMap { try report($0.frame).records.map(\.1) }).count == 10_000)
    }

    @Test("a query is believed only from a link-local address, intact, and whole")
    func disbelief() throws {
        let frame = try query(group(1))
        #expect(read(frame) != nil)
        #expect(read(try query(source: "2001:db8::1")) == nil)
        for length in 0..<frame.count { #expect(read(Array(frame[..<length])) == nil) }
        for position in frame.indices {
            for value in [0, 1, 0x7f, 0xff] as [UInt8] where frame[position] != value {
                var changed = frame
                changed[position] = value
                // Only the link-layer header and what no rule looks at may differ.
                let isFree = position < 18 || (54..<62).contains(position)
                #expect(isFree || read(changed) == nil || position == 18)
            }
        }
    }

    @Test("long delays are floating-point numbers in version 2")
    func longDelay() throws {
        let question = try #require(read(try query(delay: 0x8001)))
        #expect(question.maximumResponseDelay == .milliseconds(0x1001 << 3))
    }
}
