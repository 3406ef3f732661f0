import Testing

@testable import LinuxNetwork

@Suite struct NftablesChangeTests {
    private func host<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        let little = (0..<Value.bitWidth / 8).map {
            UInt8(truncatingIfNeeded: value >> Value($0 * 8))
        }
        return UInt16(1).littleEndian == 1 ? little : little.reversed()
    }

    private func attribute(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        return host(UInt16(4 + value.count)) + host(type) + value + padding
    }

    private func message(
        _ type: UInt16, family: UInt8 = 1, port: UInt32, _ body: [UInt8]
    ) -> [UInt8] {
        host(UInt32(20 + body.count)) + host(0x0a00 | type) + host(UInt16(0)) + host(UInt32(1))
            + host(port) + [family, 0, 0, 0] + body
    }

    /// An object of a table, as its first attribute says.
    private func object(_ table: String, family: UInt8 = 1, port: UInt32 = 77) -> [UInt8] {
        message(3, family: family, port: port, attribute(1, Array(table.utf8) + [0]))
    }

    /// The end of a transaction.
    private func end(_ process: UInt32, _ name: String, port: UInt32 = 77) -> [UInt8] {
        let number = (0..<4).map { UInt8(truncatingIfNeeded: process >> UInt32(24 - $0 * 8)) }
        return message(
            15, port: port,
            attribute(1, [0, 0, 0, 9]) + attribute(2, number)
                + attribute(3, Array(name.utf8) + [0]))
    }

    private func read(_ datagrams: [UInt8]...) -> [NftablesChange] {
        var reader = NftablesChangeReader(table: "martlet", own: 5)
        return datagrams.flatMap { reader.read($0.span) }
    }

    @Test("what somebody else did to our table is told, with who it was")
    func foreign() {
        let changes = read(object("other"), object("martlet") + object("other"), end(1234, "nft"))
        #expect(changes == [NftablesChange(author: .process(1234, name: "nft"))])
        #expect(changes.first?.description == "nft (process 1234)")
    }

    @Test("our own changes, those of other tables and of another family's are passed over")
    func passedOver() {
        #expect(read(object("martlet", port: 5), end(9, "martlet", port: 5)).isEmpty)
        #expect(read(object("martlet2"), object("martle"), end(9, "nft")).isEmpty)
        #expect(read(object("martlet", family: 2), end(9, "nft")).isEmpty)
        // What one transaction touched is not the next one's doing.
        #expect(
            read(object("martlet", port: 5), end(9, "martlet", port: 5), end(9, "nft")).isEmpty)
    }

    @Test("after lost messages anything may have changed")
    func overrun() {
        var reader = NftablesChangeReader(table: "martlet", own: 5)
        #expect(reader.read(object("martlet").span).isEmpty)
        #expect(reader.overrun().author == .unknown)
        #expect(reader.read(end(9, "nft").span).isEmpty)
    }

    @Test("a process whose name would break a line breaks none")
    func name() {
        let changes = read(object("martlet"), end(9, "a\nb\u{7f}"))
        #expect(changes == [NftablesChange(author: .process(9, name: "ab"))])
    }

    @Test("a datagram that is cut anywhere, or has a changed byte, never traps")
    func broken() {
        let datagram = object("martlet") + end(9, "nft")
        for index in datagram.indices {
            #expect(read(Array(datagram[..<index])).isEmpty)
            for value in [UInt8(0), 1, 0x7f, 0xff] {
                var changed = datagram
                changed[index] = value
                #expect(read(changed).count <= 1)
            }
        }
    }

    private func part(
        _ sequence: UInt32, type: UInt16, flags: UInt16 = 2, _ body: [UInt8] = [0, 0, 0, 0]
    ) -> [UInt8] {
        host(UInt32(16 + body.count)) + host(type) + host(flags) + host(sequence)
            + host(UInt32(0)) + body
    }

    @Test("an answer of several parts: each is handed over, and the end says how it ended")
    func dump() {
        let cases: [([UInt8], NftablesSocket.DumpEnd)] = [
            (part(8, type: 3), .complete),
            (part(8, type: 2, flags: 0), .complete),
            (part(8, type: 3, host(Int32(-2))), .refused(2)),
            (part(8, type: 0x0a03, flags: 0x12) + part(8, type: 3), .interrupted),
        ]
        for (last, expected) in cases {
            var progress = DumpProgress(sequence: 8)
            var types: [UInt16] = []
            let first = part(8, type: 0x0a03) + part(7, type: 0x0a09) + part(8, type: 0x0a03)
            #expect(progress.read(first.span) { type, _ in types.append(type) } == nil)
            #expect(types == [0x0a03, 0x0a03])
            #expect(progress.read(last.span) { _, _ in } == expected)
        }
    }
}
