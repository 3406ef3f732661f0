import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainRollingTests {}
}

/// Endpoints that come and go under load.
extension RealNetwork.Chain.ChainRollingTests {
    /// What a client saw that sends a request a millisecond, each over a connection of its own.
    private struct Outcome: Decodable {
        var sent: Int
        var seconds: Double
        /// By endpoint.
        var answers: [String: Int]
        var failures: [String: Int]
        var slowest: Double
    }

    private static let port = 8097

    /// Starts a web server in a Pod that says whose it is.
    private func start(_ pod: ChainPod, _ scene: ChainScene) throws -> Background {
        let place = scene.lan.folder.appending(path: "rolling-\(pod.letter)\(pod.number)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let configuration = """
            daemon off; master_process off; pid \(place)/pid; error_log \(place)/errors;
            events { worker_connections 4096; }
            http {
                access_log off; keepalive_timeout 0;
                client_body_temp_path \(place); proxy_temp_path \(place);
                fastcgi_temp_path \(place); uwsgi_temp_path \(place); scgi_temp_path \(place);
                server {
                    listen \(pod.addresses[0]):\(Self.port) backlog=1024;
                    listen [\(pod.addresses[1])]:\(Self.port) backlog=1024;
                    location / { return 200 "$server_addr\\n"; }
                }
            }
            """
        try configuration.write(toFile: "\(place)/conf", atomically: true, encoding: .utf8)
        let server = try scene.lan.start(
            pod.host, ["nginx", "-e", "\(place)/errors", "-c", "\(place)/conf"],
            log: "rolling-\(pod.letter)\(pod.number).log")
        let isUp = try eventually {
            try scene.lan.run(
                pod.host, "curl -s -m 1 \(pod.addresses[0]):\(Self.port)", allowFailure: true
            ).status == 0
        }
        try #require(isUp != nil)
        return server
    }

    @Test("every endpoint is replaced twice under 1,000 requests a second, and no request fails")
    func rolling() throws {
        let scene = try ChainScene.here()
        let generations = [20, 21, 22].map { number in
            ["a", "b"].map { ChainPod(letter: $0, number: number) }
        }
        for pod in generations.joined() { try scene.addPod(pod) }
        var service = ChainService(
            name: "rolling", number: 203,
            ports: [.init(transport: "TCP", port: 80, target: Self.port)],
            endpoints: generations[0])
        var servers: [ChainPod: Background] = [:]
        for pod in generations[0] { servers[pod] = try start(pod, scene) }
        try scene.withServices(service) {
            let isOpen = try eventually(within: 8) {
                try scene.lan.fetch("http://\(service.addresses[0])/") != nil
                    && scene.lan.fetch("http://[\(service.addresses[1])]/") != nil
            }
            try #require(isOpen != nil, "\(scene.lastWords)")
            let client = try scene.lan.start(
                "client",
                ["python3", "-c", ChainProgram.requests, "80", "1000"] + service.addresses,
                log: "requests.log", patience: 5)
            for (old, new) in zip(generations, generations.dropFirst()) {
                for (leaving, coming) in zip(old, new) {
                    // As a Deployment does it: the new one is ready, then the old one is told to
                    // end, is given time for the news to spread, and is gone.
                    servers[coming] = try start(coming, scene)
                    service.endpoints += [coming]
                    try scene.put(service)
                    usleep(250_000)
                    service.endpoints = service.endpoints.map {
                        $0 == leaving ? leaving.terminating : $0
                    }
                    try scene.put(service)
                    usleep(300_000)
                    servers[leaving]?.signal(SIGKILL)
                    service.endpoints.removeAll { $0 == leaving.terminating }
                    try scene.put(service)
                }
            }
            client.signal(SIGTERM)
            let outcome = try JSONDecoder().decode(Outcome.self, from: Data(client.text.utf8))
            #expect(outcome.failures.isEmpty, "\(outcome)")
            #expect(outcome.answers.values.reduce(0, +) == outcome.sent)
            #expect(Double(outcome.sent) > 950 * outcome.seconds, "\(outcome)")
            for address in generations.joined().flatMap(\.addresses) {
                #expect(outcome.answers[address, default: 0] > 0, "\(address)")
            }
            report("the slowest of \(outcome.sent) requests", outcome.slowest)
        }
    }
}

extension ChainProgram {
    /// `requests PORT RATE ADDRESS …`: so many requests a second to the addresses in turn, each
    /// over a connection of its own, whether or not the earlier ones were answered; at SIGTERM it
    /// says what became of them.
    static let requests = """
        import collections, json, select, signal, socket, sys, time

        port, rate, addresses = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
        isEnding = []
        signal.signal(signal.SIGTERM, lambda *_: isEnding.append(1))
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        text = b"GET / HTTP/1.0\\r\\nHost: example.com\\r\\n\\r\\n"
        wait, running = select.epoll(), {}
        answers, failures = collections.Counter(), collections.Counter()
        begin, sent, slowest, end = time.monotonic(), 0, 0.0, None

        def finish(number, failure=None):
            global slowest
            wire, since, got = running.pop(number)
            wait.unregister(number)
            wire.close()
            head, _, body = got.partition(b"\\r\\n\\r\\n")
            if not failure and not (head.split()[1:2] == [b"200"] and body.endswith(b"\\n")):
                failure = "half an answer"
            if failure:
                failures[failure] += 1
            else:
                answers[body.decode().strip()] += 1
                slowest = max(slowest, time.monotonic() - since)

        while running or not end:
            now = time.monotonic()
            if isEnding and not end:
                end = now
            while not end and now >= begin + sent / rate:
                address = addresses[sent % len(addresses)]
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                wire = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                wire.connect_ex((address, port))
                wait.register(wire, select.EPOLLOUT)
                running[wire.fileno()] = [wire, now, b""]
                sent += 1
            for number, events in wait.poll(max(0, begin + sent / rate - now) if not end else 0.1):
                wire = running[number][0]
                try:
                    if events & select.EPOLLOUT:
                        wire.send(text)
                        wait.modify(number, select.EPOLLIN)
                        continue
                    if (more := wire.recv(4096)):
                        running[number][2] += more
                    else:
                        finish(number)
                except OSError as error:
                    finish(number, error.strerror)
            if sent % 256 == 0 or end:
                for number in [key for key, value in running.items() if now - value[1] > 3]:
                    finish(number, "no answer within 3 s")
        print(json.dumps({
            "sent": sent, "seconds": end - begin, "answers": answers, "failures": failures,
            "slowest": slowest}), flush=True)
        """
}
