import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainHealthTests {}
}

/// Endpoints that die while their objects still call them ready.
extension RealNetwork.Chain.ChainHealthTests {
    /// Asks until only these Pods answer, and nobody is refused or left waiting; returns how long
    /// it took.
    private func expectOnly(
        _ pods: [ChainPod], _ targets: [String], _ scene: ChainScene,
        location: SourceLocation = #_sourceLocation
    ) throws -> Double? {
        var last: [ChainReply] = []
        let many = (0..<6).flatMap { _ in targets }
        let seconds = try eventually(within: 8) {
            last = try scene.ask(many, patience: 0.3)
            return last.allSatisfy { $0.isFrom(pods) }
                && pods.allSatisfy { pod in last.contains { $0.isFrom([pod]) } }
        }
        #expect(
            seconds != nil, "\(last.map(\.text)); \(scene.lastWords)", sourceLocation: location)
        return seconds
    }

    @Test("an endpoint that fails its health check is taken out, and comes back when it answers")
    func healthCheck() throws {
        let scene = try ChainScene.here()
        var service = ChainService(
            name: "asked", number: 205, ports: [.init(transport: "TCP", port: 80, target: 8091)],
            endpoints: [.a, .b])
        service.annotations = [
            "martlet.dev/health-check: tcp", "martlet.dev/health-check-interval: 100ms",
            "martlet.dev/health-check-rise: '2'", "martlet.dev/health-check-fall: '2'",
        ]
        _ = try scene.serve([.a], ["tcp/8091"])
        let server = try scene.serve([.b], ["tcp/8091"])
        try scene.withServices(service) {
            let targets = service.targets(.loadBalancer, .node("a"), .node("b"))
            try scene.expectAnswers(targets, by: [.a, .b])
            _ = try expectOnly([.a, .b], targets, scene)
            server.signal(SIGKILL)
            if let seconds = try expectOnly([.a], targets, scene) {
                report("a dead endpoint is out", seconds)
            }
            let log = try #require(scene.daemons["node-a"]).text
            #expect(log.contains("endpoint is out"))
            let explained = try scene.martlet("explain default/asked", at: "node-a").text
            #expect(explained.contains("ready, but fails its health check here"), "\(explained)")
            #expect(explained.contains("goes to one of 2 endpoints"), "\(explained)")
            _ = try scene.serve([.b], ["tcp/8091"])
            _ = try expectOnly([.a, .b], targets, scene)
        }
    }

    @Test("endpoints of a node that died get no new connection, whatever their objects say")
    func deadNode() throws {
        let scene = try ChainScene.here()
        let service = ChainService(name: "halved", number: 206, endpoints: [.a, .b])
        try scene.withServices(service) {
            let targets = service.targets(.node("a"))
            _ = try expectOnly([.a, .b], targets, scene)
            let begin = wallClock()
            try scene.lan.inflict(.apart, on: "node-b")
            let noticed = eventually(within: 8) {
                scene.lan.status(at: "node-a")?.gossip?.aliveCount == 1
            }
            #expect(noticed != nil, "\(scene.lastWords)")
            report("the gossip knows that the node is dead", wallClock() - begin)
            let seconds = try expectOnly([.a], targets, scene)
            report("no connection goes to a dead node", wallClock() - begin)
            #expect(seconds ?? .infinity < 1, "at once, when it is known")
            try scene.lan.heal()
            _ = try expectOnly([.a, .b], targets, scene)
            let isWhole = eventually(within: 8) {
                scene.lan.nodes.allSatisfy { scene.lan.status(at: $0)?.gossip?.aliveCount == 2 }
            }
            #expect(isWhole != nil, "\(scene.lastWords)")
        }
    }

    /// What became of datagrams that one socket sent.
    private struct Datagrams: Decodable {
        var sent: Int
        var lost: Int
        /// When an endpoint first answered after another had.
        var changes: [Change]
        struct Change: Decodable {
            var time: Double
            var endpoint: String
        }
        /// When the last one was sent that nobody answered.
        var lastLoss: Double
    }

    /// Sends datagrams to a place while `body` does something.
    private func sendingDatagrams(
        to address: String, _ port: Int, _ scene: ChainScene, body: () throws -> Void
    ) throws -> Datagrams {
        let train = try scene.lan.start(
            "client", ["python3", "-c", ChainProgram.datagrams, address, "\(port)"],
            log: "datagrams.log", patience: 5)
        let isAnswered = eventually { train.text.contains("answered") }
        try #require(isAnswered != nil, "\(train.text)")
        try body()
        usleep(500_000)
        train.signal(SIGTERM)
        let last = train.text.split(separator: "\n").last ?? ""
        return try JSONDecoder().decode(Datagrams.self, from: Data(last.utf8))
    }

    @Test("when a UDP endpoint goes, the next datagram of the same socket goes to a living one")
    func datagrams() throws {
        let scene = try ChainScene.here()
        for family in 0..<2 {
            let heir = family == 0 ? ChainPod.b : .b2
            var service = ChainService(
                name: "datagrams", number: 207,
                ports: [.init(transport: "UDP", port: 53, target: 5354)], endpoints: [.a])
            let server = try scene.serve([.a], ["udp/5354"])
            _ = try scene.serve([heir], ["udp/5354"])
            try scene.withServices(service) {
                try scene.expectAnswers(service.targets(.loadBalancer), by: [.a])
                let address = service.addresses[family]
                var begin = wallClock()
                let outcome = try sendingDatagrams(to: address, 53, scene) {
                    server.signal(SIGKILL)
                    begin = wallClock()
                    service.endpoints = [heir]
                    try scene.put(service)
                }
                let change = try #require(outcome.changes.last)
                #expect(outcome.changes.count == 2, "\(outcome)")
                #expect(change.endpoint == heir.addresses[family])
                // Those that were on their way while the rules changed, and none after.
                #expect(outcome.lastLoss <= change.time, "\(outcome)")
                #expect(change.time - begin < 0.5, "\(outcome)")
                report("UDP to \(address): the living endpoint answers", change.time - begin)
            }
        }
    }

    @Test("a UDP endpoint that went while Martlet was down loses its flows when Martlet is back")
    func datagramsMeanwhile() throws {
        let scene = try ChainScene.here()
        var service = ChainService(
            name: "meanwhile", number: 212,
            ports: [.init(transport: "UDP", port: 53, target: 5355)], endpoints: [.a])
        let server = try scene.serve([.a], ["udp/5355"])
        _ = try scene.serve([.b], ["udp/5355"])
        try scene.withServices(service) {
            try scene.expectAnswers(service.targets(.node("a")), by: [.a])
            let outcome = try sendingDatagrams(
                to: ChainNode.addresses("a")[0], service.nodePort(), scene
            ) {
                scene.end("node-a", by: SIGKILL)
                server.signal(SIGKILL)
                service.endpoints = [.b]
                try scene.put(service)
                try scene.start("node-a")
                try scene.expectAnswers(service.targets(.node("a")), by: [.b])
            }
            #expect(outcome.changes.map(\.endpoint) == [ChainPod.a, .b].map { $0.addresses[0] })
            #expect(outcome.lastLoss <= outcome.changes.last?.time ?? 0, "\(outcome)")
        }
    }
}

extension ChainProgram {
    /// `datagrams ADDRESS PORT`: one every 5 ms from one socket; at SIGTERM it says what became of
    /// them.
    static let datagrams = """
        import json, signal, socket, sys, time

        isEnding = []
        signal.signal(signal.SIGTERM, lambda *_: isEnding.append(1))
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        place = sys.argv[1], int(sys.argv[2])
        wire = socket.socket(
            socket.AF_INET6 if ":" in place[0] else socket.AF_INET, socket.SOCK_DGRAM)
        wire.settimeout(0.001)
        sent, open, changes = 0, {}, []
        due, end = time.time(), None
        while not end or time.time() < end + 0.2:
            now = time.time()
            if isEnding and not end:
                end = now
            if not end and now >= due:
                open[sent] = now
                wire.sendto(str(sent).encode(), place)
                sent, due = sent + 1, due + 0.005
            try:
                endpoint, _, _, number = wire.recv(2048).decode().split()
            except OSError:
                continue
            open.pop(int(number), None)
            if not changes:
                print("answered", flush=True)
            if not changes or changes[-1]["endpoint"] != endpoint:
                changes.append({"time": time.time(), "endpoint": endpoint})
        print(json.dumps({
            "sent": sent, "lost": len(open), "changes": changes,
            "lastLoss": max(open.values(), default=0)}), flush=True)
        """
}
