/// Reads AS_PATH and AS4_PATH, and makes one path of both.
enum ASPathReader {
    /// Why a path cannot be read.
    struct Malformed: Error {
        var rule: String
    }

    /// Reads the path in `range` of `bytes`.
    ///
    /// - Parameter width: octets of an AS number, 2 or 4.
    static func read(
        _ bytes: Span<UInt8>, _ range: Range<Int>, width: Int
    ) throws(Malformed) -> [PathAttributes.PathSegment] {
        var path: [PathAttributes.PathSegment] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            guard range.upperBound - offset >= 2 else {
                throw Malformed(rule: "a single octet is left over (RFC 7606 §7.2)")
            }
            guard let kind = PathAttributes.PathSegment.Kind(rawValue: bytes[offset]) else {
                throw Malformed(rule: "the type of a segment is not defined (RFC 7606 §7.2)")
            }
            let count = Int(bytes[offset + 1])
            guard count > 0 else { throw Malformed(rule: "a segment is empty (RFC 7606 §7.2)") }
            offset += 2
            guard count * width <= range.upperBound - offset else {
                throw Malformed(rule: "a segment is longer than the attribute (RFC 7606 §7.2)")
            }
            var numbers: [UInt32] = []
            numbers.reserveCapacity(count)
            for _ in 0..<count {
                let number =
                    width == 4 ? bytes.uint32(at: offset) : UInt32(bytes.uint16(at: offset))
                guard number != 0 else { throw Malformed(rule: "AS 0 is in it (RFC 7607 §2)") }
                numbers.append(number)
                offset += width
            }
            path.append(PathAttributes.PathSegment(kind, numbers))
        }
        return path
    }

    /// How many hops a path counts for in comparing lengths: a set is one (RFC 4271 §9.1.2.2),
    /// confederation segments are none (RFC 5065 §5.3).
    private static func hops(_ path: [PathAttributes.PathSegment]) -> Int {
        path.reduce(0) { count, segment in
            switch segment.kind {
            case .sequence: count + segment.numbers.count
            case .set: count + 1
            case .confederationSequence, .confederationSet: count
            }
        }
    }

    /// The path that a speaker of two-octet numbers passed on: AS4_PATH, preceded by as much of
    /// AS_PATH as it is shorter (RFC 6793 §4.2.3).
    static func merge(
        _ path: [PathAttributes.PathSegment], with wide: [PathAttributes.PathSegment]
    ) -> [PathAttributes.PathSegment] {
        let wide = wide.filter { $0.kind == .sequence || $0.kind == .set }
        var missing = hops(path) - hops(wide)
        guard missing >= 0, !wide.isEmpty else { return path }
        var merged: [PathAttributes.PathSegment] = []
        for segment in path {
            switch segment.kind {
            case .confederationSequence, .confederationSet:
                merged.append(segment)
            case .set where missing > 0:
                merged.append(segment)
                missing -= 1
            case .sequence where missing > 0:
                let part = segment.numbers.prefix(missing)
                merged.append(PathAttributes.PathSegment(.sequence, Array(part)))
                missing -= part.count
            case .set, .sequence:
                return joined(merged, wide)
            }
        }
        return joined(merged, wide)
    }

    /// Both paths in a row; two sequences that meet become one where it is not too long.
    private static func joined(
        _ head: [PathAttributes.PathSegment], _ tail: [PathAttributes.PathSegment]
    ) -> [PathAttributes.PathSegment] {
        guard let last = head.last, let first = tail.first, last.kind == .sequence,
            first.kind == .sequence, last.numbers.count + first.numbers.count <= 255
        else { return head + tail }
        let middle = PathAttributes.PathSegment(.sequence, last.numbers + first.numbers)
        return head.dropLast() + [middle] + tail.dropFirst()
    }
}
