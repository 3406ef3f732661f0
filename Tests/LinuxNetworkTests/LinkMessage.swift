import NetworkTypes

/// Builds netlink messages as the kernel sends them, for tests.
struct LinkMessage {
    private(set) var bytes: [UInt8] = []

    /// `RTM_NEWLINK` (16) or `RTM_DELLINK` (17).
    static func link(
        _ type: UInt16 = 16, index: UInt32 = 7, name: String = "eth0",
        mac: String = "52:54:00:12:34:56",
        flags: UInt32 = 0x11043, master: UInt32? = nil, kind: String? = nil, family: UInt8 = 0,
        hardware: UInt16 = 1, sequence: UInt32 = 1, isInterrupted: Bool = false
    ) -> LinkMessage {
        var body = Payload()
        body.bytes = [family, 0]
        body.put(hardware)
        body.put(index)
        body.put(flags)
        body.put(UInt32(0))
        body.attribute(3, Array(name.utf8) + [0])
        body.attribute(1, MACAddress(mac)?.bytes ?? [])
        if let master { body.attribute(10, Payload.host(master)) }
        if let kind {
            var nested = Payload()
            nested.attribute(1, Array(kind.utf8) + [0])
            body.attribute(18, nested.bytes)
        }
        return LinkMessage(type, flags: isInterrupted ? 0x12 : 2, sequence, body.bytes)
    }

    /// `RTM_NEWADDR` (20) or `RTM_DELADDR` (21).
    static func address(
        _ text: String, length: UInt8, index: UInt32 = 7, peer: String? = nil,
        type: UInt16 = 20, sequence: UInt32 = 2
    ) -> LinkMessage {
        var body = Payload()
        body.bytes = [IPAddress(text)?.family == .ipv4 ? 2 : 10, length, 0, 0]
        body.put(index)
        body.attribute(1, IPAddress(peer ?? text)?.bytes ?? [])
        if peer != nil { body.attribute(2, IPAddress(text)?.bytes ?? []) }
        return LinkMessage(type, flags: 2, sequence, body.bytes)
    }

    /// `NLMSG_DONE`.
    static func done(_ sequence: UInt32) -> LinkMessage {
        LinkMessage(3, flags: 2, sequence, [0, 0, 0, 0])
    }

    /// `NLMSG_ERROR`.
    static func error(_ code: Int32, _ sequence: UInt32) -> LinkMessage {
        LinkMessage(2, flags: 0, sequence, Payload.host(UInt32(bitPattern: -code)))
    }

    private init(_ type: UInt16, flags: UInt16, _ sequence: UInt32, _ body: [UInt8]) {
        var message = Payload()
        message.put(UInt32(16 + body.count))
        message.put(type)
        message.put(flags)
        message.put(sequence)
        message.put(UInt32(0))
        message.bytes += body
        bytes = message.bytes
    }
}

private struct Payload {
    var bytes: [UInt8] = []

    static func host<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        let big = value.bigEndian
        return stride(from: Value.bitWidth - 8, through: 0, by: -8).map {
            UInt8(truncatingIfNeeded: big >> Value($0))
        }
    }

    mutating func put(_ value: some FixedWidthInteger) { bytes += Self.host(value) }

    mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
        put(UInt16(4 + value.count))
        put(type)
        bytes += value
        while bytes.count % 4 != 0 { bytes.append(0) }
    }
}
