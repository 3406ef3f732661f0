import ClusterSource
import Foundation
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// Writes beside other writers, and against a server that does not take them.
    @Suite struct WritingTests {
        @Test("what others wrote into a Service survives: conditions, annotations, finalizers")
        func othersFields() async throws {
            try await Scene.play { scene in
                let controller = try scene.begin()
                try scene.create(
                    Sample.service("web", annotations: ["example.com/theirs": "stays"]))
                try await scene.condition(of: "web", becomes: "AllocationFailed")
                var status = try scene.service("web")["status"] ?? [:]
                let theirs: JSONValue = [
                    "type": "example.com/Checked", "status": "True", "reason": "Fine",
                    "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z",
                ]
                status["conditions"] = .array((status["conditions"]?.array ?? []) + [theirs])
                try scene.change("web", ["status": status], subresource: "status")
                try scene.change(
                    "web",
                    [
                        "metadata": [
                            "finalizers": ["example.com/guard"], "labels": ["tier": "front"],
                        ]
                    ])
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                let service = try scene.service("web")
                #expect(service["status", "conditions"]?.array?.contains(theirs) == true)
                #expect(try scene.condition(of: "web")?["status"] == "True")
                #expect(try scene.annotation("example.com/theirs", of: "web") == "stays")
                #expect(service["metadata", "finalizers"] == ["example.com/guard"])
                #expect(service["metadata", "labels", "tier"] == "front")
                // Deletion waits for the other's finalizer; the address is free at once.
                try scene.delete("web")
                try scene.create(
                    Sample.service("next", spec: ["loadBalancerIP": "192.0.2.10"]))
                try await scene.addresses(of: "next", become: ["192.0.2.10"])
                #expect(controller.leads)
            }
        }

        @Test("how full a pool is does not wait for slow writes, nor for Events that are refused")
        func poolStatusIsPrompt() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let controller = try await scene.beginLeading()
                scene.server.faults.add(
                    Fault(
                        .delay(milliseconds: 3000), user: Scene.account, verbs: ["patch"],
                        resource: "services/status"))
                scene.server.faults.add(
                    Fault(
                        .delay(milliseconds: 3000), user: Scene.account, resource: "events"))
                for number in 0..<20 { try scene.create(Sample.service("s\(number)")) }
                try await scene.eventually("the pool counts them") {
                    try scene.status(ofPool: "east")?["assignedIPv4"]?.integer ?? 0 > 0
                }
                #expect(try scene.allAddresses().isEmpty)
                try await scene.addressesAreGiven(toAll: 20)
                let counts = controller.source.tally
                let patches = counts.requests.filter { $0.key.verb == "patch" }
                #expect(patches.allSatisfy { $0.key.outcome == "ok" })
                #expect(patches.values.reduce(0, +) >= 20)
                #expect(counts.watches["services"] == 1)
                #expect(counts.updates >= 20)
                #expect(counts.unreadable == 0)
            }
        }

        @Test("a write that conflicts is made again, and no change of the other writer is lost")
        func conflicts() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try await scene.beginLeading()
                // Writes reach the server late, so that the other one is always faster.
                scene.server.faults.add(
                    Fault(
                        .delay(milliseconds: 40), user: Scene.account, verbs: ["patch"],
                        resource: "services/status", times: 60))
                for number in 0..<20 { try scene.create(Sample.service("s\(number)")) }
                for round in 0..<20 {
                    for number in 0..<20 {
                        try scene.change(
                            "s\(number)",
                            ["metadata": ["annotations": ["example.com/r\(round)": "kept"]]])
                    }
                    // Not proof of anything: the other writer's pace.
                    try await Task.sleep(for: .milliseconds(5))
                }
                // Whether or not the two met above, here they do.
                scene.server.faults.add(
                    Fault(
                        .answer(StatusError(409, "Conflict", "the object has been modified")),
                        user: Scene.account, verbs: ["patch"], resource: "services/status",
                        times: 3))
                for number in 20..<24 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 24)
                #expect(scene.writes().contains { $0.code == 409 })
                for number in 0..<20 {
                    let annotations = try scene.service("s\(number)")["metadata", "annotations"]
                    for round in 0..<20 {
                        #expect(annotations?["example.com/r\(round)"] == "kept")
                    }
                }
            }
        }

        @Test("a Service that was replaced by one of the same name gets an address of its own")
        func replaced() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("one", "192.0.2.10/32"))
                try scene.begin()
                for _ in 0..<10 {
                    try scene.create(Sample.service("web"))
                    try await scene.addresses(of: "web", become: ["192.0.2.10"])
                    try scene.delete("web")
                    try scene.create(Sample.service("web", spec: ["loadBalancerIP": ""]))
                    try await scene.addresses(of: "web", become: ["192.0.2.10"])
                    try scene.delete("web")
                }
            }
        }

        @Test("a server that asks for patience by 429 has it")
        func tooManyRequests() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try await scene.beginLeading()
                scene.server.faults.add(
                    Fault(
                        .tooManyRequests(retryAfter: 1), user: Scene.account, verbs: ["patch"],
                        resource: "services/status", times: 1))
                try scene.create(Sample.service("first"))
                try await scene.eventually("one write is refused") { !scene.writes().isEmpty }
                for number in 0..<10 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 11)
                let writes = scene.writes()
                let refused = try #require(writes.first { $0.code == 429 })
                let next = try #require(writes.first { $0.code == 200 })
                #expect(next.at - refused.at >= 1_000_000_000)
                #expect(writes.count { $0.code == 429 } == 1)
            }
        }

        @Test("errors of the server are outlived, and said once", arguments: [500, 503])
        func serverErrors(code: Int) async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let controller = try await scene.beginLeading()
                scene.server.faults.add(
                    Fault(
                        code == 500 ? .internalError : .unavailable, user: Scene.account,
                        verbs: ["patch"], resource: "services/status", times: 4))
                for number in 0..<5 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 5)
                let told = controller.lines.filter { $0.hasPrefix("error could not write status") }
                #expect(!told.isEmpty)
                #expect(told.count <= 4)
            }
        }

        @Test("an answer that is lost: the Service has one address, and keeps it")
        func lostAnswers() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try await scene.beginLeading()
                scene.server.faults.add(
                    Fault(
                        .loseAnswer, user: Scene.account, verbs: ["patch"],
                        resource: "services/status", times: 5))
                for number in 0..<10 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 10)
                try await scene.eventually("the pool's figures count them") {
                    try scene.status(ofPool: "east")?["assignedIPv4"] == 10
                }
            }
        }

        @Test("a server that is read-only for a while gets the writes when it is not any more")
        func readOnly() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let controller = try scene.begin()
                try scene.create(Sample.service("before"))
                try await scene.addresses(of: "before", become: ["192.0.2.0"])
                let handle = scene.server.faults.makeReadOnly()
                try scene.create(Sample.service("meanwhile"))
                try await scene.eventually("the log says why") {
                    controller.lines.contains {
                        $0.contains("could not write status")
                            && $0.contains("database space exceeded")
                    }
                }
                #expect(try scene.addresses(of: "before") == ["192.0.2.0"])
                scene.server.faults.remove(handle)
                try await scene.addresses(of: "meanwhile", become: ["192.0.2.1"])
            }
        }
    }
}
