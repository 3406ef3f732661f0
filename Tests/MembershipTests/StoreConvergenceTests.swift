import Membership
import NetworkTypes
import Testing

/// Five stores that tell each other what happens to them, over datagrams that are lost, doubled and
/// overtaken, and that restart, with a clock that goes backwards at times.
struct StoreWorld {
    static let nodes = (1...5).map { NodeID(name: "node-\($0)") }

    var random: StoreRandom
    var stores: [ReplicatedStore]
    /// What each store's news add up to, by the store and the member.
    var mirrors: [[NodeID: [[UInt8]: [UInt8]]]]
    var underWay: [(from: Int, to: Int, payload: [UInt8])] = []
    var now = Instant(nanoseconds: 0)
    var loss: Int
    var complaints: [String] = []

    init(seed: UInt64) {
        random = StoreRandom(seed: seed)
        stores = Self.nodes.map { ReplicatedStore(own: $0, generation: 1_000_000_000_000) }
        mirrors = Self.nodes.map { _ in [:] }
        loss = random.below(60)
    }

    mutating func step() {
        let index = random.below(stores.count)
        switch random.below(40) {
        case 0..<14: change(index)
        case 14..<34: deliver()
        case 34..<37: exchange(index, with: random.below(stores.count))
        case 37, 38:
            now = now + .seconds(random.below(30))
            stores[index].expireTombstones(at: now)
        default: restart(index)
        }
    }

    mutating func change(_ index: Int) {
        let changes = (0...random.below(random.below(8) == 0 ? 60 : 3)).map { _ in
            let value = [UInt8](repeating: UInt8(random.below(4)), count: random.below(40))
            return StoreCast.change(random.below(80), random.below(3) == 0 ? nil : value)
        }
        set(changes, by: index)
    }

    /// What every boot says first and none takes back: nobody may miss it for a moment.
    static let lasting = EntryChange(key: [9], value: [9])

    mutating func set(_ changes: [EntryChange], by index: Int) {
        guard let delta = stores[index].set(changes + [Self.lasting]) else { return }
        tell(.delta(delta), from: index)
    }

    mutating func tell(_ message: Message, from index: Int) {
        for to in stores.indices where to != index { send([message], from: index, to: to) }
    }

    mutating func send(_ messages: [Message], from: Int, to: Int) {
        for payload in DatagramCoder.encode(messages) {
            if random.below(100) < loss { continue }
            for _ in 0...(random.below(10) == 0 ? 1 : 0) { underWay.append((from, to, payload)) }
        }
        // A full network drops.
        while underWay.count > 400 { underWay.remove(at: random.below(underWay.count)) }
    }

    mutating func exchange(_ index: Int, with other: Int) {
        guard index != other else { return }
        send([.digest(stores[index].digest(), wantsReply: true)], from: index, to: other)
    }

    mutating func restart(_ index: Int) {
        // Boots are stamped in nanoseconds: earlier ones at times, the same ones never.
        let shift = Int64(random.below(7_000)) - 2_000
        let generation = UInt64(Int64(stores[index].generation) + shift * 1_000_000 + 1)
        stores[index] = ReplicatedStore(own: Self.nodes[index], generation: generation)
        mirrors[index] = [:]
    }

    /// Delivers any of the payloads that are under way.
    mutating func deliver() {
        guard !underWay.isEmpty else { return }
        let (from, to, payload) = underWay.remove(at: random.below(underWay.count))
        guard let messages = try? decode(payload) else {
            complaints.append("what was encoded does not decode")
            return
        }
        for message in messages {
            switch message {
            case .delta(let delta): take(delta, at: to)
            case .digest(let digest, let wantsReply):
                answer(digest, wantsReply: wantsReply, from: to, to: from)
            default: complaints.append("a message that nobody sent")
            }
        }
    }

    private mutating func take(_ delta: Delta, at index: Int) {
        let applied = stores[index].apply(delta)
        riseAboveTheDead(index)
        guard case .news(let changes) = applied else {
            if case .refused(let refusal) = applied { complaints.append("refused: \(refusal)") }
            return
        }
        for change in changes {
            if change.key == Self.lasting.key, change.value == nil {
                complaints.append("what nobody deleted is gone")
            }
            if mirrors[index][delta.node, default: [:]][change.key] == change.value {
                complaints.append("news of what was so already")
            }
            mirrors[index][delta.node, default: [:]][change.key] = change.value
        }
    }

    private mutating func answer(_ digest: Digest, wantsReply: Bool, from: Int, to: Int) {
        stores[from].learn(from: digest)
        riseAboveTheDead(from)
        let limit = 200 + random.below(4_000)
        for delta in stores[from].deltas(beyond: digest, limit: limit) {
            send([.delta(delta)], from: from, to: to)
        }
        if wantsReply, stores[from].isBehind(digest) {
            let ours = stores[from].digest(from: digest.first, through: digest.last)
            send([.digest(ours, wantsReply: false)], from: from, to: to)
        }
    }

    private mutating func riseAboveTheDead(_ index: Int) {
        guard let later = stores[index].laterOwnGeneration else { return }
        let generation = later + 1 + UInt64(random.below(1_000_000))
        if let delta = stores[index].beginGeneration(generation) {
            tell(.delta(delta), from: index)
        }
    }

    /// Whether all say that they hold the same.
    var isQuiet: Bool { stores.allSatisfy { $0.hash == stores[0].hash } }

    /// Lets the stores exchange digests until they agree; how many rounds it took.
    mutating func settle(limit: Int) -> Int {
        // A member that has said nothing since its start stands as it was before.
        for index in stores.indices {
            set([EntryChange(key: [0], value: [UInt8(random.below(256))])], by: index)
        }
        var rounds = 0
        while rounds < limit, !(isQuiet && underWay.isEmpty) {
            rounds += 1
            for index in stores.indices where !isQuiet {
                exchange(index, with: random.below(stores.count))
            }
            while !underWay.isEmpty { deliver() }
        }
        return rounds
    }
}

@Suite("Stores that tell each other over a bad network")
struct StoreConvergenceTests {
    @Test("All come to hold the same as the owners do, and their news tell the same story")
    func convergence() {
        for seed in 1...UInt64(60) {
            var world = StoreWorld(seed: seed)
            for _ in 0..<(200 + world.random.below(600)) { world.step() }
            let rounds = world.settle(limit: 1_000)
            #expect(world.isQuiet, "seed \(seed): hashes differ after \(rounds) rounds")
            #expect(world.complaints.isEmpty, "seed \(seed): \(world.complaints)")
            for (owner, node) in StoreWorld.nodes.enumerated() {
                let truth = world.stores[owner].entries(of: node)
                for (index, store) in world.stores.enumerated() where index != owner {
                    #expect(
                        store.entries(of: node) == truth,
                        "seed \(seed): store \(index + 1) about member \(owner + 1)")
                    #expect(
                        world.mirrors[index][node] ?? [:] == truth,
                        "seed \(seed): news to store \(index + 1) about member \(owner + 1)")
                }
            }
        }
    }

    @Test("A store that changes for long holds what a dictionary would, and no more room")
    func churn() {
        var random = StoreRandom(seed: 0x6d61_7274_6c65_7402)
        var store = StoreCast.store()
        var model: [[UInt8]: [UInt8]] = [:]
        for step in 0..<30_000 {
            let key = StoreCast.key(random.below(300))
            let value =
                random.below(3) == 0
                ? nil : [UInt8](repeating: UInt8(random.below(3)), count: random.below(60))
            let isChange = model[key] != value
            let delta = store.set(key, value)
            #expect((delta != nil) == isChange, "step \(step)")
            model[key] = value
            if step % 100 == 0 {
                let now = Instant(nanoseconds: Int64(step) * 100_000_000)
                store.expireTombstones(at: now)
                #expect(store.entries(of: store.own) == model, "step \(step)")
            }
        }
        #expect(store.count <= 300)
        #expect(store.byteCount <= 300 * 70)
    }
}
