import Foundation
import Testing

/// `martlet decode`, on captures made byte by byte. No root needed.
@Suite struct DecodeTests {
    private typealias Craft = CraftedCapture

    private static let ends4 = ("192.0.2.11", "192.0.2.1")
    private static let ends6 = ("2001:db8:2::11", "2001:db8:2::1")

    /// What the program prints on standard output, and on standard error.
    private struct Printed {
        var status: Int32
        var lines: [String]
        var remarks: String

        /// The texts, without the columns before them.
        func texts(_ kind: String) -> [String] {
            lines.compactMap { line in
                guard line.contains(" \(kind) "), let arrow = line.firstRange(of: "→") else {
                    return nil
                }
                return line[arrow.upperBound...].split(separator: "  ", maxSplits: 1)
                    .last.map { $0.trimmingCharacters(in: .whitespaces) }
            }
        }
    }

    private func decode(_ bytes: [UInt8], _ arguments: String...) throws -> Printed {
        let folder = URL(filePath: NSTemporaryDirectory())
            .appending(path: "martlet-\(getpid())-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Nothing more can be done about a folder that does not go.
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "test.pcap").path
        try Data(bytes).write(to: URL(filePath: file))
        let remarks = folder.appending(path: "remarks").path
        let output = try Shell.run(
            [
                "bash", "-c",
                #"program=$1 remarks=$2; shift 2; exec "$program" "$@" 2> "$remarks""#,
                "decode", NamespacedLAN.executable, remarks, "decode", file,
            ] + arguments, allowFailure: true)
        return Printed(
            status: output.status, lines: output.text.split(separator: "\n").map(String.init),
            remarks: try String(contentsOfFile: remarks, encoding: .utf8))
    }

    /// A whole session: connection, OPENs, KEEPALIVE, an UPDATE, NOTIFICATION, the end.
    private static func session(
        _ link: Craft.Link = .ethernet, _ ends: (String, String) = ends4, port: UInt32 = 179,
        update: [UInt8]? = nil
    ) -> Craft {
        var capture = Craft(link: link)
        var numbers: [UInt32] = [UInt32.max - 20, 7000]
        func send(_ side: Int, _ flags: Craft.Flags, _ data: [UInt8] = []) {
            let (from, to) = side == 0 ? ends : (ends.1, ends.0)
            let ports: (UInt32, UInt32) = side == 0 ? (40000, port) : (port, 40000)
            capture.add(
                Craft.packet(
                    from, to, carrying: 6,
                    Craft.segment(
                        ports.0, ports.1, numbers[side], flags: flags,
                        acknowledging: numbers[1 - side],
                        data)))
            let counts = flags.contains(.synchronize) || flags.contains(.finish)
            numbers[side] &+= UInt32(data.count) + (counts ? 1 : 0)
        }
        send(0, .synchronize)
        send(1, [.synchronize, .acknowledge])
        send(0, .acknowledge)
        send(0, .acknowledge, Craft.open(64512, identifier: "192.0.2.11"))
        send(
            1, .acknowledge,
            Craft.open(64500, identifier: "192.0.2.1") + Craft.message(4))
        send(0, .acknowledge, Craft.message(4))
        let update =
            update
            ?? Craft.update(
                64512, nextHop: "192.0.2.11", (1...5).map { "198.51.100.\($0)" })
        send(0, .acknowledge, update)
        send(1, .acknowledge, Craft.message(3, [6, 2, 5] + Array("lunch".utf8)))
        send(1, [.acknowledge, .finish])
        send(0, [.acknowledge, .finish])
        return capture
    }

    private static let sessionTexts = [
        "OPEN: AS 64512, hold time 90 s, identifier 192.0.2.11, multiprotocol ipv4, "
            + "multiprotocol ipv6, AS 64512 in four octets",
        "OPEN: AS 64500, hold time 90 s, identifier 192.0.2.1, multiprotocol ipv4, "
            + "multiprotocol ipv6, AS 64500 in four octets",
        "KEEPALIVE", "KEEPALIVE",
        "UPDATE: 198.51.100.1/32, 198.51.100.2/32, 198.51.100.3/32 and 2 more announced with "
            + "origin IGP, AS path 64512, next hop 192.0.2.11",
        "NOTIFICATION: Cease/Administrative Shutdown: \"lunch\"",
    ]

    @Test(
        "a session reads the same in every form of file, on every kind of link, in both families",
        arguments: CraftedCapture.Link.allCases)
    func links(link: CraftedCapture.Link) throws {
        for ends in [Self.ends4, Self.ends6] {
            let capture = Self.session(link, ends)
            for bytes in [capture.pcap, capture.pcapng] {
                let printed = try decode(bytes)
                #expect(printed.status == 0, "\(printed.remarks)")
                #expect(printed.texts("BGP") == Self.sessionTexts)
                #expect(
                    printed.texts("TCP") == [
                        "connects", "accepts the connection", "closes the connection",
                        "closes the connection",
                    ])
                #expect(printed.lines.first == "2026-03-01, times in UTC")
                #expect(printed.lines.dropFirst().first?.hasPrefix("00:00:00.000000 ") == true)
                #expect(printed.lines.contains { $0.contains(ends.0) && $0.contains(ends.1) })
            }
        }
    }

    @Test("JSON is an object a line, with what the message says")
    func json() throws {
        struct Line: Decodable {
            struct Update: Decodable {
                var announced: [String]
                var asPath: [String]?
                var nextHop: String?
            }
            struct Notification: Decodable {
                var code: Int
                var subcode: Int
                var message: String?
            }
            var time: String
            var `protocol`: String
            var from: String
            var event: String
            var update: Update?
            var notification: Notification?
        }
        let printed = try decode(Self.session().pcap, "-o", "json")
        let lines = try printed.lines.map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        #expect(lines.filter { $0.protocol == "BGP" }.count == Self.sessionTexts.count)
        let update = try #require(lines.first { $0.event == "UPDATE" })
        #expect(update.time == "2026-03-01T00:00:00.006000000Z")
        #expect(update.from == "192.0.2.11:40000")
        #expect(update.update?.announced == (1...5).map { "198.51.100.\($0)/32" })
        #expect(update.update?.asPath == ["64512"])
        #expect(update.update?.nextHop == "192.0.2.11")
        let end = lines.compactMap(\.notification).first
        #expect(end?.code == 6)
        #expect(end?.subcode == 2)
        #expect(end?.message == "lunch")
    }

    @Test("another port is BGP when it is named, and -v tells every prefix")
    func port() throws {
        let bytes = Self.session(port: 1790).pcap
        #expect(try decode(bytes).texts("BGP").isEmpty)
        let printed = try decode(bytes, "--bgp-port", "1790", "-v")
        #expect(printed.texts("BGP") == Self.sessionTexts)
        for number in 1...5 { #expect(printed.lines.contains("    + 198.51.100.\(number)/32")) }
    }

    @Test("a message in segments out of order is put together; one that is lost is told")
    func segments() throws {
        let stream =
            Craft.update(64512, nextHop: "192.0.2.11", ["198.51.100.1"]) + Craft.message(4)
        func capture(_ pieces: [Range<Int>], acknowledged: UInt32) -> [UInt8] {
            var capture = Craft()
            // A whole message before, so that it is known where they begin.
            capture.add(
                Craft.packet(
                    "192.0.2.11", "192.0.2.1", carrying: 6,
                    Craft.segment(40000, 179, 981, Craft.message(4))))
            capture.add(
                Craft.packet(
                    "192.0.2.1", "192.0.2.11", carrying: 6,
                    Craft.segment(179, 40000, 1, acknowledging: 1000, Craft.message(4))))
            for piece in pieces {
                capture.add(
                    Craft.packet(
                        "192.0.2.11", "192.0.2.1", carrying: 6,
                        Craft.segment(
                            40000, 179, 1000 + UInt32(piece.lowerBound), Array(stream[piece]))))
                capture.add(
                    Craft.packet(
                        "192.0.2.1", "192.0.2.11", carrying: 6,
                        Craft.segment(179, 40000, 20, acknowledging: acknowledged)))
            }
            return capture.pcap
        }
        let shuffled = [40..<stream.count, 0..<10, 5..<20, 20..<40]
        let whole = try decode(capture(shuffled, acknowledged: 1000))
        #expect(whole.texts("BGP").contains { $0.hasPrefix("UPDATE: 198.51.100.1/32 announced") })
        #expect(whole.texts("BGP").contains { $0.contains("OPENs are not in the capture") })
        #expect(whole.texts("BGP").filter { $0 == "KEEPALIVE" }.count == 3)
        #expect(whole.texts("TCP").isEmpty)
        let lossy = try decode(
            capture([0..<20, 30..<stream.count], acknowledged: 1000 + UInt32(stream.count)))
        #expect(lossy.texts("TCP") == ["10 bytes of the stream are not in the capture"])
        #expect(lossy.texts("BGP").filter { $0 == "KEEPALIVE" }.count == 3)
        #expect(!lossy.texts("BGP").contains { $0.hasPrefix("UPDATE") })
    }

    @Test(
        "what is malformed is shown with the rule that it breaks and its bytes, and is not the end")
    func malformed() throws {
        let update = Craft.update(64512, nextHop: "192.0.2.11", origin: 9, ["198.51.100.1"])
        let bad = try decode(Self.session(update: update).pcap)
        #expect(bad.status == 0)
        let text = try #require(bad.texts("BGP").first { $0.hasPrefix("UPDATE") })
        #expect(text.contains("198.51.100.1/32 withdrawn"), "\(text)")
        #expect(text.contains("malformed, counts as a withdrawal: ORIGIN"), "\(text)")
        #expect(text.contains("RFC 7606"), "\(text)")
        let dump = update.prefix(32).map { String(format: "%02x", $0) }.joined(separator: " ")
        #expect(bad.lines.contains("    \(dump)"))
        #expect(bad.texts("BGP").last?.hasPrefix("NOTIFICATION") == true)

        var worse = update
        worse[21] = 0xff  // the length of the attributes
        let reset = try decode(Self.session(update: worse).pcap, "-o", "json")
        let line = try #require(reset.lines.first { $0.contains("malformed UPDATE") })
        #expect(line.contains("the attributes do not fit (RFC 7606 §3 b)"), "\(line)")
        #expect(line.contains(worse.map { String(format: "%02x", $0) }.joined()), "\(line)")
    }

    @Test("of BFD what is new is printed, the rest is counted; -v prints all")
    func bfd() throws {
        var capture = Craft()
        func add(_ payload: [UInt8], port: UInt32 = 3784, hopLimit: UInt8 = 255) {
            for (from, to) in [Self.ends4, Self.ends6] {
                capture.add(
                    Craft.packet(
                        from, to, carrying: 17, Craft.datagram(port, payload), hopLimit: hopLimit))
            }
        }
        for _ in 0..<50 { add(Craft.control(2)) }
        for _ in 0..<50 { add(Craft.control(3)) }
        add(Craft.control(3), port: 4784, hopLimit: 60)
        add([1, 2, 3], port: 3785)
        add([1, 2, 3], port: 3785)
        let printed = try decode(capture.pcap)
        let texts = printed.texts("BFD")
        #expect(
            texts.map { $0.prefix(3) } == ["Ini", "Ini", "Up,", "Up,", "Up,", "Up,", "ech", "ech"])
        #expect(printed.remarks.contains("198 BFD packets without news"), "\(printed.remarks)")
        #expect(try decode(capture.pcap, "-v").texts("BFD").count == 206)

        capture.frames = []
        add(Craft.control(3), hopLimit: 64)
        var zero = Craft.control(3)
        zero[2] = 0
        add(zero)
        add(Array(Craft.control(3).prefix(20)))
        let rules = try decode(capture.pcap).texts("BFD")
        #expect(rules.count == 6)
        #expect(rules[0].contains("hop limit 64, has to be 255 (RFC 5881 §5)"))
        #expect(rules[2].contains("detection multiplier is 0 (RFC 5880 §6.8.6)"))
        #expect(rules[4].contains("length field beyond the datagram"))
    }

    @Test("ARP says who asks and who answers, neighbor discovery likewise")
    func neighbors() throws {
        var capture = Craft()
        let (one, two): ([UInt8], [UInt8]) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        let all = [UInt8](repeating: 0xff, count: 6)
        func arp(_ operation: UInt8, _ sender: String, _ target: String, to: [UInt8]) {
            capture.frames.append(
                to + one + [8, 6, 0, 1, 8, 0, 6, 4, 0, operation] + one + Craft.address(sender)
                    + two + Craft.address(target) + [UInt8](repeating: 0, count: 18))
        }
        arp(1, "192.0.2.11", "192.0.2.1", to: all)
        arp(2, "192.0.2.11", "192.0.2.1", to: two)
        arp(1, "192.0.2.200", "192.0.2.200", to: all)
        arp(1, "0.0.0.0", "192.0.2.201", to: all)
        arp(7, "192.0.2.11", "192.0.2.1", to: all)
        #expect(
            try decode(capture.pcap).texts("ARP").map { $0.split(separator: " (RFC")[0] } == [
                "request: who has 192.0.2.1? tell 192.0.2.11",
                "reply: 192.0.2.11 is at 02:00:00:00:00:01",
                "announcement: 192.0.2.200 is at 02:00:00:00:00:01",
                "probe: does anybody have 192.0.2.201?",
                "malformed packet: neither request nor reply",
            ])
        capture.frames = []
        // An advertisement whose checksum does not hold, and router advertisement and report, which
        // are named.
        let advertisement: [UInt8] =
            [136, 0, 0, 0, 0x20, 0, 0, 0] + Craft.address("2001:db8::1") + [2, 1] + one
        capture.add(
            Craft.packet("2001:db8:2::11", "ff02::1", carrying: 58, advertisement))
        capture.add(
            Craft.packet(
                "fe80::1", "ff02::1", carrying: 58,
                [134, 0, 0, 0] + [UInt8](repeating: 0, count: 12)))
        capture.add(
            Craft.packet(
                "fe80::1", "ff02::16", carrying: 0,
                [58, 0, 5, 2, 0, 0, 1, 0, 143, 0, 0, 0, 0, 0, 0, 0],
                hopLimit: 1))
        let printed = try decode(capture.pcap)
        #expect(
            printed.texts("NDP") == [
                "malformed advertisement: the checksum does not hold (RFC 4861 §7.1)",
                "router advertisement: no default router",
            ])
        #expect(printed.texts("MLD") == ["report of version 2"])
    }

    @Test("fragments are named and passed over")
    func fragments() throws {
        var capture = Craft()
        let segment = Craft.segment(40000, 179, 1, Craft.message(4))
        capture.add(
            Craft.packet("192.0.2.11", "192.0.2.1", carrying: 6, segment, fragment: 0x2000))
        capture.add(Craft.packet("192.0.2.11", "192.0.2.1", carrying: 6, segment, fragment: 5))
        let printed = try decode(capture.pcap)
        #expect(
            printed.texts("BGP") == [
                "first fragment of a larger packet, passed over with the others"
            ])
        #expect(printed.remarks.contains("2 fragments passed over"))
    }

    @Test("a damaged file is named with offset and rule, after what could be read")
    func damaged() throws {
        let whole = Self.session().pcap
        let printed = try decode(Array(whole.dropLast(3)))
        #expect(printed.status == 1)
        #expect(printed.texts("BGP") == Self.sessionTexts)
        let offset = whole.count - 16 - Self.session().frames[9].count
        #expect(
            printed.remarks.contains("test.pcap: at offset \(offset): truncated"),
            "\(printed.remarks)")
        let text = try decode(Array("no capture at all, only text".utf8))
        #expect(text.status == 1)
        #expect(text.remarks.contains("test.pcap: at offset"), "\(text.remarks)")
        #expect(text.remarks.contains("unknown file format"), "\(text.remarks)")
    }

    @Test("whatever byte of whatever frame is changed, decoding goes on to the end")
    func anything() throws {
        var capture = Craft()
        let good = Self.session().frames
        for (index, frame) in good.enumerated() {
            for offset in frame.indices {
                for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                    var changed = frame
                    changed[offset] = value
                    capture.frames.append(changed)
                }
            }
            for count in 0..<frame.count where index % 3 == 0 {
                capture.frames.append(Array(frame.prefix(count)))
            }
        }
        let printed = try decode(capture.pcap)
        #expect(printed.status == 0)
        #expect(printed.remarks.hasPrefix("\(capture.frames.count) frames"), "\(printed.remarks)")
    }
}
