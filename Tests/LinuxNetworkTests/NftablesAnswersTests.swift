import Testing

@testable import LinuxNetwork

@Suite struct NftablesAnswersTests {
    private func host<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        let little = (0..<Value.bitWidth / 8).map {
            UInt8(truncatingIfNeeded: value >> Value($0 * 8))
        }
        return UInt16(1).littleEndian == 1 ? little : little.reversed()
    }

    /// `NLMSG_ERROR`, capped, with an optional text.
    private func answer(_ sequence: UInt32, _ code: Int32, _ text: String = "") -> [UInt8] {
        var payload = host(code) + host(UInt32(84)) + host(UInt32(0x0a06)) + host(sequence)
        payload += host(UInt32(0))
        if !text.isEmpty {
            let value = Array(text.utf8) + [0]
            payload += host(UInt16(4 + value.count)) + host(UInt16(1)) + value
            while payload.count % 4 != 0 { payload.append(0) }
        }
        let flags: UInt16 = text.isEmpty ? 0x100 : 0x300
        return host(UInt32(16 + payload.count)) + host(UInt16(2)) + host(flags) + host(sequence)
            + host(UInt32(0)) + payload
    }

    @Test("several answers in a datagram: an acknowledgement, and a refusal with its reason")
    func answers() {
        let datagram = answer(7, 0) + answer(8, -2, "no such chain")
        #expect(
            NftablesAnswers.read(datagram.span) == [
                .init(sequence: 7, code: 0, detail: ""),
                .init(sequence: 8, code: 2, detail: "no such chain"),
            ])
        #expect(NftablesAnswers.read(answer(8, -2).span).first?.isNotFound == true)
    }

    @Test("a datagram that is cut anywhere yields whole answers or none, and never traps")
    func truncated() {
        let first = answer(7, -17, "it exists")
        let datagram = first + answer(8, -2, "no such chain")
        for length in 0..<datagram.count {
            let part = Array(datagram[..<length])
            let answers = NftablesAnswers.read(part.span)
            #expect(answers.count == (length < first.count ? 0 : 1))
        }
    }

    @Test("one changed byte never traps, and never makes more answers than fit the datagram")
    func changed() {
        let datagram = answer(7, .min, "x") + answer(8, -2, "no such chain")
        for index in datagram.indices {
            for value in [UInt8(0), 1, 0x7f, 0x80, 0xff] {
                var changed = datagram
                changed[index] = value
                #expect(NftablesAnswers.read(changed.span).count <= 4)
            }
        }
    }
}
