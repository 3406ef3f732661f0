import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainProbeTests {}
}

/// `martlet explain … --probe`: one flow, and where it ends.
extension RealNetwork.Chain.ChainProbeTests {
    struct Explained: Decodable {
        struct Flow: Decodable {
            struct Step: Decodable {
                var station: String
                var passes: Bool?
                var finding: String
            }
            var address: String
            var steps: [Step]
            var end: String
            var arrives: Bool
        }
        var flows: [Flow]
    }

    private static let arguments = "explain default/followed --probe"

    private func flows(
        _ scene: ChainScene, asking node: String = "node-a"
    ) throws -> (status: Int32, flows: [Explained.Flow]) {
        let output = try scene.martlet("\(Self.arguments) -o json", at: "node-a", asking: node)
        let explained = try JSONDecoder().decode([Explained].self, from: Data(output.text.utf8))
        return (output.status, explained.flatMap(\.flows))
    }

    @Test("--probe follows a flow that arrives, one whose server is gone, one whose element is")
    func probe() throws {
        let scene = try ChainScene.here()
        let service = ChainService(
            name: "followed", number: 215, ports: [.init(transport: "TCP", port: 80, target: 8090)],
            endpoints: [.a, .b])
        let servers = [
            try scene.serve([.a], ["tcp/8090"]), try scene.serve([.b], ["tcp/8090"]),
        ]
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer, .node("a")), by: [.a, .b])

            let whole = try flows(scene)
            #expect(whole.status == 0)
            #expect(whole.flows.map(\.address).sorted() == service.addresses.sorted())
            for flow in whole.flows {
                #expect(flow.arrives)
                #expect(flow.end == "it arrives", "\(flow.steps)")
            }
            let text = try scene.martlet(Self.arguments, at: "node-a").text
            for pod in [ChainPod.a, .b] {
                #expect(text.contains("endpoint \(pod.addresses[0]):8090"), "\(text)")
            }

            // Its process is gone, and nobody has told the cluster.
            servers[1].stop()
            let broken = try flows(scene)
            #expect(broken.status == 1)
            for flow in broken.flows {
                #expect(!flow.arrives)
                #expect(flow.end.contains("1 of 2 endpoints cannot be reached"), "\(flow.end)")
                let place = flow.address.contains(":") ? "[2001:db8:b::10]" : "198.51.100.74"
                #expect(flow.end.contains("\(place):8090"), "\(flow.end)")
                #expect(flow.end.contains("nobody listens there"), "\(flow.end)")
            }

            // Nobody is there to repair it.
            scene.end("node-a", by: SIGKILL)
            try scene.lan.run(
                "node-a",
                "nft delete element inet martlet frontends4 '{ 192.0.2.215 . tcp . 80 }'")
            let torn = try flows(scene, asking: "node-b")
            #expect(torn.status == 1)
            let flow = try #require(torn.flows.first { $0.address == service.addresses[0] })
            #expect(!flow.arrives)
            #expect(flow.end.hasPrefix("it ends at kernel"), "\(flow.end)")
            #expect(flow.end.contains("192.0.2.215 . tcp . 80 is no entrance"), "\(flow.end)")
            try scene.start("node-a")
            try scene.expectAnswers(service.targets(.node("a")), by: [.a])
        }
    }

    @Test("--probe is no client itself where the source ranges do not name the node")
    func outsider() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "followed", number: 215, endpoints: [.a])
        service.spec = ["loadBalancerSourceRanges: [198.18.0.0/15, '2001:db8:ff::/48']"]
        try scene.withServices(service) {
            // The ranges do not guard node ports.
            try scene.expectAnswers(service.targets(.node("a")), by: [.a])
            var last: [Explained.Flow] = []
            let isFollowed = try eventually(within: 8) {
                last = try flows(scene).flows
                return last.count == 2 && last.allSatisfy(\.arrives)
            }
            #expect(isFollowed != nil, "\(last.map(\.steps))")
            for flow in last {
                let step = flow.steps.last
                #expect(step?.passes == nil, "\(flow.steps)")
                #expect(step?.finding.contains("none of the source ranges") == true)
            }
        }
    }

    @Test("--probe --from says whom the source ranges stop")
    func source() throws {
        let scene = try ChainScene.here()
        var service = ChainService(name: "followed", number: 216, endpoints: [.a])
        service.spec = ["loadBalancerSourceRanges: [192.0.2.0/25, '2001:db8:2::/64']"]
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer), by: [.a])
            let output = try scene.martlet("\(Self.arguments) --from 192.0.2.130", at: "node-a")
            #expect(output.status == 1)
            #expect(output.text.contains("192.0.2.130 is dropped"), "\(output.text)")
        }
    }
}
