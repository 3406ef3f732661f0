import ClusterSource
import Foundation
import Kubernetes
import NetworkTypes
import Testing

@Suite struct StateFolderTests {
    private func allocation(_ addresses: String...) throws -> ServiceAllocation {
        ServiceAllocation(
            addresses: try addresses.map { try #require(IPAddress($0)) }, pool: "lan")
    }

    @Test func anAllocationOutlivesTheProcess() async throws {
        let scratch = try Scratch()
        try scratch.write(service("web"), to: "manifests/web.yaml")
        let given = try allocation("192.0.2.10", "2001:db8::10")
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("web"), given)])
            // Whoever was told that it is written finds it in the present state.
            let state = try await source.state { _ in true }
            #expect(state.ingress(of: "web") == ["192.0.2.10", "2001:db8::10"])
        }
        try await withSource(scratch) { source in
            let state = try await source.state { _ in true }
            #expect(state.ingress(of: "web") == ["192.0.2.10", "2001:db8::10"])
            #expect(state.allocations[name("web")]?.pool == "lan")
            #expect(state.allocations[name("web")]?.since != nil)
        }
    }

    @Test func theFileIsReadableJSONInOrderOfName() async throws {
        let scratch = try Scratch()
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([
                .allocation(name("b"), try allocation("192.0.2.2")),
                .allocation(name("a"), try allocation("192.0.2.1")),
            ])
        }
        let text = try scratch.read("state/allocations.json")
        let json = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        let services = json?["services"] as? [String: [String: Any]]
        #expect(services?["default/a"]?["addresses"] as? [String] == ["192.0.2.1"])
        let a = try #require(text.range(of: "default/a"))
        let b = try #require(text.range(of: "default/b"))
        #expect(a.lowerBound < b.lowerBound)
    }

    @Test func anIngressInTheManifestCountsOnlyUntilSomethingIsRecorded() async throws {
        let scratch = try Scratch()
        try scratch.write(service("web", ingress: "192.0.2.99"), to: "manifests/web.yaml")
        try await withSource(scratch) { source in
            let before = try await source.state { $0.isLeader }
            #expect(before.ingress(of: "web") == ["192.0.2.99"])
            try await source.write([.allocation(name("web"), try allocation("192.0.2.10"))])
            try await source.state { $0.ingress(of: "web") == ["192.0.2.10"] }
            // Taking the address away must not bring the one of the manifest back.
            try await source.write([.allocation(name("web"), nil)])
            let after = try await source.state { _ in true }
            #expect(after.ingress(of: "web") == [])
        }
    }

    @Test func aServiceThatIsGoneKeepsItsRecordUntilItIsCleared() async throws {
        let scratch = try Scratch()
        try scratch.write(service("web"), to: "manifests/web.yaml")
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("web"), try allocation("192.0.2.10"))])
            try scratch.remove("manifests/web.yaml")
            let gone = try await source.state { $0.services == [] }
            #expect(gone.allocations[name("web")]?.addresses.count == 1)
            try await source.write([.allocation(name("web"), nil)])
            try await source.state { $0.allocations.isEmpty }
        }
    }

    @Test func conditionsFiguresAndEventsAreKept() async throws {
        let scratch = try Scratch()
        try scratch.write(service("web"), to: "manifests/web.yaml")
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([
                .condition(
                    name("web"),
                    StatusCondition(
                        type: "AddressAssigned", status: false, reason: "PoolExhausted",
                        message: "pool lan has no free address")),
                .pool("lan", PoolFigures(assignedIPv4: 4)),
                .event(
                    ClusterEvent(
                        service: name("web"), severity: .warning, reason: "AllocationFailed",
                        message: "pool lan has no free address")),
            ])
        }
        let state = try FolderSource.read(manifests: scratch.manifests, state: scratch.state)
        #expect(state.status.conditions[name("web")]?.first?.reason == "PoolExhausted")
        #expect(state.status.pools["lan"]?.assignedIPv4 == 4)
        #expect(state.status.events.first?.message == "pool lan has no free address")
        #expect(state.status.events.first?.at != nil)
    }

    @Test func theYoungestEventsAreKept() async throws {
        let scratch = try Scratch()
        try await withSource(scratch, state: false) { source in
            for number in 1...300 {
                try await source.write([
                    .event(
                        ClusterEvent(
                            service: name("web"), severity: .normal, reason: "Test",
                            message: "\(number)"))
                ])
            }
            try scratch.write(service("web"), to: "manifests/web.yaml")
            let state = try await source.state { $0.services == ["web"] }
            #expect(state.status.events.count == ClusterStatus.eventLimit)
            #expect(state.status.events.last?.message == "300")
        }
    }

    @Test func tenThousandAllocationsAreOneWrite() async throws {
        let scratch = try Scratch()
        let updates = (0..<10_000).map { number in
            StatusUpdate.allocation(
                name("service-\(number)"),
                ServiceAllocation(
                    addresses: [IPAddress(ipv4: 0xc612_0000 + UInt32(number))], pool: "lan"))
        }
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write(updates)
        }
        #expect(try scratch.read("state/allocations.json").contains("\"generation\": 1,"))
        let state = try FolderSource.read(manifests: scratch.manifests, state: scratch.state)
        #expect(state.allocations.count == 10_000)
        #expect(
            state.allocations[name("service-9999")]?.addresses == [
                IPAddress(ipv4: 0xc612_0000 + 9999)
            ])
    }

    @Test func withoutAStateFolderAllocationsAreKeptInMemoryAndTheSourceSaysSo() async throws {
        let scratch = try Scratch()
        try scratch.write(service("web"), to: "manifests/web.yaml")
        try await withSource(scratch, state: false) { source in
            #expect(!source.keepsAllocations)
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("web"), try allocation("192.0.2.10"))])
            try await source.state { $0.ingress(of: "web") == ["192.0.2.10"] }
            let record = SpeakerRecord(node: "node-a")
            try await source.publish(record)
            try await source.state { $0.speakers == ["node-a": record] }
        }
    }

    @Test func aSourceThatHasEndedRefusesWrites() async throws {
        let scratch = try Scratch()
        let source = try FolderSource(
            settings: .init(manifests: scratch.manifests, state: nil, node: "node-a"),
            logger: quiet)
        let running = Task { try await source.run() }
        try await source.state { _ in true }
        running.cancel()
        try await running.value
        await #expect(throws: SourceError.stopped) { try await source.write([]) }
        var states = source.states().makeAsyncIterator()
        #expect(await states.next() != nil)
        #expect(await states.next() == nil)
    }

    @Test func speakersReadEachOthersRecords() async throws {
        let scratch = try Scratch()
        let prefix = try #require(Prefix("192.0.2.0/24"))
        let address = try #require(IPAddress("2001:db8::10"))
        let record = SpeakerRecord(
            node: "node-a",
            interfaces: [
                .init(
                    name: "eth0", mac: MACAddress(bits: 0x0200_0000_0001), prefixes: [prefix],
                    isUsable: true)
            ], claims: [address: 7])
        try await withSource(scratch, node: "node-a") { first in
            try await withSource(scratch, node: "node-b") { second in
                try await second.state { _ in true }
                try await first.publish(record)
                try await second.state { $0.speakers["node-a"] == record }
                try await second.publish(SpeakerRecord(node: "node-b"))
                try await first.state { $0.speakers.count == 2 }
                try await first.publish(nil)
                try await second.state { $0.speakers.keys.sorted() == ["node-b"] }
            }
        }
    }

    @Test func theClaimsOfASpeakerOutliveIt() async throws {
        let scratch = try Scratch()
        let address = try #require(IPAddress("192.0.2.10"))
        let record = SpeakerRecord(node: "node-a", claims: [address: 3])
        try await withSource(scratch, node: "node-a") { try await $0.publish(record) }
        try await withSource(scratch, node: "node-b") { source in
            let state = try await source.state { _ in true }
            #expect(state.speakers == ["node-a": record])
        }
    }

    @Test func twoProcessesForOneNodeDoNotWriteOneRecord() async throws {
        let scratch = try Scratch()
        let address = try #require(IPAddress("192.0.2.10"))
        try await withSource(scratch, node: "node-b") { reader in
            try await withSource(scratch) { first in
                try await first.publish(SpeakerRecord(node: "node-a"))
                try await withSource(scratch) { second in
                    let younger = SpeakerRecord(node: "node-a", claims: [address: 1])
                    await #expect(throws: SourceError.self) { try await second.publish(younger) }
                    let state = try await second.state { _ in true }
                    #expect(state.speakers["node-a"]?.claims == [:])
                    // The first one gives the node up, and the record that waited is published.
                    try await first.publish(nil)
                    try await reader.state { $0.speakers["node-a"] == younger }
                }
            }
        }
    }

    @Test(arguments: ["", "..", "../x", "Node", "a/b", ".hidden", "a b"])
    func aNodeNameThatIsNoneIsRefused(node: String) async throws {
        let scratch = try Scratch()
        try await withSource(scratch) { source in
            await #expect(throws: SourceError.invalidNode(node)) {
                try await source.publish(SpeakerRecord(node: node))
            }
        }
    }
}
