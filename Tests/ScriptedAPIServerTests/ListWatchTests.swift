import ScriptedAPIServer
import Testing

/// Lists and watches over HTTP.
@Suite struct ListWatchTests {
    @Test("pages are those of the first page's moment, whatever is written meanwhile")
    func pages() async throws {
        try await ServerClient.with { server, client async throws in
            for number in 0..<5 { try server.cluster.create(Sample.service("s\(number)")) }
            let first = try await client.get("\(Sample.services)?limit=2")
            #expect(first.names == ["s0", "s1"])
            try server.cluster.delete("services", "s3")
            try server.cluster.create(Sample.service("s9"))
            var token = first.body["metadata", "continue"]?.string ?? ""
            let second = try await client.get("\(Sample.services)?limit=2&continue=\(token)")
            #expect(second.names == ["s2", "s3"])
            #expect(second.version == first.version)
            token = second.body["metadata", "continue"]?.string ?? ""
            let third = try await client.get("\(Sample.services)?limit=2&continue=\(token)")
            #expect(third.names == ["s4"])
            #expect(third.body["metadata", "continue"] == nil)
        }
    }

    @Test("after a compaction a continue token and an old watch are answered with 410")
    func expired() async throws {
        try await ServerClient.with { server, client async throws in
            for number in 0..<3 { try server.cluster.create(Sample.service("s\(number)")) }
            let first = try await client.get("\(Sample.services)?limit=1")
            let token = first.body["metadata", "continue"]?.string ?? ""
            try server.cluster.create(Sample.service("t"))
            server.compact()
            let second = try await client.get("\(Sample.services)?limit=1&continue=\(token)")
            #expect(second.code == 410)
            #expect(second.body["reason"] == "Expired")
            let events = try await client.watch(
                "\(Sample.services)?watch=1&resourceVersion=\(first.version)", 2)
            #expect(events.count == 1)
            #expect(events.first?["type"] == "ERROR")
            #expect(events.first?["object", "code"] == 410)
        }
    }

    @Test("a watch resumes after its version, without loss and without repetition")
    func resume() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.create(Sample.service("a"))
            let list = try await client.get(Sample.services)
            try server.cluster.patch("services", "a", Sample.ingress, subresource: "status")
            let events = try await client.watch(
                "\(Sample.services)?watch=1&resourceVersion=\(list.version)", 3
            ) {
                try server.cluster.create(Sample.service("b"))
                try server.cluster.delete("services", "a")
            }
            #expect(events.map { $0["type"] } == ["MODIFIED", "ADDED", "DELETED"])
            let versions = events.compactMap { Int($0["object"]?.version ?? "") }
            #expect(versions == versions.sorted() && Set(versions).count == 3)
            #expect(events.last?["object"]?.name == "a")
        }
    }

    @Test("an object that enters or leaves a selector is added or deleted there")
    func selectorEdges() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.create(Sample.service("a"))
            let list = try await client.get("\(Sample.services)?labelSelector=tier%3Dweb")
            #expect(list.items.isEmpty)
            let events = try await client.watch(
                "\(Sample.services)?watch=1&labelSelector=tier%3Dweb&resourceVersion="
                    + list.version, 2
            ) {
                let label: JSONValue = ["metadata": ["labels": ["tier": "web"]]]
                try server.cluster.patch("services", "a", label)
                try server.cluster.patch(
                    "services", "a", ["metadata": ["labels": ["tier": "db"]]])
            }
            #expect(events.map { $0["type"] } == ["ADDED", "DELETED"])
        }
    }

    @Test("label and field selectors choose what a list has")
    func selectors() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.create(Sample.service("a", labels: ["x": "1"]))
            try server.cluster.create(Sample.service("b", labels: ["x": "2", "y": "1"]))
            var plain = Sample.service("c")
            plain["spec", "type"] = "ClusterIP"
            try server.cluster.create(plain)
            for (query, names) in [
                ("labelSelector=x", ["a", "b"]), ("labelSelector=x,!y", ["a"]),
                ("labelSelector=x%20in%20(2,3)", ["b"]),
                ("labelSelector=x%20notin%20(2)", ["a", "c"]),
                ("labelSelector=x!%3D1", ["b", "c"]),
                ("fieldSelector=spec.type%3DLoadBalancer", ["a", "b"]),
                ("fieldSelector=metadata.name%3Dc", ["c"]),
                ("fieldSelector=spec.type!%3DLoadBalancer", ["c"]),
            ] {
                #expect(try await client.get("\(Sample.services)?\(query)").names == names)
            }
            let unknown = try await client.get("\(Sample.services)?fieldSelector=spec.odd%3D1")
            #expect(unknown.code == 400)
            #expect(unknown.message == "field label not supported: spec.odd")
        }
    }

    @Test("a streaming list ends with a bookmark that says so, and goes on as a watch")
    func streamingList() async throws {
        try await ServerClient.with { server, client async throws in
            for number in 0..<3 { try server.cluster.create(Sample.service("s\(number)")) }
            let query =
                "watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
                + "&resourceVersionMatch=NotOlderThan"
            let events = try await client.watch("\(Sample.services)?\(query)", 5) {
                try server.cluster.create(Sample.service("late"))
            }
            #expect(
                events.map { $0["type"] } == ["ADDED", "ADDED", "ADDED", "BOOKMARK", "ADDED"])
            #expect(
                events[3]["object", "metadata", "annotations", "k8s.io/initial-events-end"]
                    == "true")
        }
    }

    @Test("a server without streaming lists refuses them with 422")
    func streamingListRefused() async throws {
        var settings = ServerSettings()
        settings.streamingLists = .refused
        try await ServerClient.with(settings) { _, client async throws in
            let answer = try await client.get(
                "\(Sample.services)?watch=1&sendInitialEvents=true&allowWatchBookmarks=true"
                    + "&resourceVersionMatch=NotOlderThan")
            #expect(answer.code == 422)
        }
    }

    @Test("bookmarks carry the version of the cluster to a watch that sees no events")
    func bookmarks() async throws {
        var settings = ServerSettings()
        settings.bookmarkMilliseconds = 20
        try await ServerClient.with(settings) { server, client async throws in
            let begin = server.cluster.revision
            // Five hundred at the most: ten seconds.
            let events = try await client.watch(
                "/api/v1/nodes?watch=1&allowWatchBookmarks=true&resourceVersion=\(begin)",
                until: {
                    $0.last?["object"]?.version == String(begin + 50) || $0.count == 500
                },
                whileOpen: { server.cluster.advance(by: 50) })
            #expect(events.allSatisfy { $0["type"] == "BOOKMARK" })
            #expect(server.cluster.revision == begin + 50)
            #expect(events.last?["object"]?.version == String(begin + 50))
        }
    }

    @Test("a watch ends in order when its time is over")
    func watchTimeout() async throws {
        try await ServerClient.with { server, client async throws in
            let events = try await client.watch(
                "\(Sample.services)?watch=1&timeoutSeconds=1&resourceVersion="
                    + String(server.cluster.revision), 10)
            #expect(events.isEmpty)
            #expect(server.cluster.watches() == 0)
        }
    }

    @Test("a version that is not there yet is a time-out with a cause that says so")
    func futureVersion() async throws {
        try await ServerClient.with { _, client async throws in
            let answer = try await client.get(
                "\(Sample.services)?resourceVersion=999999&resourceVersionMatch=NotOlderThan")
            #expect(answer.code == 504)
            #expect(
                answer.body["details", "causes"]?[0]?["reason"] == "ResourceVersionTooLarge")
        }
    }

    @Test("items of built-in lists bear no kind, those of custom ones do")
    func itemKinds() async throws {
        try await ServerClient.with { server, client async throws in
            try server.cluster.apply(yaml: Sample.widgets)
            try server.cluster.create(Sample.service("a"))
            try server.cluster.create(Sample.widget("w"))
            let services = try await client.get(Sample.services)
            #expect(services.items.first?["kind"] == nil)
            #expect(services.body["kind"] == "ServiceList")
            let widgets = try await client.get("/apis/example.org/v1/widgets")
            #expect(widgets.items.first?["kind"] == "Widget")
        }
    }
}
