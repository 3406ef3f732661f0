import Kubernetes
import Testing

@Suite("Lines of a watch")
struct WatchLinesTests {
    @Test func `however the bytes are cut, the same lines come out`() throws {
        let text = "first\r\n\nsecond\n\r\nthird is longer\nhalf"
        let bytes = Array(text.utf8)
        for size in 1...bytes.count {
            var cutter = WatchLines()
            var lines: [String] = []
            var start = 0
            while start < bytes.count {
                let end = min(start + size, bytes.count)
                lines += try cutter.append(Array(bytes[start..<end])).map {
                    String(decoding: $0, as: UTF8.self)
                }
                start = end
            }
            #expect(lines == ["first", "second", "third is longer"], "cut every \(size) bytes")
            #expect(cutter.hasHalfLine)
        }
    }

    @Test func `nothing is half after the end of a line`() throws {
        var cutter = WatchLines()
        #expect(!cutter.hasHalfLine)
        #expect(try cutter.append(Array("a\n".utf8)) == [[0x61]])
        #expect(!cutter.hasHalfLine)
        #expect(try cutter.append([]) == [])
    }

    @Test func `a line of 8 MiB passes, and one byte more is an error`() throws {
        var cutter = WatchLines()
        let block = [UInt8](repeating: 0x61, count: 1 << 20)
        for _ in 0..<8 { #expect(try cutter.append(block) == []) }
        #expect(try cutter.append([0x0a]).first?.count == WatchLines.maximumLine)
        for _ in 0..<8 { #expect(try cutter.append(block) == []) }
        #expect(throws: APIFailure.self) { try cutter.append([0x61]) }
        #expect(!cutter.hasHalfLine, "nothing of it is kept")
    }
}
