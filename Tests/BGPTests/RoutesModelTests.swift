import BGP
import NetworkTypes
import Testing

/// Random lives of an Adj-RIB-Out against a dictionary: whatever happens, the peer in the end has
/// what is wanted, and what the Adj-RIB-Out believes the peer has is what it has.
@Suite struct RoutesModelTests {
    /// The same numbers for the same seed (SplitMix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }

        mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    }

    private struct World {
        var numbers: Numbers
        var rib = AdjRIBOut()
        var wishes: [Prefix: Route] = [:]
        var session: OutboundSession?
        var peer: RoutesPeer?
        var isGoing = false

        mutating func prefix() throws -> Prefix {
            let index = numbers.below(400) + numbers.below(2) << 17
            return try RoutesGround.prefix(index, numbers.below(3) == 0 ? .ipv6 : .ipv4)
        }

        mutating func route() -> Route? {
            switch numbers.below(8) {
            case 0...2: nil
            case 3: Route(localPreference: UInt32(numbers.below(3)) * 100)
            case 4: Route(communities: [StandardCommunity(64496, UInt16(numbers.below(500)))])
            case 5 where numbers.below(8) == 0:
                Route(
                    communities: (0..<1000).map { StandardCommunity(64496, UInt16($0)) },
                    largeCommunities: [LargeCommunity(64496, 1, UInt32(numbers.below(3)))])
            default: Route()
            }
        }

        mutating func changes() throws {
            var changes: [(Prefix, Route?)] = []
            for _ in 0..<numbers.below(60) { changes.append((try prefix(), route())) }
            for (prefix, route) in changes { wishes[prefix] = route }
            rib.want(changes)
        }

        mutating func table() throws {
            if numbers.below(4) == 0 { wishes = [:] }
            for _ in 0..<numbers.below(200) { wishes[try prefix()] = route() }
            var table = RouteTable()
            for (prefix, route) in wishes { table[prefix] = route }
            rib.want(table)
        }

        mutating func nextHops() -> [RouteFamily: NextHop] {
            var hops: [RouteFamily: NextHop] = [:]
            switch numbers.below(4) {
            case 0: break
            case 1: hops[.ipv4] = RoutesGround.nextHopIPv6
            default: hops[.ipv4] = NextHop(IPAddress(ipv4: 0xc000_0200 + UInt32(numbers.below(2))))
            }
            if numbers.below(4) != 0 { hops[.ipv6] = RoutesGround.nextHopIPv6 }
            return hops
        }

        mutating func establish() {
            let isExtended = numbers.below(2) == 0
            let isEnhanced = numbers.below(2) == 0
            let isLong = numbers.below(4) == 0
            let hasBoth = numbers.below(3) != 0
            var session = RoutesGround.session(isInternal: numbers.below(2) == 0) {
                if !hasBoth { $0.families = [.ipv4] }
                if isExtended { $0.extendedNextHop = [.ipv4] }
                $0.hasEnhancedRouteRefresh = isEnhanced
                $0.maximumLength = isLong ? 65535 : 4096
            }
            session.nextHops = nextHops()
            self.session = session
            var peer = RoutesPeer(session)
            peer.tolerates = true
            self.peer = peer
            rib.establish(session)
        }

        mutating func step() throws {
            switch numbers.below(20) {
            case 0...5: try changes()
            case 6: try table()
            case 7: establish()
            case 8 where numbers.below(3) == 0:
                rib.end()
                session = nil
                peer = nil
            case 9, 10:
                let hops = nextHops()
                session?.nextHops = hops
                rib.update(nextHops: hops)
            case 13:
                isGoing.toggle()
                rib.mark(goingAway: isGoing)
            case 11, 12: rib.refresh(numbers.below(2) == 0 ? .ipv4 : .ipv6)
            default: try write(limit: numbers.below(3) == 0 ? .max : numbers.below(6000))
            }
        }

        mutating func write(limit: Int) throws {
            let bytes = rib.drain(limit: limit)
            if peer == nil { #expect(bytes.isEmpty) }
            try peer?.read(bytes)
        }

        func check() throws {
            let counts = rib.counts
            #expect(counts.ipv4.wanted + counts.ipv6.wanted == wishes.count)
            for (prefix, route) in wishes { #expect(rib.wanted(prefix) == route) }
            guard let peer else {
                #expect(counts.told == 0 && !rib.hasPending)
                return
            }
            #expect(counts.told == peer.routes.count)
            for (prefix, attributes) in peer.routes {
                #expect(rib.told(prefix) == attributes)
            }
        }

        /// Everything is written; then the peer has what is wanted and can be told, and no more.
        mutating func settle() throws {
            try write(limit: .max)
            try check()
            #expect(!rib.hasPending && rib.counts.pending == 0)
            guard let peer, let session else { return }
            for (prefix, route) in wishes {
                let isTellable = rib.obstacle(for: prefix) == nil
                #expect(isTellable == (peer.routes[prefix] != nil))
                guard let told = peer.routes[prefix] else { continue }
                let meant = isGoing ? route.goingAway : route
                #expect(told.communities == meant.communities)
                #expect(told.largeCommunities == route.largeCommunities)
                #expect(told.nextHop == session.nextHops[RouteFamily(prefix.family)])
                let isInternal = session.parameters.isInternal
                #expect(told.localPreference == (isInternal ? meant.localPreference ?? 100 : nil))
            }
            #expect(peer.routes.keys.allSatisfy { wishes[$0] != nil })
        }
    }

    @Test(arguments: 0..<30)
    func `Whatever happens, the peer ends up with what is wanted`(seed: Int) throws {
        var world = World(numbers: Numbers(state: UInt64(seed)))
        world.establish()
        for round in 0..<150 {
            try world.step()
            if round % 10 == 9 { try world.check() }
            if round % 50 == 49 { try world.settle() }
        }
    }
}
