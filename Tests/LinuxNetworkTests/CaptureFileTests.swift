import Glibc
import NetworkTypes
import Testing

@testable import LinuxNetwork

/// Capture files and the headers of their frames.
@Suite struct CaptureFileTests {
    /// A file of little-endian pcap, microseconds.
    private static func file(_ linkType: UInt8, _ frames: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]
        bytes += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, linkType, 0, 0, 0]
        for (index, frame) in frames.enumerated() {
            let count = UInt8(frame.count)
            bytes += [0, 0xe1, 0xf5, 0x05, UInt8(index), 0, 0, 0]
            bytes += [count, 0, 0, 0, count + 1, 0, 0, 0] + frame
        }
        return bytes
    }

    /// Writes a file for `body` and removes it.
    private static func with<Value>(
        _ bytes: [UInt8], _ body: (String) throws -> Value
    ) throws -> Value {
        var path = Array(("/tmp/martlet-capture-" + String(repeating: "X", count: 6)).utf8CString)
        let descriptor = unsafe mkstemp(&path)
        try #require(descriptor >= 0)
        let written = unsafe write(descriptor, bytes, bytes.count)
        close(descriptor)
        try #require(written == bytes.count)
        let name = String(
            decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(name) }
        return try body(name)
    }

    private static func read(_ name: String) throws -> [(CapturedFrame, [UInt8])] {
        let file = try CaptureFile(name)
        var frames: [(CapturedFrame, [UInt8])] = []
        while try file.next({ frame, bytes in
            frames.append((frame, bytes.indices.map { bytes[$0] }))
        }) {}
        return frames
    }

    @Test("frames come in order, with the time and the length that they had")
    func frames() throws {
        let frames = try Self.with(Self.file(1, [[1, 2, 3], [4]])) { try Self.read($0) }
        #expect(frames.map(\.1) == [[1, 2, 3], [4]])
        #expect(frames.map(\.0.byteCount) == [4, 2])
        #expect(
            frames.map(\.0.nanoseconds) == [100_000_000_000_000_000, 100_000_000_000_001_000])
    }

    @Test(
        "a damaged file is named with the offset and the rule", arguments: [0, 3, 23, 30, 41, 50])
    func damaged(count: Int) throws {
        let whole = Self.file(1, [[1, 2, 3], [4, 5]])
        try Self.with(Array(whole.prefix(count))) { name in
            let error = #expect(throws: CaptureFileError.self) { _ = try Self.read(name) }
            let text = "\(try #require(error))"
            #expect(text.hasPrefix("\(name): at offset "), "\(text)")
            #expect(text.contains("truncated"), "\(text)")
            #expect(try #require(error?.offset) <= count)
        }
    }

    @Test("what is no capture, is not there, or has frames of another kind is refused")
    func refused() throws {
        try Self.with(Array("not a capture, but a text of some length".utf8)) { name in
            let error = #expect(throws: CaptureFileError.self) { _ = try CaptureFile(name) }
            #expect(error?.rule.contains("unknown file format") == true)
        }
        let error = #expect(throws: CaptureFileError.self) {
            _ = try CaptureFile("/nonexistent/x.pcap")
        }
        #expect(error?.rule == "No such file or directory")
        try Self.with(Self.file(105, [])) { name in
            let error = #expect(throws: CaptureFileError.self) { _ = try CaptureFile(name) }
            #expect(error?.rule.contains("IEEE802_11") == true)
        }
    }

    @Test("every byte of every header may be cut or changed without a trap")
    func damagedHeaders() throws {
        let ethernet: [UInt8] =
            Array(repeating: 0xff, count: 6) + [2, 0, 0, 0, 0, 1] + [0x81, 0, 0, 7, 8, 0]
        let ipv4: [UInt8] =
            [0x45, 0, 0, 44, 0, 0, 0, 0, 255, 6, 0, 0] + [192, 0, 2, 1, 192, 0, 2, 2]
        let tcp: [UInt8] = [
            0, 179, 1, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4,
        ]
        let frame = ethernet + ipv4 + tcp
        var readable = 0
        func look(_ bytes: [UInt8]) {
            for linkType in LinkType.allCases {
                do throws(MalformedHeader) {
                    let header = try FrameHeader(bytes.span, linkType: linkType)
                    let packet = try PacketHeader(bytes.span, header.payload)
                    _ = try? DatagramHeader(bytes.span, of: packet)
                    let segment = try SegmentHeader(bytes.span, packet.payload)
                    #expect(segment.payload.upperBound <= bytes.count)
                    readable += 1
                } catch {
                    #expect(!error.rule.isEmpty)
                }
            }
        }
        for count in 0...frame.count { look(Array(frame.prefix(count))) }
        for index in frame.indices {
            for value in UInt8.min...UInt8.max {
                var changed = frame
                changed[index] = value
                look(changed)
            }
        }
        #expect(readable > 0)
        let header = try FrameHeader(frame.span, linkType: .ethernet)
        #expect(header.vlans == [7])
        #expect(header.destination == .broadcast)
        let packet = try PacketHeader(frame.span, header.payload)
        #expect(packet.source == IPAddress("192.0.2.1"))
        #expect(packet.missing == 0)
        let segment = try SegmentHeader(frame.span, packet.payload)
        #expect(segment.sourcePort == 179)
        #expect(segment.acknowledgment == 2)
        #expect(segment.payload.count == 4)
    }

    @Test("extension headers of IPv6 are passed over, and fragments known as such")
    func extensions() throws {
        let addresses = [UInt8](repeating: 0x20, count: 32)
        func packet(_ next: UInt8, _ rest: [UInt8]) -> [UInt8] {
            [0x60, 0, 0, 0, 0, UInt8(rest.count), next, 64] + addresses + rest
        }
        let hop: [UInt8] = [60, 0, 1, 4, 0, 0, 0, 0]
        let options: [UInt8] = [17, 0, 1, 4, 0, 0, 0, 0]
        let plain = packet(0, hop + options + [1, 2, 3])
        let header = try PacketHeader(plain.span, 0..<plain.count)
        #expect(header.carried == 17)
        #expect(header.payload.count == 3)
        #expect(header.fragment == nil)
        let first = packet(44, [6, 0, 0, 1, 0, 0, 0, 9, 1])
        #expect(try PacketHeader(first.span, 0..<first.count).fragment == .first)
        let later = packet(44, [6, 0, 0, 8, 0, 0, 0, 9, 1])
        #expect(try PacketHeader(later.span, 0..<later.count).fragment == .later)
        let endless = packet(0, (0..<20).flatMap { _ in [0, 0, 1, 4, 0, 0, 0, 0] as [UInt8] })
        #expect(throws: MalformedHeader.self) {
            _ = try PacketHeader(endless.span, 0..<endless.count)
        }
    }
}
