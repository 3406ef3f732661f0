import ClusterSource
import Kubernetes
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// Watches and lists that go wrong: in the end what is known is what is so.
    @Suite struct WatchFaultTests {
        /// What goes wrong with watches of Services.
        enum Trouble: String, Sendable, CaseIterable {
            case expired = "410"
            case dropped
            case halfALine = "half a line"
            case duplicated
            case stale = "stale events"
            case garbage
            case forgotten = "compaction"

            var action: FaultAction? {
                switch self {
                case .expired: .expired
                case .dropped: .drop
                case .halfALine: .cut(afterBytes: 900)
                case .duplicated: .duplicateEvents
                case .stale: .repeatOlderEvents
                case .garbage: .garbage
                case .forgotten: nil
                }
            }

            /// Whether a watch goes on in spite of it.
            var isLasting: Bool { self == .duplicated || self == .stale }
        }

        @Test(
            "Services come, change and go while watches are troubled", arguments: Trouble.allCases)
        func watches(trouble: Trouble) async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0-192.0.2.29"))
                try scene.begin()
                for number in 0..<10 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 10)
                if let action = trouble.action {
                    scene.server.faults.add(
                        Fault(
                            action, verbs: ["watch"], resource: "services",
                            times: trouble.isLasting ? nil : 2))
                }
                for wave in 1...2 {
                    if trouble == .forgotten {
                        scene.server.compact()
                    } else {
                        scene.server.dropConnections()
                    }
                    let first = wave * 10
                    for number in first..<first + 10 {
                        try scene.create(Sample.service("s\(number)"))
                    }
                    for number in first - 10..<first - 5 {
                        try scene.delete("s\(number)")
                    }
                    try await scene.addressesAreGiven(toAll: 10 + wave * 5)
                }
                // All that was given back can be given again.
                for number in 30..<40 { try scene.create(Sample.service("s\(number)")) }
                try await scene.addressesAreGiven(toAll: 30)
            }
        }

        @Test("a server that lags serves an old list: what is known since stays known")
        func staleLists() async throws {
            var settings = ServerSettings()
            settings.streamingLists = .refused
            try await Scene.play(settings) { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                let controller = try scene.begin()
                try scene.create(Sample.service("gone"))
                try await scene.addresses(of: "gone", become: ["192.0.2.0"])
                let past = scene.server.cluster.revision
                try scene.delete("gone")
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
                try scene.create(Sample.service("other"))
                try await scene.addresses(of: "other", become: ["192.0.2.1"])
                let number = scene.server.requests.total
                scene.server.faults.add(
                    Fault(
                        .stale(revision: past), verbs: ["list"], resource: "services", times: 1))
                scene.server.faults.add(
                    Fault(.expired, verbs: ["watch"], resource: "services", times: 1))
                scene.server.dropConnections()
                try await scene.eventually("the true list is read as well") {
                    scene.server.requests.all(after: number).count {
                        $0.resource == "services" && $0.verb == "list" && $0.code == 200
                    } >= 2
                }
                try scene.create(Sample.service("late"))
                try await scene.addresses(of: "late", become: ["192.0.2.2"])
                #expect(Set(scene.writes(after: number).map(\.name)) == ["late"])
                #expect(controller.state?.snapshot.services.count == 3)
            }
        }

        @Test("a list in pages whose continuation has expired is begun anew")
        func expiredPages() async throws {
            var settings = ServerSettings()
            settings.streamingLists = .refused
            try await Scene.play(settings) { scene in
                try scene.create(Sample.pool("large", "198.51.100.0/22"))
                for number in 0..<600 { try scene.create(Sample.service("s\(number)")) }
                scene.server.faults.add(
                    Fault(.expired, verbs: ["list"], resource: "services", times: 1, after: 1))
                try scene.begin(requestsPerSecond: 5000)
                try await scene.addressesAreGiven(toAll: 600)
            }
        }
    }
}
