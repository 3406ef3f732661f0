import Foundation
import Testing

extension RealNetwork {
    @Suite struct BGPDrainTests {}
}

/// A client behind a router with two ways to a Service, while one of them goes.
extension RealNetwork.BGPDrainTests {
    private static let prefix = "198.18.0.10/32"

    /// Requests every 2 ms, in turn from 64 ports, so that both ways have their share. Prints how
    /// many there were, how many were not answered within 200 ms, and for how long.
    private static let client = """
        import select, signal, socket, sys, time
        over = False
        def end(*_):
            global over
            over = True
        signal.signal(signal.SIGTERM, end)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        wires, poll, sent, answered = [], select.epoll(), [], {}
        for number in range(64):
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            wire.setblocking(False)
            wire.connect((sys.argv[1], int(sys.argv[2])))
            poll.register(wire.fileno(), select.EPOLLIN)
            wires.append(wire)
        files = {wire.fileno(): wire for wire in wires}
        due, last = time.monotonic(), None
        while last is None or time.monotonic() < last:
            now = time.monotonic()
            if over and last is None:
                last = now + 0.25
            if last is None and now >= due:
                try:
                    wires[len(sent) % 64].send(b"%d" % len(sent))
                except OSError:
                    pass
                sent.append(now)
                due = max(due + 0.002, now - 0.02)
            wait = 0.05 if last is not None else max(due - time.monotonic(), 0)
            for file, _ in poll.poll(wait):
                try:
                    text = files[file].recv(2048)
                    answered[int(text.split(b": ")[1])] = time.monotonic()
                except OSError:
                    pass
        lost = [at for number, at in enumerate(sent)
                if answered.get(number, at + 1) - at > 0.2]
        window = lost[-1] - lost[0] if lost else 0
        print(len(sent), len(lost), window, flush=True)

        """

    private struct Scene {
        let lab: RouterLab
        let router: RawRouter

        var lan: NamespacedLAN { lab.lan }

        /// The router's routes to the Service: the sessions, and whether each is about to go.
        func ways() throws -> [String: Bool] {
            let text = try router.ask("show route all for \(prefix.prefix { $0 != "/" })")
            var ways: [String: Bool] = [:]
            var last = ""
            for line in text.split(separator: "\n") {
                if let match = line.firstMatch(of: /\[(node_.)\s/) {
                    last = String(match.1)
                    ways[last] = false
                } else if line.contains("BGP.community"), line.contains("(65535,0)") {
                    ways[last] = true
                }
            }
            return ways
        }

        /// What the router's kernel does with the Service's packets.
        func nextHops() throws -> Set<String> {
            let text = try lan.run("router", "ip route show \(prefix)").text
            return Set(text.matches(of: /via (\S+)/).map { String($0.1) })
        }

        func expectWays(_ hops: Set<String>, within seconds: Double = 10) throws {
            guard try eventually(within: seconds, { try nextHops() == hops }) != nil else {
                throw Unmet(
                    description: "wanted \(hops), is \(try nextHops())\n\(lab.lastWords)\n"
                        + router.process.text)
            }
        }
    }

    private struct Outcome {
        var sent: Int
        var lost: Int
        var window: Double
    }

    /// What became of a client's requests while something happened.
    private func requests(_ scene: Scene, while body: () throws -> Void) throws -> Outcome {
        let file = "\(scene.lan.folder.path)/client.py"
        try Self.client.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try scene.lan.start(
            "visitor", ["python3", file, "198.18.0.10", "9000"],
            log: "client-\(UUID().uuidString).log", patience: 3)
        usleep(500_000)
        try body()
        usleep(300_000)
        process.signal(SIGTERM)
        let words = process.text.split(whereSeparator: \.isWhitespace)
        guard words.count == 3, let sent = Int(words[0]), let lost = Int(words[1]),
            let window = Double(words[2])
        else { throw Unmet(description: "the client said \(process.text)") }
        return Outcome(sent: sent, lost: lost, window: window)
    }

    private func scene() throws -> Scene {
        let lab = try RouterLab(nodes: 2)
        let lan = lab.lan
        try lan.attach("router", host: 50)
        try lan.makeNamespace("visitor")
        try lan.run(
            "router",
            """
            sysctl -qw net.ipv4.ip_forward=1 net.ipv4.fib_multipath_hash_policy=1 &&
            ip link add inside type veth peer name eth0 netns \(lan.namespace("visitor")) &&
            ip link set inside up && ip addr add 203.0.113.1/24 dev inside
            """)
        try lan.run(
            "visitor",
            """
            ip link set eth0 up && ip addr add 203.0.113.10/24 dev eth0 &&
            ip route add default via 203.0.113.1
            """)
        for (index, node) in lan.nodes.enumerated() {
            try lan.run(node, "ip route add 203.0.113.0/24 via 192.0.2.50")
            try lan.startDatagramEcho(NamespacedLAN.letters[index], port: 9000)
        }
        try lan.write(
            "web.yaml",
            Manifests.service(
                "web", nodes: lan.nodes, policy: "Local", stack: "SingleStack", port: 9000,
                target: 9000, transport: "UDP",
                annotations: "metallb.io/loadBalancerIPs: 198.18.0.10"))
        try lan.write(
            "fast.yaml",
            """
            apiVersion: metallb.io/v1beta1
            kind: BFDProfile
            metadata: {name: fast, namespace: metallb-system}
            spec: {receiveInterval: 50, transmitInterval: 50}

            """)
        try lab.peer("router", at: "192.0.2.50", my: 64501, "bfdProfile: fast")
        let sessions = lan.nodes.enumerated().map { index, node in
            """
            protocol bgp \(node.replacing("-", with: "_")) {
              local 192.0.2.50 as 64500; neighbor 192.0.2.\(11 + index) as 64501; direct; bfd on;
              connect delay time 1; connect retry time 1; error wait time 1, 2;
              ipv4 {
                import filter {
                  if (65535, 0) ~ bgp_community then bgp_local_pref = 0;
                  accept;
                };
                export none;
              };
            }
            """
        }
        let router = try RawRouter(
            lan, in: "router", number: 50,
            """
            protocol kernel { ipv4 { export all; }; merge paths on; }
            protocol bfd { interface "eth0" { interval 50 ms; multiplier 3; }; }
            \(sessions.joined(separator: "\n"))
            """)
        let scene = Scene(lab: lab, router: router)
        for node in lan.nodes { try start(node, scene) }
        return scene
    }

    private func start(_ node: String, _ scene: Scene) throws {
        _ = try scene.lan.martlet(
            node, dataplane: "nftables", extra: ["--bgp-drain-time", "1"])
    }

    private static let both: Set = ["192.0.2.11", "192.0.2.12"]
    private static let second: Set = ["192.0.2.12"]

    /// Expects that the way over the first node is marked before it is gone.
    private func expectMarked(_ scene: Scene) throws {
        let isMarked = try eventually(within: 2) { try scene.ways()["node_a"] == true }
        #expect(isMarked != nil, "marked with GRACEFUL_SHUTDOWN first")
        let isGone = try eventually(within: 5) { try scene.ways()["node_a"] == nil }
        #expect(isGone != nil, scene.lab.lastWords)
        #expect(try scene.nextHops() == Self.second)
    }

    private func expectNoLoss(_ outcome: Outcome, _ what: Comment) {
        print("measured: \(what): \(outcome.sent) requests, \(outcome.lost) lost")
        #expect(outcome.lost == 0, what)
        #expect(outcome.sent > 300, what)
    }

    @Test("a drain, an end, a pause and a return lose no request, a death only a few")
    func goings() throws {
        let scene = try scene()
        try scene.expectWays(Self.both, within: 20)
        let steady = try requests(scene) { usleep(300_000) }
        #expect(steady.lost == 0, scene.lab.lastWords)

        let admin = scene.lan.adminSocket("node-a")
        let drained = try requests(scene) {
            // Returns when it is done, and that the routes are marked is seen meanwhile.
            let command = try scene.lan.start(
                "node-a", [NamespacedLAN.executable, "drain", "--admin", admin], log: "drain.log")
            try expectMarked(scene)
            let isSaid = eventually(within: 5) { command.text.contains("withdrawn") }
            #expect(isSaid != nil, Comment(rawValue: command.text))
        }
        expectNoLoss(drained, "drain")
        let undrained = try requests(scene) {
            try Shell.run([NamespacedLAN.executable, "undrain", "--admin", admin])
            try scene.expectWays(Self.both)
        }
        expectNoLoss(undrained, "undrain")
        let paused = try requests(scene) {
            let daemon = try daemon("node-a", scene)
            kill(daemon, SIGSTOP)
            try scene.expectWays(Self.second, within: 2)
            kill(daemon, SIGCONT)
            try scene.expectWays(Self.both)
        }
        expectNoLoss(paused, "SIGSTOP and SIGCONT")
        let ended = try requests(scene) {
            kill(try daemon("node-a", scene), SIGTERM)
            try expectMarked(scene)
        }
        expectNoLoss(ended, "SIGTERM")
        let isOver = try eventually(within: 8) { try processes("node-a", scene).isEmpty }
        #expect(isOver != nil, scene.lab.lastWords)
        let returned = try requests(scene) {
            try start("node-a", scene)
            try scene.expectWays(Self.both, within: 15)
        }
        expectNoLoss(returned, "start")

        try scene.lan.prepareFaults()
        let died = try requests(scene) {
            try scene.lan.inflict(.apart, on: "node-a")
            try scene.expectWays(Self.second, within: 3)
        }
        print("measured: node death, BFD 50 ms × 3: \(died.lost) of \(died.sent) requests lost")
        report("node death, BFD 50 ms × 3: requests lost during, at the end", died.window)
        #expect(died.lost > 0 && died.window < 0.4)
    }

    private func processes(_ node: String, _ scene: Scene) throws -> [Int32] {
        try scene.lan.run(
            node, "ip netns pids \(scene.lan.namespace(node))", allowFailure: true
        ).text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }.filter { number in
            let name = try? String(contentsOfFile: "/proc/\(number)/comm", encoding: .utf8)
            return name == "martlet\n"
        }
    }

    private func daemon(_ node: String, _ scene: Scene) throws -> Int32 {
        try #require(try processes(node, scene).first)
    }
}
