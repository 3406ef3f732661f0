import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// What a controller does before it knows everything: nothing.
    @Suite struct StartTests {
        @Test(
            "nothing is assigned before every page of 1,200 Services has been read",
            arguments: [ServerSettings.StreamingLists.refused, .ignored, .served])
        func readsFirst(lists: ServerSettings.StreamingLists) async throws {
            var settings = ServerSettings()
            settings.streamingLists = lists
            // Where lists are streams there are no pages, and a part of the Services will do.
            let count = lists == .refused ? 1200 : 120
            try await Scene.play(settings) { scene in
                try scene.create(Sample.pool("large", "198.19.0.0-198.19.7.255"))
                for number in 0..<count { try scene.create(Sample.service("s\(number)")) }
                // The last in every order has the address that the first would be given.
                try scene.create(
                    Sample.service(
                        "zzz", annotations: ["metallb.io/ip-allocated-from-pool": "large"]))
                try scene.change(
                    "zzz", ["status": ["loadBalancer": ["ingress": [["ip": "198.19.0.0"]]]]],
                    subresource: "status")
                scene.server.faults.add(
                    Fault(.delay(milliseconds: 100), verbs: ["list"], resource: "services"))
                try scene.begin(requestsPerSecond: 5000)
                try await scene.addressesAreGiven(toAll: count + 1)
                #expect(try scene.addresses(of: "zzz") == ["198.19.0.0"])
                let first = try #require(scene.writes().first)
                let reads = scene.server.requests.all().filter {
                    $0.resource == "services" && $0.number < first.number
                }
                if lists != .served {
                    let pages = reads.filter { $0.verb == "list" && $0.query("limit") == "500" }
                    #expect(pages.count >= count / 500 + 1)
                }
                #expect(reads.contains { $0.verb == "watch" })
            }
        }

        @Test("a controller that is restarted changes nothing and writes nothing")
        func restart() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let first = try scene.begin()
                for number in 0..<20 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 20)
                // A hole that a fresh start could fill differently.
                try scene.delete("s3")
                try await scene.eventually("the pool's figures count them") {
                    try scene.status(ofPool: "east")?["assignedIPv4"] == 19
                }
                let before = try scene.allAddresses()
                await first.stop()
                let number = scene.server.requests.total
                let second = try scene.begin()
                try await scene.eventually("the second leads") { second.leads }
                try scene.create(Sample.service("new"))
                try await scene.eventually("the new one is served") {
                    try !scene.addresses(of: "new").isEmpty
                }
                var after = try scene.allAddresses()
                after["new"] = nil
                #expect(after == before)
                #expect(Set(scene.writes(after: number).map(\.name)) == ["new"])
            }
        }
    }
}
