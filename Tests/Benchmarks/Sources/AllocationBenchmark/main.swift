import Glibc
import LoadBalancing
import NetworkTypes

// What a decision of the allocator costs, whether that depends on the size of the pool, and what a
// Service costs in memory. Each pool is filled, up to 100,000 Services; then a random Service is
// deleted and another asks, 100,000 times over. The times are those of single calls. Bytes are
// counted for the first pools only: those that come later live in memory that was freed before.

/// Numbers that are the same in every run (SplitMix64).
struct RepeatableNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}

/// The time each of many calls took, in nanoseconds.
struct Timings {
    private var samples: [Int64] = []
    private let clock = ContinuousClock()

    mutating func time<Value>(_ call: () -> Value) -> Value {
        let start = clock.now
        let value = call()
        samples.append((clock.now - start).wholeNanoseconds)
        return value
    }

    /// Median and 99th percentile, in microseconds with two decimals.
    var summary: String {
        let sorted = samples.sorted()
        guard !sorted.isEmpty else { return "-" }
        let cells = [sorted[sorted.count / 2], sorted[sorted.count * 99 / 100]].map { value in
            column("\(Double(value / 10) / 100)", 8)
        }
        return cells.joined()
    }
}

func column(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// Resident bytes: the second field of `/proc/self/statm`, in pages.
func residentBytes() -> Int {
    let file = unsafe open("/proc/self/statm", O_RDONLY)
    guard file >= 0 else { return 0 }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 128)
    let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
    let fields = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
}

func request(_ index: Int, _ family: IPAddress.Family) -> AllocationRequest {
    AllocationRequest(
        service: ServiceName(namespace: "shop", name: "service-\(index)"),
        families: FamilyWish([family]), ports: [ServicePort(.tcp, 443)])
}

func measure(
    _ label: String, _ pools: [AddressPool], services: Int, isFirst: Bool = false,
    family: (Int) -> IPAddress.Family
) {
    let zero = Instant(nanoseconds: 0)
    var allocator = AddressAllocator()
    allocator.replacePools(pools)
    var random = RepeatableNumbers(state: 1)
    var present: [AllocationRequest] = []
    present.reserveCapacity(services)
    for index in 0..<services { present.append(request(index, family(index))) }
    let before = residentBytes()
    var filling = Timings()
    for request in present { _ = filling.time { allocator.allocate(request, at: zero) } }
    let bytes = (residentBytes() - before - services * 8) / services
    var releasing = Timings()
    var allocating = Timings()
    var keeping = Timings()
    var without = 0
    for turn in 0..<100_000 {
        let index = Int.random(in: 0..<services, using: &random)
        let leaver = present[index].service
        releasing.time { allocator.release(leaver, at: zero) }
        let newcomer = request(services + turn, family(turn))
        present[index] = newcomer
        let decision = allocating.time { allocator.allocate(newcomer, at: zero) }
        if decision.assignment == nil { without += 1 }
        let other = present[Int.random(in: 0..<services, using: &random)]
        _ = keeping.time { allocator.allocate(other, at: zero) }
    }
    let cells = [filling.summary, allocating.summary, releasing.summary, keeping.summary]
    print(
        column(label, 26), column(String(services), 8), cells.joined(separator: " "),
        column(isFirst ? String(bytes) : "-", 8), column(String(without), 6))
}

func pool(_ name: String, _ range: String) -> AddressPool {
    AddressPool(
        name: name, ranges: [range].compactMap { AddressRange($0) },
        avoidBuggyIPs: name.hasSuffix("avoiding"))
}

print("microseconds per call: median and 99th percentile")
print(
    column("pool", 26), column("services", 8), column("fill", 16), column("allocate", 16),
    column("release", 16), column("ask again", 16), column("bytes", 8), column("none", 6))
var mixed = (0..<64).map { pool("a\(100 + $0)", "198.18.\($0).0/24") }
mixed += [pool("b-avoiding", "198.19.0.0/16"), pool("c", "2001:db8::/64")]
measure("mixed, 64 full /24s first", mixed, services: 100_000, isFirst: true) {
    $0.isMultiple(of: 2) ? .ipv4 : .ipv6
}
let sizes: [(String, Int, IPAddress.Family)] = [
    ("192.0.2.0/24", 250, .ipv4), ("198.18.0.0/16", 60_000, .ipv4),
    ("198.18.0.0/15", 60_000, .ipv4),
    ("198.18.0.0/15", 100_000, .ipv4), ("2001:db8::/120", 250, .ipv6),
    ("2001:db8::/64", 60_000, .ipv6), ("2001:db8::/48", 60_000, .ipv6),
    ("2001:db8::/64", 100_000, .ipv6), ("2001:db8::/64", 250, .ipv6), ("198.18.0.0/15", 250, .ipv4),
]
for (range, services, family) in sizes {
    measure(range, [pool("a", range)], services: services) { _ in family }
}
measure("198.18.0.0/15, avoidBuggyIPs", [pool("a-avoiding", "198.18.0.0/15")], services: 100_000) {
    _ in
    .ipv4
}
