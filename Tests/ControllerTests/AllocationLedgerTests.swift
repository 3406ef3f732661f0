import Kubernetes
import LoadBalancing
import NetworkTypes
import Testing

@testable import ClusterSource
@testable import Controller

@Suite("What Kubernetes objects ask for")
struct AllocationLedgerTests {
    private let pool = IPAddressPool("main", "192.0.2.10-192.0.2.13")

    @Test("a Service gets an address, and asking twice gives the same")
    func twice() throws {
        var world = World(pool)
        world.add(Service("web"))
        try world.round()
        #expect(world.recorded("web") == ["192.0.2.10"])
        world.edit("web") { $0.metadata.labels["touched"] = "yes" }
        #expect(try world.round().isEmpty)
        #expect(world.recorded("web") == ["192.0.2.10"])
    }

    @Test("a full pool lets the next Service wait with an Event, and serves it when one is deleted")
    func waiting() throws {
        var world = World(IPAddressPool("main", "192.0.2.10/32"))
        world.add(Service("a"))
        try world.round()
        world.add(Service("b"))
        let events = try world.round()
        #expect(events.map(\.reason) == ["AllocationFailed"])
        #expect(events.first?.message.contains("no IPv4 address is free") == true)
        #expect(try world.round().isEmpty)
        world.remove("a")
        let later = try world.round()
        #expect(later.map(\.reason) == ["ClearAssignment", "IPAllocated"])
        #expect(world.recorded("b") == ["192.0.2.10"])
        #expect(world.recorded("a").isEmpty)
    }

    @Test(
        "the annotation asks for an address and for a pool, under both prefixes",
        arguments: ["metallb.io/", "metallb.universe.tf/"])
    func annotations(prefix: String) throws {
        var world = World(pool, IPAddressPool("other", "198.51.100.0/28") { $0.autoAssign = false })
        world.add(
            Service("address") { $0.annotate(prefix + "loadBalancerIPs", " 192.0.2.12 ") },
            Service("pool") { $0.annotate(prefix + "address-pool", "other") })
        try world.round()
        #expect(world.recorded("address") == ["192.0.2.12"])
        #expect(world.recorded("pool") == ["198.51.100.0"])
    }

    @Test("the field loadBalancerIP asks for one address, and holds no list")
    func field() throws {
        var world = World(pool)
        world.add(
            Service("one") { $0.loadBalancerIP = "192.0.2.13" },
            Service("list") { $0.loadBalancerIP = "192.0.2.12,2001:db8::1" })
        try world.round()
        #expect(world.recorded("one") == ["192.0.2.13"])
        #expect(world.recorded("list").isEmpty)
        #expect(world.condition("list")?.reason == "InvalidRequest")
    }

    @Test(
        "a wish that makes no sense is reported and takes no address away",
        arguments: ["192.0.2.300", "web.example.com", "192.0.2.11,192.0.2.12", "192.0.2.11,", ""])
    func invalid(text: String) throws {
        var world = World(pool)
        world.add(Service("web"))
        try world.round()
        world.edit("web") {
            $0.annotate("metallb.io/loadBalancerIPs", text.isEmpty ? "192.0.2.11" : text)
            if text.isEmpty { $0.loadBalancerIP = "192.0.2.11" }
        }
        #expect(try world.round().map(\.reason) == ["AllocationFailed"])
        #expect(world.recorded("web") == ["192.0.2.10"])
        #expect(world.condition("web")?.reason == "InvalidRequest")
        #expect(world.condition("web")?.status == true)
        // Nobody else gets what it keeps, not even after a restart.
        world.restart()
        world.add(Service("a"))
        #expect(try world.round().map(\.service.name) == ["a"])
        #expect(world.recorded("web") == ["192.0.2.10"])
        #expect(world.recorded("a") == ["192.0.2.11"])
        // Corrected, it goes on as if nothing had been.
        world.edit("web") {
            $0.metadata.annotations = [:]
            $0.loadBalancerIP = nil
        }
        try world.round()
        #expect(world.recorded("web") == ["192.0.2.10"])
        #expect(world.condition("web")?.reason == "IPAllocated")
    }

    @Test("an invalid wish keeps an address of a pinned pool, and a shared one, over a restart")
    func invalidRestart() throws {
        var world = World(
            IPAddressPool("pinned", "192.0.2.10/32") {
                $0.serviceAllocation = .init()
                $0.serviceAllocation?.namespaces = ["shop"]
            })
        for (name, port) in [("a", 80), ("b", 81)] as [(String, UInt16)] {
            world.add(
                Service(name) {
                    $0.annotate("metallb.io/allow-shared-ip", "key")
                    $0.ports = [Service.Port(port: port)]
                })
        }
        try world.round()
        world.edit("a") { $0.loadBalancerIP = "nonsense" }
        try world.round()
        world.restart()
        #expect(try world.round().isEmpty)
        #expect(world.recorded("a") == ["192.0.2.10"])
        #expect(world.recorded("b") == ["192.0.2.10"])
    }

    @Test("an address outside every pool, of the wrong family or in two pools is refused with why")
    func refused() throws {
        var world = World(pool, IPAddressPool("six", "2001:db8::/120"))
        let key = "metallb.io/loadBalancerIPs"
        world.add(
            Service("outside") { $0.annotate(key, "203.0.113.1") },
            Service("family") {
                $0.ipFamilies = [.ipv4]
                $0.annotate(key, "2001:db8::1")
            },
            Service("pools") {
                $0.ipFamilyPolicy = .requireDualStack
                $0.annotate(key, "192.0.2.10,2001:db8::1")
            })
        let events = try world.round()
        #expect(events.map(\.reason) == Array(repeating: "AllocationFailed", count: 3))
        let texts = Dictionary(uniqueKeysWithValues: events.map { ($0.service.name, $0.message) })
        #expect(texts["outside"]?.contains("no pool holds 203.0.113.1") == true)
        #expect(texts["family"]?.contains("2001:db8::1 is IPv6 but the Service is IPv4") == true)
        #expect(texts["pools"]?.contains("ask for two of one pool") == true)
    }

    @Test(
        "a change of type frees the address and clears the status; another gets it at once",
        arguments: [Service.Kind.nodePort, .clusterIP, .externalName])
    func types(kind: Service.Kind) throws {
        var world = World(IPAddressPool("main", "192.0.2.10/32"))
        world.add(Service("web"), Service("zoo"))
        try world.round()
        world.edit("web") { $0.kind = kind }
        #expect(try world.round().map(\.reason) == ["ClearAssignment", "IPAllocated"])
        #expect(world.recorded("web").isEmpty)
        #expect(world.recorded("zoo") == ["192.0.2.10"])
        #expect(world.condition("web") == nil, "what is not ours bears no word of us")
        let silent = world.decide()
        #expect(silent.updates.isEmpty)
        world.edit("web") { $0.kind = .loadBalancer }
        try world.round()
        #expect(world.condition("web")?.reason == "AllocationFailed")
        world.remove("zoo")
        try world.round()
        #expect(world.recorded("web") == ["192.0.2.10"])
    }

    @Test("another class, a headless Service and one being deleted have no address from us")
    func exclusions() throws {
        var world = World(pool)
        world.add(Service("class"), Service("headless"), Service("deleted"))
        try world.round()
        world.edit("class") { $0.loadBalancerClass = "example.com/other" }
        world.edit("headless") { $0.isHeadless = true }
        world.edit("deleted") { $0.metadata.isBeingDeleted = true }
        try world.round()
        for name in ["class", "headless", "deleted"] {
            #expect(world.recorded(name).isEmpty)
            #expect(world.condition(name) == nil)
        }
        world.edit("class") { $0.loadBalancerClass = nil }
        try world.round()
        #expect(world.recorded("class") == ["192.0.2.10"])
    }

    @Test("a pinned pool serves Services that match namespace and Service selectors both")
    func pinned() throws {
        var world = World(
            IPAddressPool("pinned", "198.51.100.0/28") {
                $0.serviceAllocation = .init()
                $0.serviceAllocation?.namespaceSelectors = [LabelSelector(matchLabels: ["t": "x"])]
                $0.serviceAllocation?.serviceSelectors = [LabelSelector(matchLabels: ["s": "y"])]
            }, pool)
        world.add(Service("both") { $0.metadata.labels["s"] = "y" }, Service("one"))
        try world.round()
        #expect(world.recorded("both") == ["192.0.2.10"])
        var shop = Namespace(metadata: ObjectMeta(name: ObjectName("shop")))
        shop.metadata.labels["t"] = "x"
        world.namespaces["shop"] = shop
        world.add(Service("later") { $0.metadata.labels["s"] = "y" })
        try world.round()
        // Who has an address keeps it; who comes now goes to the pinned pool first.
        #expect(world.recorded("both") == ["192.0.2.10"])
        #expect(world.recorded("later") == ["198.51.100.0"])
        #expect(world.recorded("one") == ["192.0.2.11"])
    }

    @Test("sharing with policy Local needs equal selectors")
    func sharing() throws {
        var world = World(pool)
        for (index, selector) in ["x", "x", "y"].enumerated() {
            world.add(
                Service("s\(index)") {
                    $0.annotate("metallb.io/allow-shared-ip", "key")
                    $0.externalTrafficPolicy = .local
                    $0.selector = ["app": selector]
                    $0.ports = [Service.Port(port: 80 + UInt16(index))]
                })
        }
        try world.round()
        #expect(world.recorded("s0") == ["192.0.2.10"])
        #expect(world.recorded("s1") == ["192.0.2.10"])
        #expect(world.recorded("s2") == ["192.0.2.11"])
        // A clash of ports parts them, in place.
        world.edit("s1") { $0.ports = [Service.Port(port: 80)] }
        #expect(try world.round().map(\.reason) == ["AddressMoved"])
        #expect(world.recorded("s0") == ["192.0.2.10"])
        #expect(world.recorded("s1") == ["192.0.2.12"])
    }

    @Test("PreferDualStack is content with one family, says so once, and gains the other later")
    func prefer() throws {
        var world = World(pool)
        world.add(
            Service("web") {
                $0.ipFamilies = [.ipv4]
                $0.ipFamilyPolicy = .preferDualStack
            })
        #expect(try world.round().map(\.reason) == ["IPAllocated"])
        #expect(world.condition("web")?.reason == "WishWaits")
        for index in 0..<3 {
            world.edit("web") { $0.metadata.labels["n"] = "\(index)" }
            #expect(try world.round().isEmpty)
        }
        world.restart()
        #expect(try world.round().isEmpty)
        world.set([IPAddressPool("main", "192.0.2.10-192.0.2.13", "2001:db8::10/124")])
        #expect(try world.round().map(\.reason) == ["IPAllocated"])
        #expect(world.recorded("web") == ["192.0.2.10", "2001:db8::10"])
    }

    @Test("a Service that a cluster of one family gave one cluster address gets one address")
    func oneFamilyCluster() throws {
        var world = World(IPAddressPool("main", "192.0.2.10/31", "2001:db8::10/124"))
        world.add(
            Service("one") {
                $0.ipFamilyPolicy = .preferDualStack
                $0.clusterIPs = [IPAddress("198.18.0.1")].compactMap(\.self)
            },
            Service("two") { $0.ipFamilyPolicy = .requireDualStack })
        try world.round()
        #expect(world.recorded("one") == ["192.0.2.10"])
        #expect(world.recorded("two") == ["192.0.2.11", "2001:db8::10"])
    }
}
