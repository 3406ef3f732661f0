import BGP
import NetworkTypes
import Testing

/// What people are shown of messages, and texts that they send to each other.
@Suite("Message texts")
struct WireTextTests {
    private static let texts: [String: String] = [
        "keepalive": "KEEPALIVE",
        "open-plain": "OPEN: AS 64496, hold time 90 s, identifier 192.0.2.1",
        "open-capabilities": "OPEN: AS 23456, hold time 90 s, identifier 192.0.2.1, "
            + "multiprotocol ipv4, multiprotocol ipv6, route refresh, "
            + "extended next hop (ipv4 by IPv6), extended messages, role customer, "
            + "graceful restart 120 s, restarting, also on NOTIFICATION "
            + "(ipv4 with its state, ipv6), AS 65536 in four octets, enhanced route refresh, "
            + "capability 73 (02 72 31 00)",
        "notification-shutdown":
            "NOTIFICATION: Cease/Administrative Shutdown: \"maintenance until 12:00 – Grüße\"",
        "notification-hard-reset":
            "NOTIFICATION: Cease/Hard Reset of Cease/Administrative Reset: \"soon\"",
        "notification-prefixes":
            "NOTIFICATION: Cease/Maximum Number of Prefixes Reached: ipv6, limit 1000",
        "notification-capability":
            "NOTIFICATION: OPEN Message Error/Unsupported Capability: multiprotocol ipv6",
        "notification-bfd": "NOTIFICATION: Cease/BFD Down",
        "refresh": "ROUTE-REFRESH: ipv6 asked for",
        "refresh-end": "ROUTE-REFRESH: ipv4 has ended",
        "end-of-rib-ipv4": "UPDATE: End-of-RIB ipv4",
        "update-ipv6": "UPDATE: 2001:db8:64::/48, 2001:db8::5/128 announced with origin IGP, "
            + "AS path 64496, next hop 2001:db8::1 and fe80::1",
        "update-mixed": "UPDATE: 198.51.100.0/24 announced with origin IGP, AS path 64496, "
            + "next hop 192.0.2.1; 203.0.113.0/24 withdrawn",
        "update-all-attributes": "UPDATE: 198.51.100.0/24 announced with origin IGP, "
            + "AS path 64496 65536 {64500 64501}, next hop 192.0.2.1, MED 5, "
            + "local preference 100, atomic aggregate, aggregator AS 65536 at 192.0.2.9, "
            + "communities 65535:0 64496:100, extended communities 0x0002fbf000000064, "
            + "large communities "
            + Array(repeating: "65536:1:2", count: 20).joined(separator: " ")
            + " and 10 more, originator 192.0.2.7, clusters 192.0.2.8 192.0.2.9, "
            + "only to customer AS 64496, PMSI_TUNNEL (00 06 00 00 00 c0 00 02 01), "
            + "IPv6 EXTENDED COMMUNITIES (00 02 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 09 "
            + "00 01), ATTR_SET (00 00 fb f3 40 01 01 00 40 05 04 00 00 00 01), "
            + "attribute 99 (77 68 61 74)",
    ]

    @Test("A message is told in one line", arguments: try WireFixture.all())
    func descriptions(fixture: WireFixture) throws {
        let message = try #require(try decode(fixture.bytes, fixture.context))
        if let text = Self.texts[fixture.name] { #expect(message.description == text) }
        #expect(!message.description.contains("\n"))
    }

    @Test("A fault is told with the attribute's name and the rule")
    func faults() throws {
        let cases = try WireMalformedCase.all()
        let missing = try #require(cases.first { $0.name == "origin-missing" })
        let text = try decode(missing.bytes, missing.context)?.description
        #expect(
            text == "UPDATE: 198.51.100.0/24 withdrawn; ORIGIN: it is missing (RFC 7606 §3 d)")
        let cut = try #require(cases.first { $0.name == "nlri-cut-off" })
        let error = #expect(throws: MessageFault.self) { try decode(cut.bytes, cut.context) }
        #expect(
            error?.description == "UPDATE Message Error/Malformed Attribute List: "
                + "the last prefix is cut off (RFC 7606 §5.3)")
    }

    @Test("A shutdown text is cut at a character, so that it stays UTF-8 of at most 255 bytes")
    func shutdownTextCut() {
        let long = String(repeating: "ü", count: 200)
        let message = NotificationMessage.cease(.administrativeShutdown, text: long)
        #expect(message.data.count == 255)
        #expect(message.data.first == 254)
        #expect(message.shutdownMessage == String(repeating: "ü", count: 127))
    }

    @Test("A text goes along only with shutdown and reset by an operator")
    func textOnlyWhereAllowed() {
        for subcode in NotificationMessage.CeaseSubcode.allCases {
            let message = NotificationMessage.cease(subcode, text: "because")
            let isAllowed = subcode == .administrativeShutdown || subcode == .administrativeReset
            #expect(message.data.isEmpty == !isAllowed)
            #expect(message.shutdownMessage == (isAllowed ? "because" : nil))
        }
    }

    @Test(
        "A shutdown text that is not what it should be is told as bytes",
        arguments: [
            ([5, 0x68, 0x69], "Cease/Administrative Shutdown: a text of a wrong length: 05 68 69"),
            ([2, 0xc3, 0x28], "Cease/Administrative Shutdown: a text that is not UTF-8: 02 c3 28"),
            ([0], "Cease/Administrative Shutdown"),
            ([], "Cease/Administrative Shutdown"),
        ] as [([UInt8], String)])
    func badShutdownText(data: [UInt8], text: String) {
        let message = NotificationMessage(code: 6, subcode: 2, data: data)
        #expect(message.shutdownMessage == nil)
        #expect(message.description == text)
    }

    @Test("A shutdown text cannot forge a line of a log or command a terminal")
    func hostileShutdownText() {
        let message = NotificationMessage.cease(
            .administrativeShutdown, text: "a\nb\u{1b}[2J\u{202e}c")
        #expect(message.shutdownMessage == "a\\u{a}b\\u{1b}[2J\\u{202e}c")
    }

    @Test("A hard reset in a hard reset is not followed further")
    func nestedHardReset() {
        let inner = NotificationMessage.cease(.administrativeShutdown, text: "deep")
        var message = inner
        for _ in 0..<100 { message = .hardReset(of: message) }
        #expect(message.shutdownMessage == nil)
        #expect(NotificationMessage.hardReset(of: inner).shutdownMessage == "deep")
        #expect(NotificationMessage.hardReset(of: inner).hardResetReason == inner)
        #expect(NotificationMessage(code: 6, subcode: 9).hardResetReason == nil)
    }

    @Test("Every NOTIFICATION has a text, known or not")
    func everyNotification() {
        for code in UInt8.min...UInt8.max {
            for subcode in UInt8(0)...16 {
                let message = NotificationMessage(code: code, subcode: subcode, data: [1, 2])
                #expect(!message.description.isEmpty && !message.name.isEmpty)
            }
        }
        #expect(NotificationMessage(code: 99, subcode: 3).name == "error 99/3")
        #expect(NotificationMessage(code: 6, subcode: 77).name == "Cease/77")
        #expect(NotificationMessage.holdTimerExpired.name == "Hold Timer Expired")
        #expect(NotificationMessage.sendHoldTimerExpired.name == "Send Hold Timer Expired")
    }
}
