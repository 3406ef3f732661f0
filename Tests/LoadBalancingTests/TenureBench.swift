import LoadBalancing
import NetworkTypes
import Testing

/// One tenure on a bench: node a of a, b and c, with a clock.
struct TenureBench {
    var tenure: Tenure
    var facts: Tenure.Facts
    var now = Instant(nanoseconds: 0)
    let address = OwnershipWorld.address(1)

    init(_ node: String = "a", nodes: [String] = ["a", "b", "c"]) {
        tenure = Tenure(node: node)
        facts = Tenure.Facts(
            nodes: Dictionary(
                nodes.map { ($0, NodeFacts(liveness: .alive, hasSpeaker: true)) },
                uniquingKeysWith: { $1 }),
            offers: ["lan": Layer2Offer()],
            demands: [OwnershipWorld.address(1): OwnershipWorld.demand()])
    }

    mutating func handle(_ event: Tenure.Event) -> [Tenure.Action] {
        tenure.handle(event, at: now)
    }

    mutating func elect() -> [Tenure.Action] { handle(.factsChanged(facts)) }

    /// Lets time pass, waking the tenure whenever it asks to be.
    mutating func wait(_ duration: Duration) -> [Tenure.Action] {
        let end = now + duration
        var actions: [Tenure.Action] = []
        var wakes = 0
        while let due = tenure.nextDeadline, due <= end, wakes < 10_000 {
            now = max(now, due)
            actions += handle(.deadlineReached)
            wakes += 1
        }
        #expect(wakes < 10_000, "a deadline that is met must not come again")
        now = end
        return actions
    }

    /// Makes the node the holder of the address.
    mutating func hold(under epoch: UInt64 = 1) {
        _ = handle(.claimsRestored([address: epoch]))
        _ = elect()
        _ = handle(.answering(address))
    }

    var settings: AnnouncementPlan.Settings {
        AnnouncementPlan.Settings(services: [ServiceName(namespace: "default", name: "web")])
    }

    func tenancy(_ manner: Tenure.Manner) -> Tenure.Tenancy {
        Tenure.Tenancy(settings: settings, manner: manner)
    }

    func announce(_ manner: Tenure.Manner) -> Tenure.Action {
        .announce(address, tenancy(manner))
    }
}
