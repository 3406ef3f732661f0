import NetworkTypes
import Testing

@testable import Kubernetes

@Suite struct ConfigurationPropertyTests {
    /// SplitMix64: a failure is replayed by its seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var bits = state
            bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
            bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
            return bits ^ bits >> 31
        }
    }

    private static func entry(_ number: Int, _ random: inout Generator) -> ConfigurationInput.Entry
    {
        let ranges = (0..<Int.random(in: 1...2, using: &random)).compactMap { half in
            let first = UInt32.random(in: 0..<120, using: &random) + UInt32(half) * 128
            let base: UInt32 = 0xc612_0000  // 198.18.0.0
            return AddressRange(
                IPAddress(ipv4: base + first),
                IPAddress(ipv4: base + first + UInt32.random(in: 0..<8, using: &random)))
        }
        let metadata = ObjectMeta(name: ObjectName("pool-\(number)"))
        return ConfigurationInput.Entry(.pool(IPAddressPool(metadata: metadata, addresses: ranges)))
    }

    @Test(
        "Whatever is edited, pools never overlap, and what is in force stays until it changes",
        arguments: UInt64(1)...40)
    func edits(_ seed: UInt64) {
        var random = Generator(state: seed)
        var assembler = ConfigurationAssembler()
        var texts: [Int: ConfigurationInput.Entry] = [:]
        var unreadable: Set<Int> = []
        var before: [String: IPAddressPool] = [:]
        for _ in 0..<60 {
            let number = Int.random(in: 0..<12, using: &random)
            let edit = Int.random(in: 0..<10, using: &random)
            unreadable.remove(number)
            texts[number] = edit < 8 ? Self.entry(number, &random) : nil
            if edit == 9 { unreadable.insert(number) }
            let input = ConfigurationInput(
                entries: texts.values.shuffled(using: &random),
                refused: Set(
                    unreadable.map {
                        ConfigurationObject.Reference(kind: .pool, name: ObjectName("pool-\($0)"))
                    }))
            let (configuration, problems) = assembler.assemble(input)

            let ranges = configuration.pools.values.flatMap(\.addresses)
                .sorted { $0.first < $1.first }
            for (left, right) in zip(ranges, ranges.dropFirst()) {
                #expect(!left.overlaps(right), "seed \(seed)")
            }
            for (name, pool) in before where name != "pool-\(number)" {
                let current = configuration.pools[name]
                guard current != pool else { continue }
                let text = texts.values.first { $0.object.metadata.name.name == name }
                // The only other way: an edit that had been waiting could be admitted.
                #expect(
                    current?.addresses == Self.addresses(text), "\(name) changed, seed \(seed)")
            }
            for entry in texts.values {
                let name = entry.object.metadata.name.name
                let isInForce = configuration.pools[name]?.addresses == Self.addresses(entry)
                let isReported = problems.errors.contains {
                    $0.object == "IPAddressPool metallb-system/\(name)"
                }
                #expect(isInForce != isReported, "\(name) is in force or reported, seed \(seed)")
            }
            before = configuration.pools
        }
    }

    private static func addresses(_ entry: ConfigurationInput.Entry?) -> [AddressRange]? {
        guard case .pool(let pool)? = entry?.object else { return nil }
        return pool.addresses
    }
}
