import ClusterSource
import Kubernetes
import NetworkTypes
import Testing

@testable import Speaker

@Suite struct HealthCheckPlannerTests {
    @Test("after every change the plan is the one that the state alone would give")
    func follows() {
        var state = ClusterState.example
        var planner = HealthCheckPlanner()
        let choice = EndpointChoice(node: "a", isOnlyNode: false)
        func isRight(_ choice: EndpointChoice, answers: Int) -> Bool {
            let plan = planner.plan(state.snapshot, choice: choice)
            return plan == HealthCheckPlan(state.snapshot, choice: choice)
                && plan.answers[30_100]?.localEndpoints == answers
        }
        let web = Service("web", has: "192.0.2.10") {
            $0.externalTrafficPolicy = .local
            $0.healthCheckNodePort = 30_100
        }
        state.add(web)
        state.add(Service("other", has: "192.0.2.11") { $0.externalTrafficPolicy = .cluster })
        #expect(isRight(choice, answers: 0))
        state.addEndpoints(of: "web", .init("198.51.100.1", on: "a"))
        #expect(isRight(choice, answers: 1))
        state.addEndpoints(of: "other", .init("198.51.100.9", on: "a"))
        #expect(isRight(choice, answers: 1))
        #expect(isRight(EndpointChoice(node: "b", isOnlyNode: false), answers: 0))
        #expect(isRight(choice, answers: 1))
        state.snapshot.services[web.name] = nil
        let plan = planner.plan(state.snapshot, choice: choice)
        #expect(plan.answers.isEmpty)
    }
}
