import Kubernetes
import Testing

/// Damaged manifests: reading must end, in bounded time, with a result and never with a trap.
@Suite struct ManifestReaderMutationTests {
    @Test(arguments: ManifestFixture.names)
    func `every truncation of a fixture is read or refused with a reason`(name: String) throws {
        let bytes = Array(try ManifestFixture.text(name).utf8)
        let step = max(1, bytes.count / 300)
        for end in stride(from: 0, to: bytes.count, by: step) {
            let file = ManifestReader.read(
                String(decoding: bytes[..<end], as: UTF8.self), file: name)
            #expect(file.isParsable || !file.errors.isEmpty, "\(name) cut at \(end)")
            #expect(file.refused.isEmpty || !file.errors.isEmpty, "\(name) cut at \(end)")
        }
    }

    @Test(arguments: ManifestFixture.names)
    func `changed bytes of a fixture are read or refused with a reason`(name: String) throws {
        let original = Array(try ManifestFixture.text(name).utf8)
        let favourites = Array("&*?:-[]{},#|>'\"%@!~\n\t \\0".utf8) + [0, 0x80, 0xff]
        var random = SplitMix(seed: 0x6d61_7274)
        for round in 0..<400 {
            var bytes = original
            for _ in 0..<(1 + random.below(4)) {
                let place = random.below(bytes.count)
                switch random.below(4) {
                case 0: bytes[place] = UInt8(random.below(256))
                case 1: bytes[place] = favourites[random.below(favourites.count)]
                case 2: bytes.insert(favourites[random.below(favourites.count)], at: place)
                default: bytes.remove(at: place)
                }
            }
            let file = ManifestReader.read(String(decoding: bytes, as: UTF8.self), file: name)
            #expect(file.isParsable || !file.errors.isEmpty, "\(name), round \(round)")
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: Bomb.allCases)
    func `aliases that would explode are refused`(bomb: Bomb) {
        let file = ManifestReader.read(bomb.text, file: "x.yaml")
        #expect(!file.isParsable)
        #expect(file.objects.isEmpty)
    }

    /// Small texts that stand for huge trees.
    enum Bomb: CaseIterable {
        /// Nine levels of nine aliases each: 9^9 values once expanded.
        case wide, wideAsKey, wideAndHigh
        /// Aliases that add nesting instead of width.
        case deep, veryDeep

        var text: String {
            switch self {
            case .wide: laughs(levels: 9, asKey: false)
            case .wideAsKey: laughs(levels: 9, asKey: true)
            case .wideAndHigh: laughs(levels: 60, asKey: false)
            case .deep: ladder(anchors: 15, depth: 900)
            case .veryDeep: ladder(anchors: 200, depth: 900)
            }
        }
    }

    @Test(
        .timeLimit(.minutes(1)), arguments: ["[", "{a: ", "- ", "? ", "a: [{", "'", "\"\\", "&a "])
    func `deep nesting and endless openings end with a reason`(opening: String) {
        for count in [900, 100_000] {
            let file = ManifestReader.read(
                String(repeating: opening, count: count), file: "x.yaml")
            #expect(!file.errors.isEmpty)
        }
    }

    @Test func `many aliases of one anchor are fine`() {
        let ports = "spec: &spec {type: LoadBalancer, ports: [{port: 80}]}"
        var text =
            "apiVersion: v1\nkind: List\nitems:\n"
            + "- {apiVersion: v1, kind: Service, metadata: {name: s0}, \(ports)}\n"
        for index in 1..<500 {
            text += "- {apiVersion: v1, kind: Service, metadata: {name: s\(index)}, spec: *spec}\n"
        }
        let file = ManifestReader.read(text, file: "x.yaml")
        #expect(file.problems.isEmpty)
        #expect(file.services.count == 500)
    }

    @Test func `a file with thousands of errors lists a bounded number of each object`() {
        let fields = (0..<5000).map { "  unknown\($0): 1\n" }.joined()
        let file = ManifestReader.read(
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 80}]\n"
                + fields,
            file: "x.yaml")
        #expect(file.errors.count == 101)
        #expect(
            file.errors.last?.rule.contains("4900 more") == true
                || file.errors.first?.rule.contains("4900 more") == true)
    }
}

extension ManifestReaderMutationTests.Bomb {
    private func laughs(levels: Int, asKey: Bool) -> String {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...levels {
            let parts = Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(parts)]\n"
        }
        return text + (asKey ? "? *a\(levels)\n: x\n? *a\(levels - 1)\n: y\n" : "")
    }

    private func ladder(anchors: Int, depth: Int) -> String {
        let (open, close) = (
            String(repeating: "[", count: depth), String(repeating: "]", count: depth)
        )
        var text = "a0: &a0 \(open)x\(close)\n"
        for anchor in 1...anchors {
            text += "a\(anchor): &a\(anchor) \(open)*a\(anchor - 1)\(close)\n"
        }
        return text
    }
}

/// A small generator of repeatable numbers (SplitMix64).
/// Random numbers, the same for the same seed.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((value ^ value >> 31) % UInt64(max(bound, 1)))
    }
}
