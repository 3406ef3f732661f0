import Foundation
import Testing

extension RealNetwork.Chain {
    @Suite struct ChainIngressTests {}
}

/// Several things behind one address.
extension RealNetwork.Chain.ChainIngressTests {
    /// An ingress for two host names, whose backends are two Services of the cluster, and these
    /// Services' own servers.
    private func startIngress(
        _ pod: ChainPod, _ shop: ChainService, _ blog: ChainService, _ scene: ChainScene
    ) throws {
        let place = scene.lan.folder.appending(path: "ingress-\(pod.letter)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        func proxy(_ host: String, _ service: ChainService) -> String {
            """
            server {
                listen \(pod.addresses[0]):8088; listen [\(pod.addresses[1])]:8088;
                server_name \(host);
                location / {
                    proxy_pass http://\(service.clusterAddresses[0]);
                    proxy_set_header X-Real-IP $remote_addr;
                }
            }
            """
        }
        func backend(_ name: String, _ port: Int) -> String {
            """
            server {
                listen \(pod.addresses[0]):\(port); listen [\(pod.addresses[1])]:\(port);
                location / { return 200 "\(name) on \(pod.letter) for $http_x_real_ip\\n"; }
            }
            """
        }
        let configuration = """
            daemon off; master_process off; pid \(place)/pid; error_log \(place)/errors;
            events {}
            http {
                access_log off;
                client_body_temp_path \(place); proxy_temp_path \(place);
                fastcgi_temp_path \(place); uwsgi_temp_path \(place); scgi_temp_path \(place);
                \(proxy("shop.example.com", shop))
                \(proxy("blog.example.com", blog))
                \(backend("shop", 8081))
                \(backend("blog", 8082))
            }
            """
        try configuration.write(toFile: "\(place)/conf", atomically: true, encoding: .utf8)
        _ = try scene.lan.start(
            pod.host, ["nginx", "-e", "\(place)/errors", "-c", "\(place)/conf"],
            log: "ingress-\(pod.letter).log")
    }

    @Test("nginx as an ingress serves two host names behind one address")
    func ingress() throws {
        let scene = try ChainScene.here()
        func service(_ name: String, _ number: Int, _ target: Int) -> ChainService {
            ChainService(
                name: name, number: number,
                ports: [.init(transport: "TCP", port: 80, target: target)], endpoints: [.a, .b])
        }
        var ingress = service("ingress", 208, 8088)
        ingress.policy = "Local"
        let (shop, blog) = (service("shop", 209, 8081), service("blog", 210, 8082))
        for pod in [ChainPod.a, .b] { try startIngress(pod, shop, blog, scene) }
        try scene.withServices(ingress, shop, blog) {
            for (address, client) in zip(ingress.addresses, ["192.0.2.100", "2001:db8:2::100"]) {
                let host = address.contains(":") ? "[\(address)]" : address
                for name in ["shop", "blog"] {
                    var seen: Set<String> = []
                    // Each request goes through the ingress to either node's backend.
                    _ = try eventually(within: 8) {
                        let answer = try scene.lan.run(
                            "client",
                            "curl -gs -m 1 -H 'Host: \(name).example.com' http://\(host)/",
                            allowFailure: true)
                        if answer.status == 0 { seen.insert(answer.text) }
                        return seen.count == 2
                    }
                    let expected = ["a", "b"].map { "\(name) on \($0) for \(client)\n" }
                    #expect(seen == Set(expected), "\(scene.lastWords)")
                }
            }
        }
    }

    @Test("DNS over UDP and TCP behind one address of two Services, a truncated answer included")
    func nameServer() throws {
        let scene = try ChainScene.here()
        let names = ["udp", "tcp"]
        let services = names.enumerated().map { index, name in
            var service = ChainService(
                name: "dns-\(name)", number: 211,
                ports: [.init(transport: name.uppercased(), port: 53, target: 5300)],
                endpoints: [.a, .b])
            service.annotations = ["metallb.io/allow-shared-ip: dns"]
            service.cluster = 211 + index
            return service
        }
        for pod in [ChainPod.a, .b] {
            let server = try scene.lan.start(
                pod.host,
                ["python3", "-c", ChainProgram.nameServer, pod.addresses.joined(separator: ",")],
                log: "dns-\(pod.letter).log")
            let isUp = eventually(within: 10) { server.text.contains("listening") }
            #expect(isUp != nil, "\(server.text)")
        }
        try scene.withServices(services[0], services[1]) {
            for address in services[0].addresses {
                for (name, answer) in [
                    ("www.example.com", "udp 203.0.113.80"),
                    ("large.example.com", "udp truncated, tcp 203.0.113.80"),
                ] {
                    var last = ""
                    let isAnswered = try eventually(within: 8) {
                        let question = [
                            "ip", "netns", "exec", scene.lan.namespace("client"), "python3", "-c",
                            ChainProgram.nameQuestion, address, name,
                        ]
                        last = try Shell.run(question, allowFailure: true).text
                        return last == answer + "\n"
                    }
                    #expect(isAnswered != nil, "\(address) \(name): \(last)")
                }
            }
        }
    }
}

extension ChainProgram {
    /// `nameServer ADDRESS,…`: answers every question for an A record on port 5300 with
    /// 203.0.113.80 (RFC 1035); over UDP names that begin with `large` are truncated.
    static let nameServer = """
        import selectors, socket, struct, sys

        def answer(question, isDatagram):
            number, = struct.unpack("!H", question[:2])
            end = question.index(b"\\0", 12) + 5
            isLarge = isDatagram and question[13:].startswith(b"large")
            flags = 0x8580 | (0x0200 if isLarge else 0)
            head = struct.pack("!6H", number, flags, 1, 0 if isLarge else 1, 0, 0)
            record = struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + bytes([203, 0, 113, 80])
            return head + question[12:end] + (b"" if isLarge else record)

        wait = selectors.DefaultSelector()
        for address in sys.argv[1].split(","):
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                wire = socket.socket(family, kind)
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                wire.bind((address, 5300))
                if kind == socket.SOCK_STREAM:
                    wire.listen(16)
                wait.register(wire, selectors.EVENT_READ, kind)
        print("listening", flush=True)
        while True:
            for key, _ in wait.select():
                if key.data == socket.SOCK_DGRAM:
                    question, client = key.fileobj.recvfrom(512)
                    key.fileobj.sendto(answer(question, True), client)
                    continue
                peer, _ = key.fileobj.accept()
                with peer, peer.makefile("rb") as stream:
                    size, = struct.unpack("!H", stream.read(2))
                    text = answer(stream.read(size), False)
                    peer.sendall(struct.pack("!H", len(text)) + text)
        """

    /// `nameQuestion ADDRESS NAME`: asks as a resolver does, over UDP, and once more over TCP when
    /// the answer is truncated.
    static let nameQuestion = """
        import random, socket, struct, sys

        place = sys.argv[1], 53
        number = random.randrange(65536)
        labels = b"".join(bytes([len(part)]) + part for part in sys.argv[2].encode().split(b"."))
        question = (
            struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + labels
            + b"\\0" + struct.pack("!HH", 1, 1))

        def shown(text):
            assert text[:2] == question[:2] and text[2] & 0x80
            if text[2] & 2:
                return "truncated"
            return socket.inet_ntoa(text[-4:])

        family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as wire:
            wire.settimeout(1)
            wire.sendto(question, place)
            words = "udp " + shown(wire.recv(512))
        if "truncated" in words:
            with socket.create_connection(place, 1) as wire, wire.makefile("rb") as stream:
                wire.sendall(struct.pack("!H", len(question)) + question)
                size, = struct.unpack("!H", stream.read(2))
                words += ", tcp " + shown(stream.read(size))
        print(words)
        """
}
