import Foundation
import Testing

/// A WebSocket and a download that go on for as long as this lives, from the client to an address.
final class ChainStreams {
    /// What became of one of them.
    struct Stream: Decodable {
        /// Messages that came back, or blocks that came.
        var count: Int
        /// The longest silence, in seconds.
        var gap: Double
        /// How it ended, when it did.
        var end: String?
    }

    static let port = 8095

    let address: String
    private let process: Background

    /// Starts the server of these in a Pod.
    static func serve(_ pod: ChainPod, in scene: ChainScene) throws {
        let server = try scene.lan.start(
            pod.host, ["python3", "-c", ChainProgram.streamServer, "\(port)"], log: "streams.log")
        let isUp = eventually(within: 10) { server.text.contains("listening") }
        try #require(isUp != nil, "\(server.text)")
    }

    init(_ scene: ChainScene, to address: String, port: Int) throws {
        self.address = address
        process = try scene.lan.start(
            "client", ["python3", "-c", ChainProgram.streamClient, address, "\(port)"],
            log: "streams-\(UUID().uuidString).log")
        let isRunning = eventually { (try? state()) != nil }
        try #require(isRunning != nil, "\(process.text)")
    }

    /// As it is now, by the name of the stream; the longest silence since it was last asked.
    func state() throws -> [String: Stream] {
        let lines = process.text.split(separator: "\n").count
        process.signal(SIGUSR1, wait: false)
        _ = eventually { process.text.split(separator: "\n").count > lines }
        let last = process.text.split(separator: "\n").last ?? ""
        return try JSONDecoder().decode([String: Stream].self, from: Data(last.utf8))
    }

    /// Expects that both go on, after something that must not disturb them.
    ///
    /// Returns the longest silence.
    func expectAlive(
        _ after: String, location: SourceLocation = #_sourceLocation
    ) throws -> Double {
        let before = try state()
        for (name, stream) in before {
            try #require(
                stream.end == nil, "\(name) to \(address) ended after \(after)",
                sourceLocation: location)
            #expect(stream.gap < 1, "\(name) to \(address): \(after)", sourceLocation: location)
        }
        let goOn = try eventually {
            let now = try state()
            return now.allSatisfy { $0.value.count > before[$0.key]?.count ?? 0 }
        }
        try #require(goOn != nil, "\(address) after \(after): \(before)", sourceLocation: location)
        return before.values.map(\.gap).max() ?? 0
    }
}

extension ChainProgram {
    /// `streamServer PORT`: echoes what comes over a WebSocket (RFC 6455), and sends numbers to
    /// whoever asks for anything else, 4 KiB every 5 ms.
    static let streamServer = """
        import base64, hashlib, socket, struct, sys, threading, time

        def serve(wire):
            stream = wire.makefile("rb")
            head = {}
            stream.readline()
            while (line := stream.readline().strip()):
                name, value = line.split(b":", 1)
                head[name.strip().lower()] = value.strip()
            if b"sec-websocket-key" in head:
                salt = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                digest = hashlib.sha1(head[b"sec-websocket-key"] + salt).digest()
                wire.sendall(
                    b"HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\n"
                    b"Connection: Upgrade\\r\\nSec-WebSocket-Accept: "
                    + base64.b64encode(digest) + b"\\r\\n\\r\\n")
                while len(start := stream.read(2)) == 2:
                    size = start[1] & 127
                    mask, text = stream.read(4), stream.read(size)
                    plain = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
                    wire.sendall(bytes([0x81, size]) + plain)
                return
            wire.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\n\\r\\n")
            number = 0
            while True:
                wire.sendall(struct.pack("!512Q", *range(number, number + 512)))
                number += 512
                time.sleep(0.005)

        def guarded(wire):
            try:
                serve(wire)
            except OSError:
                pass
            wire.close()

        door = socket.create_server(
            ("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
        print("listening", flush=True)
        while True:
            wire, _ = door.accept()
            threading.Thread(target=guarded, args=[wire], daemon=True).start()
        """

    /// `streamClient ADDRESS PORT`: one WebSocket and one download; a line at each SIGUSR1.
    static let streamClient = """
        import base64, hashlib, json, os, signal, socket, struct, sys, threading, time

        place = sys.argv[1], int(sys.argv[2])
        streams = {
            name: {"count": 0, "gap": 0.0, "last": time.monotonic(), "end": None}
            for name in ("websocket", "download")}

        def tick(name):
            now, state = time.monotonic(), streams[name]
            state["gap"] = max(state["gap"], now - state["last"])
            state["last"] = now
            state["count"] += 1

        def head(stream, status):
            line = stream.readline()
            assert line.split()[1] == status, line
            return dict(iter(lambda: tuple(stream.readline().split(b": ")), (b"\\r\\n",)))

        def websocket():
            with socket.create_connection(place, 5) as wire:
                wire.settimeout(None)
                key = base64.b64encode(os.urandom(16))
                wire.sendall(
                    b"GET /socket HTTP/1.1\\r\\nHost: example.com\\r\\nUpgrade: websocket\\r\\n"
                    b"Connection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\n"
                    b"Sec-WebSocket-Key: " + key + b"\\r\\n\\r\\n")
                stream = wire.makefile("rb")
                answer = head(stream, b"101")[b"Sec-WebSocket-Accept"].strip()
                salt = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
                assert answer == base64.b64encode(hashlib.sha1(key + salt).digest())
                while True:
                    text, mask = struct.pack("!Q", streams["websocket"]["count"]), os.urandom(4)
                    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
                    wire.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
                    assert stream.read(2 + len(text)) == bytes([0x81, len(text)]) + text
                    tick("websocket")
                    time.sleep(0.01)

        def download():
            with socket.create_connection(place, 5) as wire:
                wire.settimeout(None)
                wire.sendall(b"GET /file HTTP/1.1\\r\\nHost: example.com\\r\\n\\r\\n")
                stream = wire.makefile("rb")
                head(stream, b"200")
                number = 0
                while True:
                    block = stream.read(4096)
                    assert block == struct.pack("!512Q", *range(number, number + 512)), len(block)
                    number += 512
                    tick("download")

        def guarded(name, body):
            try:
                body()
            except Exception as error:
                streams[name]["end"] = repr(error)

        def tell(*_):
            shown = {}
            for name, state in streams.items():
                gap = max(state["gap"], time.monotonic() - state["last"])
                shown[name] = {"count": state["count"], "gap": gap, "end": state["end"]}
                state["gap"] = 0.0
            print(json.dumps(shown), flush=True)

        for name, body in [("websocket", websocket), ("download", download)]:
            threading.Thread(target=guarded, args=[name, body], daemon=True).start()
        signal.signal(signal.SIGUSR1, tell)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        print(flush=True)
        while True:
            time.sleep(60)
        """
}
