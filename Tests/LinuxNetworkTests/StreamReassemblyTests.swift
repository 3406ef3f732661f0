import NetworkTypes
import Testing

@testable import LinuxNetwork

/// A captured TCP stream comes out in order, whatever happened to its segments.
@Suite struct StreamReassemblyTests {
    private struct Segment {
        var sequence: UInt32
        var bytes: [UInt8]
        var isFirst = false
    }

    private static func header(_ sequence: UInt32, isFirst: Bool = false) -> SegmentHeader {
        var bytes = [UInt8](repeating: 0, count: 20)
        for index in 0..<4 {
            bytes[4 + index] = UInt8(truncatingIfNeeded: sequence >> UInt32(24 - 8 * index))
        }
        bytes[12] = 0x50
        bytes[13] = isFirst ? 0x02 : 0x10
        do {
            return try SegmentHeader(bytes.span, 0..<20)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    private static func take(
        _ stream: inout StreamReassembly, _ sequence: UInt32, _ bytes: [UInt8],
        isFirst: Bool = false
    ) -> [StreamReassembly.Piece] {
        stream.take(header(sequence, isFirst: isFirst), bytes.span)
    }

    private static func joined(_ pieces: [StreamReassembly.Piece]) -> [UInt8] {
        pieces.flatMap { piece -> [UInt8] in
            if case .bytes(let bytes) = piece { bytes } else { [] }
        }
    }

    @Test(
        "segments in any order, repeated and overlapping, give the stream once", arguments: 0..<50)
    func shuffled(seed: UInt64) {
        var state = seed &* 2_862_933_555_777_941_757 &+ 3_037_000_493
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let content = (0..<600).map { _ in UInt8(random(256)) }
        // Near the end of the numbers, so that they wrap.
        let start = UInt32.max - 200
        var cuts: [(Int, Int)] = stride(from: 0, to: 600, by: 40).map { ($0, $0 + 40) }
        for _ in 0..<10 {
            let begin = random(590)
            cuts.append((begin, begin + 1 + random(600 - begin)))
        }
        for index in cuts.indices.reversed() { cuts.swapAt(index, random(index + 1)) }
        var stream = StreamReassembly()
        var pieces = Self.take(&stream, start &- 1, [], isFirst: true)
        for (begin, end) in cuts {
            pieces += Self.take(
                &stream, start &+ UInt32(begin), Array(content[begin..<end]))
        }
        #expect(Self.joined(pieces) == content)
        #expect(stream.waitingCost == 0)
        #expect(stream.hasBeginning)
        #expect(!pieces.contains { if case .gap = $0 { true } else { false } })
    }

    @Test("bytes that the capture lacks are a gap as soon as their receiver has them")
    func acknowledgedGap() {
        var stream = StreamReassembly()
        #expect(Self.take(&stream, 1000, [1, 2]) == [.bytes([1, 2])])
        #expect(Self.take(&stream, 1005, [6]).isEmpty)
        stream.acknowledge(1006)
        #expect(Self.take(&stream, 1006, [7]) == [.gap(3), .bytes([6]), .bytes([7])])
        // What was missing comes late after all: it has been given up.
        #expect(Self.take(&stream, 1002, [3, 4, 5]).isEmpty)
    }

    @Test("bytes that the receiver lacks too are waited for")
    func unacknowledgedGap() {
        var stream = StreamReassembly()
        _ = Self.take(&stream, 1000, [1, 2])
        stream.acknowledge(1002)
        #expect(Self.take(&stream, 1004, [5]).isEmpty)
        #expect(Self.take(&stream, 1002, [3, 4]) == [.bytes([3, 4]), .bytes([5])])
    }

    @Test("no more than the bound waits; then the gap is given up")
    func bound() {
        var stream = StreamReassembly()
        _ = Self.take(&stream, 0, [1])
        let block = [UInt8](repeating: 9, count: 1400)
        var pieces: [StreamReassembly.Piece] = []
        var sequence: UInt32 = 100
        for _ in 0..<400 where pieces.isEmpty {
            pieces = Self.take(&stream, sequence, block)
            sequence += 1400
            #expect(stream.waitingCost <= StreamReassembly.limit)
        }
        #expect(pieces.first == .gap(99))
        #expect(stream.waitingCost == 0)
    }

    @Test("a hundred thousand segments of one byte out of order stay within the bound")
    func small() {
        var stream = StreamReassembly()
        _ = Self.take(&stream, 0, [1])
        var highest = 0
        for index in 0..<UInt32(100_000) {
            _ = Self.take(&stream, 10 + index * 2, [2])
            highest = max(highest, stream.waitingCost)
        }
        #expect(highest <= StreamReassembly.limit)
    }

    @Test("at the end all that waits comes out, with its gaps")
    func end() {
        var stream = StreamReassembly()
        _ = Self.take(&stream, 1, [1])
        _ = Self.take(&stream, 4, [4])
        _ = Self.take(&stream, 7, [7])
        #expect(stream.finish() == [.gap(2), .bytes([4]), .gap(2), .bytes([7])])
        #expect(stream.finish().isEmpty)
    }
}
