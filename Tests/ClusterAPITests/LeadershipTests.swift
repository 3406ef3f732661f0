import ClusterSource
import Foundation
import Kubernetes
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// Two controllers, of which one writes.
    @Suite struct LeadershipTests {
        static let standby = "standby"

        /// Times short enough to wait for: others leave the Lease alone for two seconds.
        static var quick: LeaderElection.Timing {
            var timing = LeaderElection.Timing()
            timing.duration = .seconds(2)
            timing.margin = .milliseconds(700)
            timing.renewal = .milliseconds(300)
            timing.retry = .milliseconds(150)
            timing.request = .milliseconds(500)
            return timing
        }

        /// A scene in which one controller leads and another waits, with one Service served.
        private func two(
            _ timing: LeaderElection.Timing,
            _ body: (Scene, RunningController, RunningController) async throws -> Void
        ) async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let first = try scene.begin(election: timing)
                try await scene.eventually("the first leads") { first.leads }
                let second = try scene.begin(as: Self.standby, election: timing)
                try await scene.eventually("the second is ready") { second.state != nil }
                try scene.create(Sample.service("before"))
                try await scene.addresses(of: "before", become: ["192.0.2.0"])
                #expect(!second.leads)
                #expect(scene.writes(by: Self.standby).isEmpty)
                try await body(scene, first, second)
                #expect(try scene.addresses(of: "before") == ["192.0.2.0"])
            }
        }

        @Test("a controller that is told to stop hands over at once")
        func handOver() async throws {
            // With times that would make a wait for the Lease last.
            try await two(LeaderElection.Timing()) { scene, first, second in
                let begin = ContinuousClock.now
                await first.stop()
                try await scene.eventually("the second leads") { second.leads }
                #expect(ContinuousClock.now - begin < .seconds(10))
                try scene.create(Sample.service("after"))
                try await scene.addresses(of: "after", become: ["192.0.2.1"])
                #expect(scene.writes(of: "after").allSatisfy { $0.user.hasSuffix(Self.standby) })
                #expect(scene.writes(of: "before").count == 1)
            }
        }

        @Test("what is being written at the stop comes to its end before the Lease is given back")
        func finishesWriting() async throws {
            try await two(LeaderElection.Timing()) { scene, first, second in
                scene.server.faults.add(
                    Fault(
                        .delay(milliseconds: 400), user: Scene.account, verbs: ["patch"],
                        resource: "services/status"))
                let number = scene.server.requests.total
                for number in 0..<20 { try scene.create(Sample.service("s\(number)")) }
                try await scene.eventually("it writes") {
                    !scene.writes(by: Scene.account, after: number).isEmpty
                }
                await first.stop()
                let writes = scene.writes(by: Scene.account, after: number)
                let release = try #require(
                    scene.server.requests.all(after: number).last {
                        $0.resource == "leases" && $0.isWrite
                            && $0.user.hasSuffix(":\(Scene.account)")
                    })
                #expect(writes.allSatisfy { $0.code == 200 })
                #expect(writes.allSatisfy { $0.at + 400_000_000 <= release.at })
                #expect(scene.writes(by: Scene.account, after: release.number).isEmpty)
                try await scene.addressesAreGiven(toAll: 21)
                try await scene.eventually("the other leads") { second.leads }
            }
        }

        @Test("after a crash the other waits for the Lease, then goes on")
        func crash() async throws {
            try await two(Self.quick) { scene, first, second in
                await first.kill()
                scene.server.dropConnections(of: Scene.account)
                try scene.create(Sample.service("after"))
                try await scene.addresses(of: "after", become: ["192.0.2.1"])
                let leases = scene.server.requests.all().filter {
                    $0.resource == "leases" && $0.isWrite && $0.code < 300
                        && $0.user.hasSuffix(":\(Scene.account)")
                }
                let last = try #require(leases.last)
                let write = try #require(scene.writes(of: "after").first)
                #expect(write.at - last.at >= 2_000_000_000)
                #expect(second.leads)
            }
        }

        @Test("one that cannot renew its Lease has stopped writing before the other begins")
        func noWriteWithoutLease() async throws {
            try await two(Self.quick) { scene, first, second in
                let number = scene.server.requests.total
                // It reaches everything but the Lease, and there is always something to write.
                scene.server.faults.add(
                    Fault(.silence, user: Scene.account, resource: "leases"))
                var count = 0
                try await scene.eventually("the other writes") {
                    if count < 200 { try scene.create(Sample.service("s\(count)")) }
                    count += 1
                    try await Task.sleep(for: .milliseconds(10))
                    return scene.writes(by: Self.standby).contains { $0.code == 200 }
                }
                let taken = try #require(
                    scene.server.requests.all(after: number).first {
                        $0.resource == "leases" && $0.isWrite && $0.code == 200
                            && $0.user.hasSuffix(":\(Self.standby)")
                    })
                let late = scene.writes(by: Scene.account, after: number).filter {
                    $0.at >= taken.at
                }
                #expect(late.isEmpty)
                try await scene.addressesAreGiven(toAll: min(count, 200) + 1)
                #expect(!first.leads)
            }
        }

        @Test("one that is cut off writes nothing when it is back, while the other has the Lease")
        func partition() async throws {
            try await two(Self.quick) { scene, first, second in
                scene.server.faults.partition(Scene.account)
                let number = scene.server.requests.total
                for name in ["a", "b"] { try scene.create(Sample.service(name)) }
                try await scene.eventually("the other serves them") {
                    try scene.allAddresses().count == 3
                }
                scene.server.faults.heal(Scene.account)
                scene.server.dropConnections(of: Scene.account)
                try scene.create(Sample.service("healed"))
                try await scene.eventually("it knows again what is so") {
                    try first.state?.lastGoodSince == nil && !first.leads
                        && first.state?.allocations.count == 4
                        && scene.allAddresses().count == 4
                }
                #expect(scene.writes(by: Scene.account, after: number).isEmpty)
                #expect(second.leads)
                try scene.expectNoAddressTwice()
            }
        }

        @Test("a cold controller does not take the Lease before it knows the cluster")
        func coldStart() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                scene.server.faults.add(
                    Fault(.silence, user: Self.standby, resource: "services"))
                let cold = try scene.begin(as: Self.standby, election: Self.quick)
                let warm = try scene.begin(election: Self.quick)
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
                #expect(warm.leads)
                #expect(!cold.leads)
                #expect(try scene.holder().hasPrefix(Scene.account))
            }
        }
    }
}
