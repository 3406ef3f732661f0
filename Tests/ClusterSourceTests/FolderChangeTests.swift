import Foundation
import Kubernetes
import NetworkTypes
import Testing

@testable import ClusterSource

@Suite struct FolderChangeTests {
    @Test("what was given is merged as if everything were merged anew", arguments: 1...12)
    func merging(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var merged = MergedServices()
        var read = ObjectTable<Service>()
        var given: [ObjectName: ServiceAllocation] = [:]
        for step in 0..<60 {
            for _ in 0..<random.below(4) {
                let name = name("web-\(random.below(9))")
                let address = try #require(IPAddress("192.0.2.\(random.below(5))"))
                switch random.below(5) {
                case 0: read[name] = nil
                case 1: given[name] = nil
                case 2:
                    given[name] = ServiceAllocation(
                        addresses: random.below(2) == 0 ? [] : [address], pool: "main")
                default:
                    var service = Service(metadata: ObjectMeta(name: name))
                    if random.below(2) == 0 { service.ingress = [.init(address: address)] }
                    read[name] = service
                }
            }
            var wanted = read
            for (name, allocation) in given {
                wanted[name]?.ingress = allocation.addresses.map { .init(address: $0) }
            }
            #expect(merged.update(read, given) == wanted, "step \(step), seed \(seed)")
        }
    }

    @Test("after any run of edits the state is what a fresh look gives", arguments: 1...4)
    func edits(seed: UInt64) async throws {
        let scratch = try Scratch()
        var random = SplitMix(state: seed)
        for number in 0..<20 { try scratch.write(service("s-\(number)"), to: Self.path(number)) }
        try scratch.makeFolder("manifests/more")
        try scratch.write(service("end", port: 1), to: "manifests/more/end.yaml")
        try await withSource(scratch) { source in
            for _ in 0..<6 {
                for _ in 0..<4 {
                    let number = random.below(20)
                    let path = Self.path(number)
                    switch random.below(3) {
                    case 0 where FileManager.default.fileExists(atPath: scratch.path + "/" + path):
                        try scratch.remove(path)
                    case 1:
                        // The same Service in two files: the first of them counts.
                        try scratch.write(
                            service("s-\(random.below(20))", port: 81 + random.below(9)), to: path)
                    default:
                        try scratch.write(service("s-\(number)", port: 90), to: path + ".new")
                        try scratch.move(path + ".new", to: path)
                    }
                }
                try await source.state { !$0.services.isEmpty }
            }
            let wanted = try FolderSource.read(
                manifests: scratch.manifests, state: scratch.state
            ).snapshot
            let state = try await source.state { $0.snapshot == wanted }
            #expect(state.port(of: "end") == 1)
        }
    }

    private static func path(_ number: Int) -> String { "manifests/file-\(number).yaml" }
}

/// A small generator of numbers that a seed repeats exactly.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
