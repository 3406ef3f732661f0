import Membership
import NetworkTypes
import Testing

@Suite("Payloads that are refused")
struct WireRefusalTests {
    private static func payload(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [1, type, UInt8(body.count >> 8), UInt8(body.count & 0xff)] + body
    }

    private static func news(_ name: [UInt8], family: UInt8 = 4) -> [UInt8] {
        let address: [UInt8] = family == 6 ? Array(repeating: 1, count: 16) : [192, 0, 2, 2]
        return [UInt8(name.count)] + name + [family] + address + [0x1d, 0x39]
            + Array(repeating: 0, count: 8) + [0, 0] + Array(repeating: 0, count: 8)
    }

    private static func number(_ value: UInt8) -> [UInt8] {
        Array(repeating: 0, count: 7) + [value]
    }

    private static func delta(_ span: [UInt8], _ entries: [UInt8]) -> [UInt8] {
        payload(8, number(1) + number(1) + [5] + span + [0, 0] + entries)
    }

    private static func digest(_ first: UInt8, _ last: UInt8, _ nodes: [UInt8]) -> [UInt8] {
        payload(
            7,
            [0] + number(first) + number(last) + nodes.flatMap { number($0) + number(1) + [1, 0] })
    }

    private static func entry(_ step: UInt8, key: Int, value: [UInt8]) -> [UInt8] {
        [step, UInt8(key)] + Array(repeating: 0x6b, count: key) + value
    }

    private static func letters(_ count: Int) -> [UInt8] { Array(repeating: 0x61, count: count) }

    static let cases: [(String, [UInt8], DatagramError.Reason)] = [
        ("a byte after a ping", payload(2, [0, 0, 0, 1, 0]), .trailingBytes),
        ("news of nobody", payload(6, []), .emptyList),
        ("an empty name", payload(6, news([])), .name),
        ("a name of 254 bytes", payload(6, news(letters(254))), .name),
        ("a name in capitals", payload(6, news(Array("Node-a".utf8))), .name),
        ("a name that ends with a dot", payload(6, news(Array("node.".utf8))), .name),
        ("a name with a line feed", payload(6, news(Array("a\nb".utf8))), .name),
        ("a name that is not UTF-8", payload(6, news([0x61, 0xff, 0x61])), .name),
        ("an address family of 5", payload(6, news(letters(3), family: 5)), .family),
        ("a state of 4", payload(3, [0, 0, 0, 1, 4]), .state),
        (
            "a flag that a testimony has not",
            payload(5, number(1) + [0, 0, 0, 1, 0, 0, 4]), .flags
        ),
        ("a digest that ends before it begins", digest(9, 8, []), .order),
        ("a digest that does not ascend", digest(0, 9, [5, 5]), .order),
        ("a digest of a member below its range", digest(6, 9, [5]), .order),
        ("a digest of a member above its range", digest(0, 4, [5]), .order),
        ("a delta over no version", delta([0], []), .version),
        (
            "a delta beyond the last version",
            delta(Array(repeating: 0xff, count: 9) + [1], []), .version
        ),
        ("an entry of the version before it", delta([9], entry(0, key: 1, value: [0])), .version),
        ("an entry beyond the delta", delta([9], entry(10, key: 1, value: [0])), .version),
        (
            "a floor that the receiver cannot have passed",
            payload(8, number(1) + number(1) + [5, 1, 7, 6]), .version
        ),
        ("an empty key", delta([9], entry(1, key: 0, value: [0])), .key),
        ("a key of 65 bytes", delta([9], entry(1, key: 65, value: [0])), .key),
        (
            "a value of 1,025 bytes",
            delta([9], entry(1, key: 1, value: [0x82, 0x08] + letters(1_025))), .value
        ),
        ("a number with a needless byte", delta([0x81, 0x00], []), .number),
        (
            "a number of more than 64 bits",
            delta(Array(repeating: 0xff, count: 9) + [2], []), .number
        ),
    ]

    @Test("What cannot be is refused by its reason", arguments: cases)
    func malformed(name: String, payload: [UInt8], reason: DatagramError.Reason) {
        let error = #expect(throws: DatagramError.self) {
            try decode(payload)
        }
        guard case .malformed(let found, let offset)? = error else {
            Issue.record("\(name): \(String(describing: error))")
            return
        }
        #expect(found == reason)
        #expect(offset > 1 && offset <= payload.count)
    }

    @Test("Every reason has a payload that shows it")
    func allReasons() {
        let shown = Set(Self.cases.map(\.2) + [.cause])
        #expect(shown == Set(DatagramError.Reason.allCases))
        var payload = Self.payload(6, Self.news(Self.letters(3)))
        payload[payload.count - 9] = 4
        #expect(throws: DatagramError.malformed(.cause, offset: payload.count - 8)) {
            try decode(payload)
        }
    }

    @Test("Another format, no byte, and more bytes than a payload has are refused")
    func otherFormats() {
        let long = [1] + [UInt8](repeating: 0, count: DatagramCoder.maximumPayload)
        #expect(throws: DatagramError.unknownVersion(2)) {
            try decode(([2, 2, 0, 4, 0, 0, 0, 1] as [UInt8]))
        }
        #expect(throws: DatagramError.badSize(0)) { try decode(([] as [UInt8])) }
        #expect(throws: DatagramError.badSize(1_201)) { try decode(long) }
    }

    @Test("A message that ends in the middle of a value refuses those before it, too")
    func allOrNothing() {
        let good: [UInt8] = [1, 2, 0, 4, 0, 0, 0, 1]
        #expect(throws: DatagramError.truncated(offset: 11)) {
            try decode((good + [2, 0, 3, 0, 0, 0]))
        }
        #expect(throws: DatagramError.truncated(offset: 11)) {
            try decode((good + [2, 0, 4, 0, 0, 0]))
        }
    }
}
