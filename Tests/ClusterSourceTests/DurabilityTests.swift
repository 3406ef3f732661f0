import ClusterSource
import Foundation
import Kubernetes
import LinuxNetwork
import NetworkTypes
import Testing

/// In CI no test is passed over for want of root.
private let mustRun = ProcessInfo.processInfo.environment["CI"] != nil

@Suite struct DurabilityTests {
    private func allocation(_ last: UInt32) -> ServiceAllocation {
        ServiceAllocation(addresses: [IPAddress(ipv4: 0xc000_0200 + last)], pool: "lan")
    }

    /// A state folder with one write, and another after it.
    private func twoWrites(_ scratch: Scratch) async throws {
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("a"), allocation(1))])
            try await source.write([.allocation(name("b"), allocation(2))])
        }
    }

    private func look(_ scratch: Scratch) throws -> ClusterState {
        try FolderSource.read(manifests: scratch.manifests, state: scratch.state)
    }

    @Test func aKillInTheMiddleOfAWriteLeavesTheOldState() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        let next = Array(
            try scratch.read("state/allocations.json")
                .replacing("192.0.2.2", with: "192.0.2.3").utf8)
        for length in 0...next.count {
            // What a process leaves behind that dies after so many bytes.
            try Data(next[..<length]).write(
                to: URL(fileURLWithPath: scratch.state + "/allocations.json.new"))
            let state = try look(scratch)
            #expect(state.allocations[name("b")]?.addresses == allocation(2).addresses)
            #expect(state.snapshot.problems == [])
            // Other tests watch the clock, and threads are few.
            await Task.yield()
        }
        // Nor does the remainder stand in the way of the next process.
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("b"), allocation(3))])
        }
        #expect(try look(scratch).allocations[name("b")]?.addresses == allocation(3).addresses)
    }

    @Test func aFileCutShortAnywhereIsNoticedAndThePreviousVersionTaken() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        let path = scratch.state + "/allocations.json"
        let whole = Array(try scratch.read("state/allocations.json").utf8)
        // The last byte is a newline, without which the file is still whole.
        for length in 0..<(whole.count - 2) {
            try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
            let state = try look(scratch)
            #expect(state.allocations[name("a")]?.addresses == allocation(1).addresses)
            #expect(state.snapshot.problems.contains { $0.file == path })
            await Task.yield()
        }
    }

    @Test func twoAddressesOfOneFamilyAreDamage() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        let text = try scratch.read("state/allocations.json")
        try scratch.write(
            text.replacing("\"192.0.2.2\"", with: "\"192.0.2.2\", \"192.0.2.2\""),
            to: "state/allocations.json")
        let state = try look(scratch)
        #expect(state.snapshot.problems.contains { $0.rule.contains("more than one address") })
        #expect(state.allocations[name("a")]?.addresses == allocation(1).addresses)
    }

    @Test func allocationsThatNobodyCanReadAreNotTakenForNone() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        #expect(try look(scratch).isComplete)
        try scratch.write("{", to: "state/allocations.json")
        #expect(try look(scratch).isComplete)
        try scratch.write("{", to: "state/allocations.json.previous")
        #expect(try !look(scratch).isComplete)
    }

    @Test func aLeaderThatStartsOnADamagedFileKeepsItForPeopleAndGoesOn() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        try scratch.write("{\"format\": \"martlet", to: "state/allocations.json")
        try await withSource(scratch) { source in
            let state = try await source.state { $0.isLeader }
            #expect(state.allocations[name("a")]?.addresses == allocation(1).addresses)
        }
        #expect(try scratch.read("state/allocations.json.damaged") == "{\"format\": \"martlet")
        #expect(try look(scratch).allocations[name("a")]?.addresses == allocation(1).addresses)
    }

    @Test func withoutAnyGoodVersionNobodyAllocatesUntilTheFileIsRepaired() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        let good = try scratch.read("state/allocations.json")
        try scratch.write("nonsense", to: "state/allocations.json")
        try scratch.write("nonsense", to: "state/allocations.json.previous")
        try await withSource(scratch) { source in
            let state = try await source.state { _ in true }
            #expect(!state.isLeader)
            #expect(!state.snapshot.problems.isEmpty)
            await #expect(throws: SourceError.self) {
                try await source.write([.allocation(name("a"), nil)])
            }
            #expect(try scratch.read("state/allocations.json") == "nonsense")
            try scratch.write(good, to: "state/allocations.json")
            let repaired = try await source.state { $0.isLeader }
            #expect(repaired.allocations[name("b")]?.addresses == allocation(2).addresses)
        }
    }

    @Test func aFileByALaterVersionIsNeverOverwritten() async throws {
        let scratch = try Scratch()
        try await twoWrites(scratch)
        let later = try scratch.read("state/allocations.json")
            .replacing("\"version\": 1", with: "\"version\": 2")
        try scratch.write(later, to: "state/allocations.json")
        try await withSource(scratch) { source in
            let state = try await source.state { _ in true }
            #expect(!state.isLeader)
            #expect(state.snapshot.problems.contains { $0.rule.contains("later Martlet") })
        }
        #expect(try scratch.read("state/allocations.json") == later)
    }

    @Test func aRunningLeaderDoesNotFollowASomebodyElsesEdit() async throws {
        let scratch = try Scratch()
        try scratch.write(service("a"), to: "manifests/a.yaml")
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("a"), allocation(1))])
            let foreign = try scratch.read("state/allocations.json")
                .replacing("192.0.2.1", with: "192.0.2.66")
            try scratch.write(foreign, to: "state/allocations.json")
            // The next write comes after the notice of the edit.
            try await source.write([.allocation(name("b"), allocation(2))])
            let state = try await source.state { _ in true }
            #expect(state.ingress(of: "a") == ["192.0.2.1"])
        }
        #expect(try look(scratch).allocations[name("a")]?.addresses == allocation(1).addresses)
    }

    @Test(.enabled(if: getuid() == 0 || mustRun, "mounting a small file system takes root"))
    func aFullDiskLosesNothingThatWasGiven() async throws {
        let scratch = try Scratch()
        try scratch.makeFolder("state")
        try run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", scratch.state)
        defer { #expect(throws: Never.self) { try run("umount", "-l", scratch.state) } }
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("a"), allocation(1))])
            let many = (0..<5000).map {
                StatusUpdate.allocation(name("service-\($0)"), allocation(UInt32($0 % 200)))
            }
            let error = await #expect(throws: SourceError.self) { try await source.write(many) }
            #expect(error.map { "\($0)" }?.contains("No space left on device") == true)
            let state = try await source.state { _ in true }
            #expect(state.allocations.keys.sorted() == [name("a")])
            #expect(!state.snapshot.problems.isEmpty)
            #expect(try look(scratch).allocations.keys.sorted() == [name("a")])
            // What fits is still written, and the trouble is over.
            try await source.write([.allocation(name("b"), allocation(2))])
            let after = try await source.state { $0.snapshot.problems.isEmpty }
            #expect(after.allocations.count == 2)
        }
    }

    private func run(_ command: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(command.joined(separator: " "))")
    }
}
