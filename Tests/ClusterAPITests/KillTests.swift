import Foundation
import Kubernetes
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// The controller that writes dies in the middle of it, again and again.
    @Suite struct KillTests {
        private static let services = 1000
        /// Eight rounds; more by the variable `MARTLET_KILLS`.
        private static let rounds =
            ProcessInfo.processInfo.environment["MARTLET_KILLS"].flatMap { Int($0) } ?? 8

        @Test("killed at any moment of 1,000 allocations: none twice, none changed, none lost")
        func kills() async throws {
            // So slowly that there is something to do to the last: a round sees about the burst.
            let rate = max(5, Self.services * 9 / 10 / Self.rounds)
            try await Scene.play { scene in
                try scene.create(Sample.pool("large", "198.51.100.0/22"))
                for number in 0..<Self.services { try scene.create(Sample.service("s\(number)")) }
                var generator = SystemRandomNumberGenerator()
                var timing = LeadershipTests.quick
                timing.duration = .seconds(1)
                timing.margin = .milliseconds(300)
                timing.renewal = .milliseconds(200)
                timing.retry = .milliseconds(50)
                func next() throws -> RunningController {
                    try scene.begin(election: timing, requestsPerSecond: rate)
                }
                var pair = [try next(), try next()]
                var known: [String: [String]] = [:]
                var before = 0
                for _ in 0..<Self.rounds {
                    let number = scene.server.requests.total
                    try await scene.eventually("somebody writes, or there is nothing to write") {
                        try scene.writes(after: number).contains { $0.code == 200 }
                            || scene.allAddresses().count == Self.services
                    }
                    // Any moment of what it does.
                    try await Task.sleep(
                        for: .milliseconds(Int.random(in: 0...60, using: &generator)))
                    let victim = pair.firstIndex { $0.leads } ?? 0
                    await pair[victim].kill()
                    known = try keeps(known, scene)
                    if known.count < Self.services { before += 1 }
                    pair[victim] = try next()
                }
                print("measured: \(before) of \(Self.rounds) kills left Services unserved")
                for controller in pair { await controller.kill() }
                let last = try scene.begin(election: timing, requestsPerSecond: 2000)
                try await scene.addressesAreGiven(toAll: Self.services)
                _ = try keeps(known, scene)
                try await scene.eventually("the last one leads") { last.leads }
            }
        }

        /// Holds that nobody lost or changed what it had, and that nothing is there twice.
        private func keeps(
            _ known: [String: [String]], _ scene: Scene
        ) throws -> [String: [String]] {
            let now = try scene.allAddresses()
            for (name, addresses) in known {
                #expect(now[name] == addresses, "\(name) changed")
            }
            try scene.expectNoAddressTwice()
            return now
        }
    }
}
