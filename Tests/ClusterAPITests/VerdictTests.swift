import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// What the controller says of the configuration, and of what it cannot say.
    @Suite struct VerdictTests {
        private func verdict(_ scene: Scene) throws -> JSONValue? {
            try scene.server.cluster.get(
                "configurationstates", namespace: Scene.namespace, "controller")?["status"]
        }

        @Test("the controller says that the configuration is right, and that it is not")
        func verdicts() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                try scene.begin()
                try await scene.eventually("it is right") {
                    try verdict(scene)?["result"] == "Valid"
                }
                try scene.create(Sample.pool("twin", "192.0.2.15-192.0.2.30"))
                try await scene.eventually("two pools overlap") {
                    try verdict(scene)?["result"] == "Invalid"
                }
                let summary = try verdict(scene)?["errorSummary"]?.string ?? ""
                #expect(summary.contains("twin"), "it names who is at fault: \(summary)")
                try scene.delete(pool: "twin")
                try await scene.eventually("it is right again") {
                    try verdict(scene)?["result"] == "Valid"
                }
            }
        }

        @Test("Events that may not be written are named with what to allow")
        func forbiddenEvents() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.10-192.0.2.20"))
                scene.server.faults.add(
                    Fault(
                        .answer(StatusError(403, "Forbidden", "events are forbidden")),
                        user: Scene.account, resource: "events"))
                let controller = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.10"])
                try await scene.eventually("somebody says so") {
                    controller.problems.contains { $0.contains("allow the verbs create and patch") }
                }
                #expect(try scene.events(of: "web").isEmpty)
            }
        }
    }
}
