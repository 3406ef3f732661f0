import ClusterSource
import Kubernetes
import NetworkTypes
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// The API server is away, and comes back.
    @Suite struct OutageTests {
        @Test("away, nothing changes; back, nothing is written but what is new")
        func outage() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                let controller = try scene.begin()
                for number in 0..<20 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 20)
                try await scene.eventually("everything is known, and written") {
                    try controller.state?.allocations.count == 20
                        && scene.status(ofPool: "east")?["assignedIPv4"] == 20
                }
                let known = try #require(controller.state)
                #expect(known.lastGoodSince == nil)
                let number = scene.server.requests.total

                try await scene.server.stop()
                try await scene.eventually("it is known that nobody can be asked") {
                    controller.state?.lastGoodSince != nil
                }
                let alone = try #require(controller.state)
                #expect(alone.allocations == known.allocations)
                #expect(alone.snapshot.services == known.snapshot.services)
                #expect(alone.isComplete)
                #expect(!alone.isRestored)
                #expect(controller.problems.contains { $0.contains("API server") })

                try scene.create(Sample.service("meanwhile"))
                try scene.delete("s4")
                try await scene.server.start()
                try await scene.eventually("what came meanwhile is served") {
                    try !scene.addresses(of: "meanwhile").isEmpty
                }
                try await scene.eventually("all is current again") {
                    controller.state?.lastGoodSince == nil
                        && controller.state?.snapshot.problems == []
                }
                #expect(Set(scene.writes(after: number).map(\.name)) == ["meanwhile"])
                let all = try scene.allAddresses()
                for (name, allocation) in known.allocations where name.name != "s4" {
                    #expect(all[name.name] == allocation.addresses.map(\.description))
                }
                try scene.expectNoAddressTwice()
            }
        }

        @Test("a server that is slow is waited for", arguments: [400])
        func slow(milliseconds: Int) async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                scene.server.faults.add(Fault(.delay(milliseconds: milliseconds)))
                let controller = try scene.begin()
                for number in 0..<50 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 50)
                #expect(controller.leads)
                #expect(scene.writes().count { $0.code == 200 } == 50)
            }
        }

        @Test("a controller that starts before the server waits for it")
        func startsFirst() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try await scene.server.stop()
                let controller = try scene.begin()
                try await scene.eventually("it says that it waits") {
                    !controller.lines.isEmpty
                }
                try scene.create(Sample.service("web"))
                try await scene.server.start()
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
            }
        }

        @Test("at rest nothing is asked but the Lease, and nothing but that is written")
        func rest() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let controller = try scene.begin(election: LeadershipTests.quick)
                for number in 0..<20 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 20)
                try await scene.eventually("every word is written") {
                    try scene.status(ofPool: "east")?["assignedIPv4"] == 20
                        && (0..<20).allSatisfy { try !scene.events(of: "s\($0)").isEmpty }
                        && controller.state?.status.pools["east"]?.assignedIPv4 == 20
                        && scene.server.requests.all().contains {
                            $0.resource == "configurationstates/status" && $0.code == 200
                        }
                }
                let number = scene.server.requests.total
                func renewals() -> Int {
                    scene.server.requests.all(after: number).count { $0.resource == "leases" }
                }
                // Three seconds by the controller's own clock.
                try await scene.eventually("the Lease is renewed ten times") { renewals() >= 10 }
                let others = scene.server.requests.all(after: number).filter {
                    $0.resource != "leases"
                }
                #expect(others.map { "\($0.verb) \($0.path)" } == [])
            }
        }
    }
}
