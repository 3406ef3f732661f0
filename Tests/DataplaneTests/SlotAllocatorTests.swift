import NetworkTypes
import Testing

@testable import Dataplane

@Suite struct SlotAllocatorTests {
    @Test(
        "runs never overlap, and each lies in one shard, which has one family",
        arguments: [UInt64](1...10))
    func disjoint(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var allocator = SlotAllocator()
        var held: [(run: SlotAllocator.Run, family: IPAddress.Family)] = []
        var occupied: Set<UInt32> = []
        for _ in 0..<600 {
            if !held.isEmpty, random.below(3) == 0 {
                let (run, family) = held.remove(at: random.below(held.count))
                occupied.subtract(run.first..<run.first + run.capacity)
                allocator.release(run, family)
                continue
            }
            let family = IPAddress.Family.allCases[random.below(2)]
            let count = random.below(10) == 0 ? 1 + random.below(1_000) : 1 + random.below(5)
            let run = allocator.allocate(count, family)
            let slots = run.first..<run.first + run.capacity
            try #require(Int(run.capacity) >= count && occupied.isDisjoint(with: slots))
            occupied.formUnion(slots)
            let shard = Int(run.first / SlotAllocator.shardSize)
            try #require(allocator.shards[shard] == family)
            try #require(Int((slots.upperBound - 1) / SlotAllocator.shardSize) == shard)
            held.append((run, family))
        }
    }

    @Test("what is given back is given out again: the same work over and over needs no more room")
    func reuse() {
        var allocator = SlotAllocator()
        for _ in 0..<5_000 {
            let runs = [1, 3, 700, 2, 65].map { allocator.allocate($0, .ipv4) }
            for run in runs { allocator.release(run, .ipv4) }
        }
        #expect(allocator.shards.count <= 3)
    }
}
