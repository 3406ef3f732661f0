import BGP
import NetworkTypes
import Testing

@Suite("Next hops of another family")
struct WireNextHopTests {
    @Test("IPv4 routes with an IPv6 next hop that was not agreed on are gone, the session stays")
    func unasked() throws {
        let fixture = try WireFixture("update-extended-next-hop")
        let agreed = try decodeUpdate(fixture.bytes, fixture.context)
        #expect(!agreed.announced.isEmpty)
        var context = fixture.context
        context.extendedNextHop = []
        let unasked = try decodeUpdate(fixture.bytes, context)
        #expect(unasked.announced.isEmpty)
        #expect(Set(unasked.withdrawn) == Set(agreed.announced + agreed.withdrawn))
        #expect(unasked.faults.contains { $0.description.contains("RFC 8950") })
    }
}
