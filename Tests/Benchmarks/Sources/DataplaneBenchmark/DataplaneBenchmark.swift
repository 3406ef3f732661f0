import Dataplane
import Glibc
import LinuxNetwork
import NetworkTypes
import Speaker

/// The daemon's data plane without the rest of the daemon, in the network namespace that it is
/// started in, whose kernel it drives for real.
///
/// `DataplaneBenchmark SERVICES CHANGES`: a line for each thing that is measured, its name and
/// figures: milliseconds unless the name says otherwise, spreads as median, 99th percentile and
/// worst. A change is one endpoint that gives way to another in a state of the cluster; its time
/// ends when the kernel has answered the transaction.
@main
struct DataplaneBenchmark {
    private let changes: Int
    private var cluster: Cluster
    private let count: Int
    private var turn = 0

    static func main() async throws {
        let words = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard words.count == 2, words[0] > 0, words[1] > 0 else {
            print("usage: DataplaneBenchmark SERVICES CHANGES")
            return
        }
        var benchmark = DataplaneBenchmark(
            changes: words[1], cluster: Cluster(count: words[0]), count: words[0])
        try await benchmark.run()
    }

    private mutating func run() async throws {
        say("memory_before_MiB", resident())
        do {
            let dataplane = try DataplaneReconciler.open()
            try await measure("first_sync") { cluster throws(SystemError) in
                try await dataplane.reconcile(cluster.chains)
            }
            try await measureChanges("change", dataplane)
            try await measure("comparison") { _ throws(SystemError) in
                _ = try await dataplane.verify()
            }
            try await measureChangesBesideComparisons(dataplane)
            try await measure("counters") { _ throws(SystemError) in
                _ = try await dataplane.usage()
            }
            try await measure("counters_again") { _ throws(SystemError) in
                _ = try await dataplane.usage()
            }
            say("memory_MiB", resident())
        }
        do {
            let heir = try DataplaneReconciler.open()
            let begin = MonotonicClock.now()
            let outcome = try await heir.reconcile(cluster.chains)
            say("takeover", milliseconds(since: begin))
            say("takeover_wrote_anything", outcome.isChanged ? 1 : 0)
            try await heir.removeAll()
        }
    }

    private func measure(
        _ name: String, _ body: (Cluster) async throws(SystemError) -> Void
    ) async throws(SystemError) {
        let (begin, cpu) = (MonotonicClock.now(), processorTime())
        try await body(cluster)
        say(name, milliseconds(since: begin))
        say(name + "_cpu", processorTime() - cpu)
    }

    private mutating func measureChanges(
        _ name: String, _ dataplane: DataplaneReconciler
    ) async throws {
        var (times, all) = ([Double](), 0.0)
        for _ in 0..<changes {
            advance()
            let (begin, cpu) = (MonotonicClock.now(), processorTime())
            try await dataplane.reconcile(cluster.chains)
            times.append(milliseconds(since: begin))
            all += processorTime() - cpu
            // The caches of a core that has nothing else to do say little.
            try await Task.sleep(for: .milliseconds(2))
        }
        say(name, times)
        say(name + "_cpu", all / Double(changes))
    }

    /// Changes that come while the table is compared, one comparison after the other.
    private mutating func measureChangesBesideComparisons(
        _ dataplane: DataplaneReconciler
    ) async throws {
        let comparing = Task {
            while !Task.isCancelled {
                _ = try await dataplane.verify(canWait: true)
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        try await measureChanges("change_beside_comparisons", dataplane)
        comparing.cancel()
        _ = await comparing.result
    }

    private mutating func advance() {
        turn += 1
        cluster.change(turn * 7919 % count, turn: turn)
    }
}

extension DataplaneBenchmark {
    private func say(_ name: String, _ value: Double) { print(name, rounded(value)) }

    private func say(_ name: String, _ values: [Double]) {
        let values = values.sorted()
        let last = values.count - 1
        let shown = [values[values.count / 2], values[last * 99 / 100], values[last]]
        print(name, shown.map(rounded).joined(separator: " "))
    }

    private func rounded(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }

    private func milliseconds(since begin: Instant) -> Double {
        Double((MonotonicClock.now() - begin).wholeNanoseconds) / 1e6
    }

    /// Of all threads, in milliseconds.
    private func processorTime() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
    }

    /// In MiB.
    private func resident() -> Double {
        var text = [UInt8](repeating: 0, count: 128)
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        let length = unsafe text.withUnsafeMutableBytes {
            unsafe read(file, $0.baseAddress, $0.count)
        }
        let words = String(decoding: text.prefix(max(0, length)), as: UTF8.self)
            .split(separator: " ")
        return words.count > 1 ? (Double(words[1]) ?? 0) * 4096 / 1_048_576 : 0
    }
}
