import ScriptedAPIServer
import Testing

/// What goes wrong on demand, and nothing else with it.
@Suite struct FaultTests {
    @Test("a fault concerns the requests it names, as often as it says")
    func scope() async throws {
        try await ServerClient.with { server, client async throws in
            server.faults.add(
                Fault(
                    .tooManyRequests(retryAfter: 7), verbs: ["list"], resource: "services",
                    times: 1))
            #expect(try await client.get("/api/v1/nodes").code == 200)
            let refused = try await client.get("/api/v1/services")
            #expect(refused.code == 429)
            #expect(refused.headers.contains { $0 == ("retry-after", "7") })
            #expect(refused.body["details", "retryAfterSeconds"] == 7)
            #expect(try await client.get("/api/v1/services").code == 200)
        }
    }

    @Test("a server that is read-only serves reads and refuses writes")
    func readOnly() async throws {
        try await ServerClient.with { server, client async throws in
            let handle = server.faults.makeReadOnly()
            #expect(try await client.get("/api/v1/services").code == 200)
            #expect(
                try await client.send("POST", Sample.services, Sample.service("a")).code == 500)
            server.faults.remove(handle)
            #expect(
                try await client.send("POST", Sample.services, Sample.service("a")).code == 201)
        }
    }

    @Test("an answer that is cut is an error for the client, and what was written stays")
    func cutAndLost() async throws {
        try await ServerClient.with { server, client async throws in
            server.faults.add(Fault(.cut(afterBytes: 20), verbs: ["list"], times: 1))
            await #expect(throws: (any Error).self) {
                try await client.get("/api/v1/services")
            }
            server.faults.add(Fault(.loseAnswer, verbs: ["create"], times: 1))
            await #expect(throws: (any Error).self) {
                try await client.send("POST", Sample.services, Sample.service("a"))
            }
            #expect(try server.cluster.get("services", "a") != nil)
        }
    }

    @Test("a watch that is cut ends in the middle of a line")
    func cutWatch() async throws {
        try await ServerClient.with { server, client async throws in
            for number in 0..<3 { try server.cluster.create(Sample.service("s\(number)")) }
            server.faults.add(Fault(.cut(afterBytes: 1500), verbs: ["watch"], times: 1))
            await #expect(throws: (any Error).self) {
                try await client.watch("\(Sample.services)?watch=1", 10)
            }
            #expect(try await client.watch("\(Sample.services)?watch=1", 3).count == 3)
        }
    }

    @Test("events come twice, or an older one after a newer one")
    func repeatedEvents() async throws {
        try await ServerClient.with { server, client async throws in
            func events(_ action: FaultAction, _ count: Int) async throws -> [String] {
                server.faults.removeAll()
                server.faults.add(Fault(action, verbs: ["watch"]))
                let from = server.cluster.revision
                let events = try await client.watch(
                    "\(Sample.services)?watch=1&resourceVersion=\(from)", count
                ) {
                    for number in 0..<2 {
                        try server.cluster.create(
                            Sample.service("\(action)".prefix(3).lowercased() + "\(number)"))
                    }
                }
                return events.map { $0["object"]?.name ?? "" }
            }
            #expect(try await events(.duplicateEvents, 4) == ["dup0", "dup0", "dup1", "dup1"])
            #expect(try await events(.repeatOlderEvents, 3) == ["rep0", "rep1", "rep0"])
        }
    }

    @Test("a lagging server lists the past")
    func staleLists() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.create(Sample.service("a"))
            let before = server.cluster.revision
            try server.cluster.create(Sample.service("b"))
            server.faults.add(Fault(.stale(revision: before), verbs: ["list"], times: 1))
            let stale = try await client.get(Sample.services)
            #expect(stale.names == ["a"])
            #expect(stale.version == String(before))
            #expect(try await client.get(Sample.services).names == ["a", "b"])
        }
    }

    @Test("a partition holds one user's watch and requests back and nobody else's")
    func partition() async throws {
        let other = ServerUser(name: "other", groups: ["system:masters"])
        try await ServerClient.with { server, client async throws in
            var cut = client
            cut.token = server.tokens.issue(to: other)
            let events = try await cut.watch(
                "\(Sample.services)?watch=1&resourceVersion=\(server.cluster.revision)", 1
            ) {
                server.faults.partition("other")
                try server.cluster.create(Sample.service("a"))
                await #expect(throws: (any Error).self) {
                    var impatient = client
                    impatient.token = server.tokens.issue(to: other)
                    try await impatient.send("GET", "/api/v1/nodes", within: 1)
                }
                #expect(try await client.get("/api/v1/nodes").code == 200)
                server.faults.heal("other")
            }
            #expect(events.map { $0["object"]?.name } == ["a"])
        }
    }

    @Test("dropped connections end watches; a server that stops comes back where it was")
    func stopAndStart() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.create(Sample.service("a"))
            await #expect(throws: (any Error).self) {
                try await client.watch("\(Sample.services)?watch=1", 10) {
                    server.dropConnections()
                }
            }
            let port = server.port
            try await server.stop()
            await #expect(throws: (any Error).self) { try await client.get("/api/v1/nodes") }
            try await server.start()
            #expect(server.port == port)
            #expect(try await client.get(Sample.services).names == ["a"])
        }
    }
}
