import BFD
import NetworkTypes
import Testing

@testable import Speaker

@Suite("What is wanted of a BFD session")
struct BFDWishTests {
    private static let peer = IPAddress(family: .ipv4, bits: 0xc000_0202)
    private static let linkLocal = IPAddress(family: .ipv6, bits: 0xfe80 << 112 | 2)

    private static func echoing() -> BFDWish {
        var wish = BFDWish()
        wish.echoInterval = .milliseconds(50)
        return wish
    }

    @Test("two who share a path get the faster of both, and what both accept")
    func merging() {
        var first = BFDWish()
        first.transmitInterval = .milliseconds(50)
        first.isPassive = true
        first.minimumHops = 200
        var second = Self.echoing()
        second.receiveInterval = .milliseconds(100)
        second.detectMultiplier = 2
        second.minimumHops = 64
        let merged = first.merged(with: second)
        #expect(merged.transmitInterval == .milliseconds(50))
        #expect(merged.receiveInterval == .milliseconds(100))
        #expect(merged.detectMultiplier == 2)
        #expect(merged.minimumHops == 64)
        #expect(merged.echoInterval == .milliseconds(50))
        #expect(!merged.isPassive)
    }

    @Test("a single hop wants the full hop limit whatever the wish, many hops what it says")
    func hops() {
        var wish = BFDWish()
        wish.minimumHops = 64
        let near = wish.settings(for: BFDPath(remote: Self.peer), forwards: false)
        #expect(near.minimumTimeToLive == 255)
        let far = BFDPath(remote: Self.peer, isMultihop: true)
        #expect(wish.settings(for: far, forwards: false).minimumTimeToLive == 64)
        #expect(BFDWish().settings(for: far, forwards: false).minimumTimeToLive == 254)
    }

    @Test("echo is for a single hop that can forward, and offered only where this host forwards")
    func echo() {
        let wish = Self.echoing()
        let near = BFDPath(remote: Self.peer)
        let offered = wish.settings(for: near, forwards: true).echo
        #expect(offered?.transmitInterval == 50_000)
        #expect(offered?.requiredMinReceive == 50_000)
        #expect(wish.settings(for: near, forwards: false).echo?.requiredMinReceive == 0)
        let far = BFDPath(remote: Self.peer, isMultihop: true)
        #expect(wish.settings(for: far, forwards: true).echo == nil)
        let link = BFDPath(remote: Self.linkLocal, interface: "eth0")
        #expect(wish.settings(for: link, forwards: true).echo == nil)
    }
}
