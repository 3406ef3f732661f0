import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainUnservingTests {}
}

/// Nodes whose endpoints die while their objects still call them ready.
extension RealNetwork.Chain.ChainUnservingTests {
    @Test("policy Local: the owner whose endpoint dies hands over, and every node says why")
    func handOver() throws {
        let scene = try ChainScene.here()
        var service = ChainService(
            name: "unserved", number: 214,
            ports: [.init(transport: "TCP", port: 80, target: 8093)], endpoints: [.a, .b])
        service.policy = "Local"
        service.annotations = [
            "martlet.dev/health-check: tcp", "martlet.dev/health-check-interval: 100ms",
            "martlet.dev/health-check-rise: '2'", "martlet.dev/health-check-fall: '2'",
        ]
        let servers = try [ChainPod.a, .b].map { try scene.serve([$0], ["tcp/8093"]) }
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.loadBalancer), by: [.a, .b])
            let owner = try scene.owner(of: service)
            let (lost, left) = owner == "node-a" ? (0, ChainPod.b) : (1, ChainPod.a)
            let heir = "node-\(left.letter)"
            servers[lost].signal(SIGKILL)
            let isMoved = try eventually(within: 8) { try scene.owner(of: service) == heir }
            #expect(isMoved != nil, "\(scene.lastWords)")
            try scene.expectAnswers(service.targets(.loadBalancer), by: [left])
            for node in ["node-a", "node-b"] {
                let explained = try scene.martlet("explain default/unserved", at: node).text
                #expect(
                    explained.contains(
                        "no: could only refuse: its endpoints fail their health checks"),
                    "\(node): \(explained)")
            }
            // Back again, it is able to own; the address stays where it is.
            _ = try scene.serve([lost == 0 ? .a : .b], ["tcp/8093"])
            var explained = ""
            let isAble = try eventually(within: 8) {
                explained = try ["node-a", "node-b"].map {
                    try scene.martlet("explain default/unserved", at: $0).text
                }.joined()
                return !explained.contains("no: could only refuse")
            }
            #expect(isAble != nil, "\(explained); \(scene.lastWords)")
            #expect(try scene.owner(of: service) == heir)
        }
    }
}
