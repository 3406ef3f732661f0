import ClusterSource
import Foundation
import Kubernetes
import NetworkTypes
import Testing

/// Serialized: these measure time, or hold locks from other processes.
@Suite(.serialized) struct LeadershipTests {
    private let given = ServiceAllocation(addresses: [IPAddress(ipv4: 0xc000_020a)], pool: "lan")

    /// A process that holds the allocator's lock until it is killed.
    private func startHolder(_ scratch: Scratch) throws -> Process {
        try scratch.makeFolder("state")
        let holder = Process()
        let output = Pipe()
        holder.executableURL = URL(fileURLWithPath: "/bin/sh")
        holder.arguments = [
            "-c", "exec 9>>\"$0\"; flock 9; echo held; exec sleep 60",
            scratch.state + "/allocator.lock",
        ]
        holder.standardOutput = output
        try holder.run()
        #expect(output.fileHandleForReading.availableData == Data("held\n".utf8))
        return holder
    }

    @Test func ofTwoProcessesOneLeadsAndTheOtherFollowsWhatItWrites() async throws {
        let scratch = try Scratch()
        try scratch.write(service("web"), to: "manifests/web.yaml")
        try await withSource(scratch, node: "node-a") { leader in
            try await leader.state { $0.isLeader }
            try await withSource(scratch, node: "node-b") { follower in
                let before = try await follower.state { _ in true }
                #expect(!before.isLeader)
                try await leader.write([.allocation(name("web"), given)])
                try await follower.state { $0.ingress(of: "web") == ["192.0.2.10"] }
                let error = await #expect(throws: SourceError.self) {
                    try await follower.write([.allocation(name("web"), nil)])
                }
                #expect(error.map { "\($0)" }?.contains("node-a, process") == true)
            }
        }
    }

    @Test func aFollowerTakesOverWhatTheLeaderWroteWhenItEnds() async throws {
        let scratch = try Scratch()
        let first = try FolderSource(
            settings: .init(manifests: scratch.manifests, state: scratch.state, node: "node-a"),
            logger: quiet)
        let running = Task { try await first.run() }
        try await first.state { $0.isLeader }
        try await withSource(scratch, node: "node-b") { second in
            try await second.state { !$0.isLeader }
            try await first.write([.allocation(name("web"), given)])
            running.cancel()
            try await running.value
            let state = try await second.state { $0.isLeader }
            #expect(state.allocations[name("web")]?.addresses == given.addresses)
            try await second.write([.allocation(name("web"), nil)])
        }
    }

    @Test func aKilledLeaderIsReplacedWithinAHundredMilliseconds() async throws {
        var best = Duration.seconds(60)
        for _ in 0..<5 {
            let scratch = try Scratch()
            let holder = try startHolder(scratch)
            try await withSource(scratch) { source in
                try await source.state { !$0.isLeader }
                let start = ContinuousClock.now
                kill(holder.processIdentifier, SIGKILL)
                try await source.state { $0.isLeader }
                best = min(best, ContinuousClock.now - start)
            }
            holder.waitUntilExit()
        }
        // The best of five: a busy machine may delay any one of them.
        #expect(best < .seconds(2))
    }

    @Test func aProcessThatDoesNotContendNeverLeads() async throws {
        let scratch = try Scratch()
        try await withSource(scratch, node: "node-a", contends: false) { speaker in
            let alone = try await speaker.state { _ in true }
            #expect(!alone.isLeader)
            try await withSource(scratch, node: "node-b") { controller in
                try await controller.state { $0.isLeader }
                try await controller.write([.allocation(name("web"), given)])
                let state = try await speaker.state { !$0.allocations.isEmpty }
                #expect(!state.isLeader)
            }
        }
    }

    @Test func aLockFileThatIsDeletedCostsTheLeadershipUntilItIsMadeAnew() async throws {
        let scratch = try Scratch()
        try await withSource(scratch, node: "node-a") { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("web"), given)])
            try scratch.remove("state/allocator.lock")
            try await source.state {
                $0.isLeader
                    && FileManager.default.fileExists(atPath: scratch.state + "/allocator.lock")
            }
            let rival = Process()
            rival.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
            rival.arguments = ["-n", scratch.state + "/allocator.lock", "true"]
            try rival.run()
            rival.waitUntilExit()
            #expect(rival.terminationStatus != 0)
        }
    }

    @Test func aStateFolderThatIsTakenAwayIsWrittenAnew() async throws {
        let scratch = try Scratch()
        try await withSource(scratch) { source in
            try await source.state { $0.isLeader }
            try await source.write([.allocation(name("web"), given)])
            try scratch.move("state", to: "elsewhere")
            let path = scratch.state + "/allocations.json"
            for _ in 0..<200 where !FileManager.default.fileExists(atPath: path) {
                try await Task.sleep(for: .milliseconds(50))
            }
            let state = try FolderSource.read(manifests: scratch.manifests, state: scratch.state)
            #expect(state.allocations[name("web")]?.addresses == given.addresses)
        }
    }
}
