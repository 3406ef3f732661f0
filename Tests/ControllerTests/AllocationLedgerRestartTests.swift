import Kubernetes
import LoadBalancing
import NetworkTypes
import Testing

@testable import ClusterSource
@testable import Controller

@Suite("What stays through restarts and edits")
struct AllocationLedgerRestartTests {
    private let pool = IPAddressPool("main", "192.0.2.10-192.0.2.13")

    @Test("a restart moves nobody: Services that have an address are read before others get one")
    func restart() throws {
        var world = World(pool)
        world.add(Service("z"))
        try world.round()
        world.restart()
        world.add(Service("a"))
        #expect(try world.round().map(\.service.name) == ["a"])
        #expect(world.recorded("z") == ["192.0.2.10"])
        #expect(world.recorded("a") == ["192.0.2.11"])
    }

    @Test("a waiting Service is told about once, not again after each restart")
    func waitingIsToldOnce() throws {
        var world = World()
        world.add(Service("web"))
        #expect(try world.round().map(\.reason) == ["AllocationFailed"])
        world.restart()
        #expect(try world.round().isEmpty)
    }

    @Test("pools renamed, split, merged and grown: nobody moves")
    func poolEdits() throws {
        var world = World(pool)
        for name in ["a", "b", "c"] { world.add(Service(name)) }
        try world.round()
        let before = world.table.allocations.mapValues(\.addresses)
        let edits: [[IPAddressPool]] = [
            [IPAddressPool("renamed", "192.0.2.10-192.0.2.13")],
            [IPAddressPool("x", "192.0.2.10-192.0.2.11"), IPAddressPool("y", "192.0.2.12/31")],
            [IPAddressPool("all", "192.0.2.0/24")],
        ]
        for pools in edits {
            world.set(pools)
            #expect(try world.round().isEmpty)
            #expect(world.table.allocations.mapValues(\.addresses) == before)
        }
        #expect(world.table.allocations.values.allSatisfy { $0.pool == "all" })
    }

    @Test("who must move is told so, with the cause; who loses its address without another, too")
    func stranded() throws {
        var world = World(pool)
        world.add(Service("web"))
        try world.round()
        world.set([IPAddressPool("other", "198.51.100.8/32")])
        let moved = try world.round()
        #expect(moved.map(\.reason) == ["AddressMoved"])
        #expect(moved.first?.message.contains("192.0.2.10") == true)
        #expect(world.recorded("web") == ["198.51.100.8"])
        world.set([])
        let lost = try world.round()
        #expect(lost.map(\.reason) == ["AddressLost"])
        #expect(lost.first?.message.contains("198.51.100.8") == true)
        #expect(world.recorded("web").isEmpty)
        #expect(world.condition("web")?.status == false)
    }

    @Test("in a state that is not complete a missing Service is not deleted")
    func incomplete() throws {
        var world = World(pool)
        world.add(Service("a"))
        try world.round()
        world.isComplete = false
        world.remove("a")
        world.add(Service("b"))
        try world.round()
        #expect(world.recorded("a") == ["192.0.2.10"])
        #expect(world.recorded("b") == ["192.0.2.11"])
        world.isComplete = true
        try world.round()
        #expect(world.recorded("a").isEmpty)
    }

    @Test("after a restart nobody gets the address of a Service that cannot be read")
    func unreadableService() throws {
        var world = World(pool)
        world.add(Service("z"))
        try world.round()
        world.restart()
        world.isComplete = false
        let unreadable = world.services
        world.remove("z")
        world.add(Service("a"))
        try world.round()
        #expect(world.recorded("a") == ["192.0.2.11"])
        #expect(world.recorded("z") == ["192.0.2.10"])
        world.services.merge(unreadable) { $1 }
        world.isComplete = true
        #expect(try world.round().isEmpty)
        #expect(world.recorded("z") == ["192.0.2.10"])
    }

    @Test("a Service that could not be read and turns out to be deleted frees its address")
    func unreadableThenDeleted() throws {
        var world = World(pool)
        world.add(Service("z"))
        try world.round()
        world.restart()
        world.isComplete = false
        world.remove("z")
        try world.round()
        world.isComplete = true
        try world.round()
        #expect(world.recorded("z").isEmpty)
        world.add(Service("a"))
        try world.round()
        #expect(world.recorded("a") == ["192.0.2.10"])
    }

    @Test("after a restart a pool that cannot be read costs nobody its address")
    func unreadablePool() throws {
        var world = World(pool)
        world.add(Service("z"))
        try world.round()
        world.restart()
        world.isComplete = false
        world.set([])
        #expect(try world.round().isEmpty)
        #expect(world.recorded("z") == ["192.0.2.10"])
        #expect(world.condition("z")?.reason == "IPAllocated")
        world.add(Service("a"))
        world.set([pool])
        world.isComplete = true
        try world.round()
        #expect(world.recorded("z") == ["192.0.2.10"])
        #expect(world.recorded("a") == ["192.0.2.11"])
    }

    @Test("a pool that could not be read and turns out to be gone strands its Services after all")
    func poolGone() throws {
        var world = World(pool)
        world.add(Service("z"))
        try world.round()
        world.restart()
        world.isComplete = false
        world.set([])
        try world.round()
        world.isComplete = true
        #expect(try world.round().map(\.reason) == ["AddressLost"])
        #expect(world.recorded("z").isEmpty)
    }

    @Test("a retained address waits for its name, also through a restart, and no longer than told")
    func retention() throws {
        let keeping = IPAddressPool("main", "192.0.2.10-192.0.2.13") { $0.retentionSeconds = 60 }
        var world = World(keeping)
        world.add(Service("z"))
        try world.round()
        world.remove("z")
        try world.round()
        #expect(world.recorded("z") == ["192.0.2.10"])
        world.seconds = 30
        world.restart()
        world.add(Service("a"))
        try world.round()
        #expect(world.recorded("a") == ["192.0.2.11"])
        var back = world
        back.add(Service("z"))
        try back.round()
        #expect(back.recorded("z") == ["192.0.2.10"])
        #expect(
            back.table.allocations[ObjectName(namespace: "shop", "z")]?.reservedUntil == nil)
        world.seconds = 61
        world.add(Service("b"))
        try world.round()
        #expect(world.recorded("z").isEmpty)
        #expect(world.recorded("b") == ["192.0.2.10"])
    }

    @Test("retention also holds for a Service that was deleted while no controller ran")
    func deletedUnseen() throws {
        let keeping = IPAddressPool("main", "192.0.2.10-192.0.2.13") { $0.retentionSeconds = 60 }
        var world = World(keeping)
        world.add(Service("z"))
        try world.round()
        world.restart()
        world.remove("z")
        world.add(Service("a"))
        try world.round()
        #expect(world.recorded("a") == ["192.0.2.11"])
        #expect(
            world.table.allocations[ObjectName(namespace: "shop", "z")]?.reservedUntil != nil)
    }

    @Test("among ten thousand Services one that changes is decided alone, and no other written")
    func tenThousand() throws {
        var world = World(IPAddressPool("main", "198.18.0.0/15"))
        for index in 0..<10_000 { world.add(Service("s\(index)")) }
        try world.round()
        #expect(Set(world.table.allocations.values.flatMap(\.addresses)).count == 10_000)
        world.edit("s77") { $0.loadBalancerIP = "198.19.255.1" }
        try world.round()
        let unchanged = world.decide()
        #expect(unchanged.updates.isEmpty && unchanged.events.isEmpty)
        world.edit("s78") { $0.loadBalancerIP = "198.19.255.2" }
        let (updates, events) = world.decide()
        #expect(events.map(\.service.name) == ["s78"])
        #expect(updates.count == 2)
    }
}
