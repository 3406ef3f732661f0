import Kubernetes
import Testing

/// The rules of RFC 8259, seen through a field of an object that is kept as it comes.
@Suite struct JSONReadingTests {
    /// The text of a field after reading and writing it again.
    private static func text(of json: String) throws -> String {
        try text(of: Array(json.utf8))
    }

    private static func text(of json: [UInt8]) throws -> String {
        let head = #"{"metadata":{"name":"a","namespace":"b"},"extra":"#
        let object = try ObjectDecoder(resource: .ipAddressPools, keepsText: true).object(
            Array(head.utf8) + json + Array("}".utf8))
        let text = String(decoding: try #require(object.text), as: UTF8.self)
        let start = try #require(text.ranges(of: "\"extra\":").first?.upperBound)
        return String(text[start...].dropLast())
    }

    @Test(arguments: [
        ("{}", "{}"), ("[ ]", "[]"), (" [1 , 2]\n", "[1,2]"), ("-0.5e+3", "-0.5e+3"), ("0", "0"),
        ("1E400", "1E400"), ("true", "true"), ("null", "null"), ("\"\"", "\"\""),
        ("\"1\"", "\"1\""), ("\"true\"", "\"true\""), (#""a\/b""#, #""a/b""#),
        (#""\u00e4\n\t""#, "\"ä\\n\\u0009\""), (#""\ud83d\ude00""#, "\"😀\""),
        (#""\"\\""#, #""\"\\""#),
        (#"{"a":1,"b":2,"a":3}"#, #"{"a":3,"b":2}"#), (#"{"<<":{"a":1}}"#, #"{"<<":{"a":1}}"#),
        (#"{"\u0061":1,"a":2}"#, #"{"a":2}"#), ("\"\u{7f}\u{2028}\"", "\"\u{7f}\u{2028}\""),
    ])
    func `a value is read and written as it was meant`(json: String, wanted: String) throws {
        #expect(try Self.text(of: json) == wanted)
    }

    @Test(arguments: [
        "", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}", "01",
        "1.", ".5", "+1", "-", "1e", "0x10", "tru", "True", "nul", "NaN", "'a'", "\"a", "\"\t\"",
        #""\x""#, #""\u12""#, #""\ud83d""#, #""\ud83dx""#, #""\ud83d\u0041""#, #""\ude00""#, "[}",
        "{]", "]", "1]", "// x",
        "1" + String(repeating: "0", count: 64),
    ])
    func `what is not JSON is refused`(json: String) {
        #expect(throws: APIFailure.self) { try Self.text(of: json) }
    }

    @Test(
        arguments: [
            [0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
        ] as [[UInt8]])
    func `a string that is not UTF-8 is refused`(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: APIFailure.self) { try Self.text(of: [quote] + bytes + [quote]) }
    }

    @Test func `a failure says what is wrong, and where`() {
        let text = #"{"metadata":{"name":01}}"#
        #expect(
            throws: APIFailure.malformed(
                "ipaddresspools.metallb.io: a malformed JSON number at byte 21")
        ) {
            try ObjectDecoder(resource: .ipAddressPools).object(Array(text.utf8))
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["[", "{\"a\":", "[{\"a\":["])
    func `nesting is bounded where values are built`(opening: String) {
        #expect(throws: APIFailure.self) {
            try Self.text(of: String(repeating: opening, count: 200_000))
        }
    }

    @Test func `nesting is not bounded where nothing is built`() throws {
        let deep = String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000)
        let text =
            #"{"metadata":{"name":"a","namespace":"b","managedFields":\#(deep)},"spec":{}}"#
        let object = try ObjectDecoder(resource: .l2Advertisements).object(Array(text.utf8))
        #expect(object.value != nil)
    }

    @Test(.timeLimit(.minutes(1)))
    func `many fields with one name cost no more than their number`() throws {
        let fields = (0..<40_000).map { "\"f\($0)\":1,\"same\":\($0)" }.joined(separator: ",")
        let text = try Self.text(of: "{\(fields)}")
        #expect(text.contains("\"same\":39999"))
        #expect(text.ranges(of: "\"same\"").count == 1)
    }
}
