import Layer2
import NetworkTypes
import Testing

/// A neighbor discovery frame with every field free, its checksum right unless told otherwise.
private struct RawDiscovery {
    var type: UInt8 = 135
    var code: UInt8 = 0
    var flags: UInt8 = 0
    var hopLimit: UInt8 = 255
    var nextHeader: UInt8 = 58
    var version: UInt8 = 6
    var source = Cast.clientAddress(.ipv6)
    var destination = Cast.address(.ipv6).solicitedNodeMulticast ?? .allNodesMulticast
    var target = Cast.address(.ipv6)
    var options: [UInt8] = [1, 1] + Cast.client.bytes
    var length: UInt16?
    var checksumError: UInt16 = 0

    var frame: [UInt8] {
        var message = ByteWriter()
        message.uint8(type)
        message.uint8(code)
        message.uint16(0)
        message.uint32(UInt32(flags) << 24)
        message.address(target)
        message.append(options)
        var sum = InternetChecksum()
        sum.add(source)
        sum.add(destination)
        sum.add(UInt16(message.count))
        sum.add(58)
        sum.add(message.bytes.span)
        message.setUInt16(sum.value ^ checksumError, at: 2)

        var frame = ByteWriter()
        frame.macAddress(MACAddress(multicast: destination) ?? Cast.speaker)
        frame.macAddress(Cast.client)
        frame.uint16(0x86dd)
        frame.uint32(UInt32(version) << 28)
        frame.uint16(length ?? UInt16(message.count))
        frame.uint8(nextHeader)
        frame.uint8(hopLimit)
        frame.address(source)
        frame.address(destination)
        frame.append(message.bytes)
        return frame.bytes
    }

    static func with(_ change: (inout RawDiscovery) -> Void) -> [UInt8] {
        var message = RawDiscovery()
        change(&message)
        return message.frame
    }
}

@Suite("Validation")
struct ValidationTests {
    /// The drop that a frame leads to in an announcer that uses the fixtures' addresses.
    private func drop(_ frame: [UInt8]) -> Drop? {
        var announcer = Announcer.settled(Cast.families.map { Cast.address($0) })
        var reply = FrameBuffer()
        guard
            case .dropped(let drop) = announcer.receive(
                frame.span, at: .afterBurst, reply: &reply)
        else { return nil }
        #expect(announcer.drops[drop] == 1)
        #expect(announcer.drops.total == 1)
        return drop
    }

    static let discovery: [(DecodeError, [UInt8])] = [
        (.hopLimit, RawDiscovery.with { $0.hopLimit = 254 }),
        (.checksum, RawDiscovery.with { $0.checksumError = 1 }),
        (.code, RawDiscovery.with { $0.code = 1 }),
        (.multicastTarget, RawDiscovery.with { $0.target = .allNodesMulticast }),
        (.optionLength, RawDiscovery.with { $0.options = [1, 0] + Cast.client.bytes }),
        (.optionLength, RawDiscovery.with { $0.options = [1, 2] + Cast.client.bytes }),
        (.optionLength, RawDiscovery.with { $0.options += [5] }),
        (.optionLength, RawDiscovery.with { $0.options += [5, 0, 0, 0, 0, 0, 0, 0] }),
        (
            .linkLayerOption,
            RawDiscovery.with { $0.options = [1, 2] + Array(repeating: 2, count: 14) }
        ),
        (
            .hardwareNotUnicast,
            RawDiscovery.with { $0.options = [1, 1] + MACAddress.broadcast.bytes }
        ),
        (.hardwareNotUnicast, RawDiscovery.with { $0.options = [1, 1] + MACAddress.zero.bytes }),
        (.probeWithSourceOption, RawDiscovery.with { $0.source = .unspecifiedIPv6 }),
        (
            .probeDestination,
            RawDiscovery.with {
                $0.source = .unspecifiedIPv6
                $0.destination = .allNodesMulticast
                $0.options = []
            }
        ),
        (
            .solicitationDestination,
            RawDiscovery.with { $0.destination = Cast.address(.ipv6, 0x11) }
        ),
        (.ipv6MulticastSource, RawDiscovery.with { $0.source = .allNodesMulticast }),
        (.ipv6Version, RawDiscovery.with { $0.version = 4 }),
        (.ipv6PayloadLength, RawDiscovery.with { $0.length = 33 }),
        (.messageTooShort, RawDiscovery.with { $0.length = 23 }),
        (.otherProtocol, RawDiscovery.with { $0.length = 0 }),
        (.otherProtocol, RawDiscovery.with { $0.type = 134 }),
        (
            .solicitedToGroup,
            RawDiscovery.with {
                $0.type = 136
                $0.flags = 0x40
                $0.destination = .allNodesMulticast
            }
        ),
    ]

    @Test(
        "A neighbor discovery message that breaks a rule is dropped and counted under that rule",
        arguments: discovery)
    func discoveryRule(error: DecodeError, frame: [UInt8]) {
        #expect(drop(frame) == .undecodable(error))
    }

    @Test("Neighbor discovery in a fragment, or behind any extension header, is dropped")
    func fragments() {
        for header: UInt8 in [0, 43, 44, 60] {
            #expect(
                drop(RawDiscovery.with { $0.nextHeader = header }) == .undecodable(.otherProtocol))
        }
    }

    @Test("An unbroken message built the same way is answered")
    func unbroken() {
        #expect(drop(RawDiscovery().frame) == nil)
    }

    static let arp: [(DecodeError, Int, UInt8)] = [
        (.arpHardwareType, 15, 6), (.arpProtocolType, 16, 0x86), (.arpAddressLength, 18, 8),
        (.arpAddressLength, 19, 16), (.arpOperation, 21, 3), (.hardwareNotUnicast, 22, 0x03),
        (.sourceNotUnicast, 6, 0xff), (.otherProtocol, 13, 0x00),
    ]

    @Test("An ARP packet that breaks a rule is dropped and counted under that rule", arguments: arp)
    func arpRule(error: DecodeError, offset: Int, value: UInt8) {
        var frame = Frames.question(Cast.address(.ipv4))
        frame[offset] = value
        #expect(drop(frame) == .undecodable(error))
    }

    static let tags: [(name: String, bytes: [UInt8], answered: Bool)] = [
        ("priority tag", [0x81, 0x00, 0xe0, 0x00], true),
        ("VLAN 1", [0x81, 0x00, 0x00, 0x01], false),
        ("VLAN 4095", [0x81, 0x00, 0xef, 0xff], false),
        ("service tag", [0x88, 0xa8, 0x00, 0x00], false),
        ("two tags", [0x81, 0x00, 0x00, 0x00, 0x81, 0x00, 0x00, 0x00], false),
    ]

    @Test("Only untagged and priority-tagged questions are answered", arguments: tags)
    func tagged(name: String, tag: [UInt8], answered: Bool) {
        for family in Cast.families {
            var frame = Frames.question(Cast.address(family))
            frame.insert(contentsOf: tag, at: 12)
            #expect(drop(frame) == (answered ? nil : .undecodable(.otherVLAN)), "\(family)")
        }
    }

    @Test("Every reason for a drop has a counter of its own")
    func counters() {
        #expect(Set(Drop.allCases).count == Drop.allCases.count)
        let announcer = Announcer.settled([])
        #expect(Drop.allCases.allSatisfy { announcer.drops[$0] == 0 })
    }
}
