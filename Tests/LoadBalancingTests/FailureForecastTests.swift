import LoadBalancing
import NetworkTypes
import Testing

@Suite struct FailureForecastTests {
    @Test("a forecast names what moves, where to and why, and the loads; nothing else moves")
    func moves() throws {
        let world = OwnershipWorld(["a", "b", "c"], addresses: 12)
        let now = world.elect()
        let forecast = FailureForecast(
            Tenure.Facts(nodes: world.nodes, offers: world.offers, demands: world.demands),
            failing: ["b", "stranger"])
        #expect(forecast.failing == ["b"])
        #expect(forecast.unknown == ["stranger"])
        for outcome in forecast.outcomes {
            #expect(outcome.before == now.owner(of: outcome.address))
            #expect(outcome.isMoved == (outcome.before == "b"))
            #expect(outcome.after != nil && outcome.after != "b")
        }
        #expect(forecast.moved.isEmpty == false)
        #expect(forecast.loads.map(\.node) == ["a", "b", "c"])
        #expect(forecast.loads.map(\.after).reduce(0, +) == 12)
        #expect(forecast.loads[1].after == 0)
        #expect(forecast.description.contains("stranger is not a node of this cluster"))
    }

    @Test("an address that only failing nodes can own has no owner, and each other says why")
    func unowned() throws {
        var world = OwnershipWorld(["a", "b", "c"], addresses: 2)
        let lonely = OwnershipWorld.address(1)
        world.demands[lonely]?.backing = .local(nodes: ["a", "b"])
        let forecast = FailureForecast(
            Tenure.Facts(nodes: world.nodes, offers: world.offers, demands: world.demands),
            failing: ["a", "b"])
        let outcome = try #require(forecast.unowned.first)
        #expect(forecast.unowned.count == 1)
        #expect(outcome.address == lonely)
        #expect(outcome.reasons == ["c": .noLocalEndpoint])
        #expect(forecast.description.contains("-> nobody, no node can own it"))
    }
}
