/// Cuts the bytes of a watch into lines, however the network has cut them.
///
/// Bounds: a line has at most ``maximumLine`` bytes. Every byte is looked at once and moved at most
/// twice.
public struct WatchLines: Sendable {
    /// Bytes in a line: what etcd stores at most (1.5 MiB), several times over.
    public static let maximumLine = 8 << 20
    private static let lineFeed: UInt8 = 0x0a
    private static let carriageReturn: UInt8 = 0x0d

    private var half: [UInt8] = []

    /// Makes a cutter with nothing in it.
    public init() {}

    /// Whether a line has begun and not ended.
    public var hasHalfLine: Bool { !half.isEmpty }

    /// Takes bytes and gives the lines that they complete, without their ends (LF or CR LF), and
    /// without empty lines.
    ///
    /// Throws `malformed` for a line that is too long; the rest of the stream is of no use then.
    public mutating func append(_ bytes: [UInt8]) throws(APIFailure) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: Self.lineFeed) {
            try append(half: rest[..<end])
            rest = rest[(end + 1)...]
            var line: [UInt8] = []
            swap(&line, &half)
            if line.last == Self.carriageReturn { line.removeLast() }
            if !line.isEmpty { lines.append(line) }
        }
        try append(half: rest)
        return lines
    }

    private mutating func append(half bytes: ArraySlice<UInt8>) throws(APIFailure) {
        guard half.count + bytes.count <= Self.maximumLine else {
            half = []
            throw .malformed("a line of a watch has more than \(Self.maximumLine) bytes")
        }
        half += bytes
    }
}
