import Kubernetes
import LoadBalancing
import NetworkTypes
import Testing

@testable import ClusterSource
@testable import Controller

@Suite("What is written")
struct StatusWriterTests {
    @Test("address, pool, condition, figures and Event are written, and a second round is silent")
    func idempotent() throws {
        var world = World(
            IPAddressPool("main", "192.0.2.10-192.0.2.13"), IPAddressPool("six", "2001:db8::/64"))
        world.add(
            Service("web"), Service("bad") { $0.loadBalancerIP = "x" },
            Service("lost") { $0.annotate("metallb.io/address-pool", "none") },
            Service("plain") { $0.kind = .clusterIP })
        let events = try world.round()
        #expect(events.map(\.service.name) == ["bad", "lost", "web"])
        #expect(events.map(\.severity) == [.warning, .warning, .normal])
        #expect(events.last?.message.contains("192.0.2.10 from pool main") == true)
        #expect(world.table.allocations[ObjectName(namespace: "shop", "web")]?.pool == "main")
        #expect(world.condition("web")?.message == "192.0.2.10 from pool main")
        #expect(world.condition("plain") == nil)
        #expect(
            world.table.status.pools["main"] == PoolFigures(assignedIPv4: 1, availableIPv4: 3))
        #expect(world.table.status.pools["six"]?.availableIPv6 == .max)
        let again = world.decide()
        #expect(again.updates.isEmpty)
        #expect(again.events.isEmpty)
        world.restart()
        let restarted = world.decide()
        #expect(restarted.updates.isEmpty)
        #expect(restarted.events.isEmpty)
    }

    @Test("an address that a manifest's own status claims is outweighed by what was decided")
    func ownStatus() throws {
        var world = World(IPAddressPool("main", "192.0.2.10/32"))
        world.add(
            Service("a") { $0.shows("192.0.2.10") }, Service("b") { $0.shows("192.0.2.10") },
            Service("c") { $0.shows("203.0.113.7") })
        try world.round()
        #expect(world.recorded("a") == ["192.0.2.10"])
        let services = world.state.snapshot.services
        for name in ["b", "c"] {
            #expect(services[ObjectName(namespace: "shop", name)]?.ingress == [])
        }
        #expect(world.decide().updates.isEmpty)
    }

    @Test("a manifest's own status does not come back when the type changes, and is written once")
    func ownStatusAfterTypeChange() throws {
        var world = World(IPAddressPool("main", "192.0.2.10/32"))
        world.add(Service("a") { $0.shows("192.0.2.10") })
        try world.round()
        world.edit("a") { $0.kind = .nodePort }
        try world.round()
        #expect(
            world.state.snapshot.services[ObjectName(namespace: "shop", "a")]?.ingress == [])
        #expect(world.decide().updates.isEmpty)
    }

    @Test("the figures of a pool that is gone are removed")
    func poolGone() throws {
        var world = World(IPAddressPool("main", "192.0.2.10/32"))
        try world.round()
        world.set([])
        try world.round()
        #expect(world.table.status.pools.isEmpty)
    }
}
