import Foundation

/// Sends frames made byte by byte, which arping and ndisc6 would not send, and tells what came
/// back.
struct FrameSender {
    private static let program = """
        import select, socket, sys, time
        interface, until = sys.argv[1], sys.argv[4]
        seconds, pause = float(sys.argv[2]), float(sys.argv[3])
        frames = [bytes.fromhex(text) for text in sys.argv[5:]]
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        wire.bind((interface, 0))
        end = time.monotonic() + seconds
        due = time.monotonic()
        while time.monotonic() < end:
            if due is not None and time.monotonic() >= due:
                for frame in frames:
                    wire.send(frame)
                due = due + pause if pause > 0 else None
            wait = min(end, end if due is None else due) - time.monotonic()
            if not select.select([wire], [], [], max(wait, 0))[0]:
                continue
            frame, place = wire.recvfrom(2048)
            if place[2] != socket.PACKET_OUTGOING:
                print(frame.hex(), flush=True)
                if until and until in frame.hex():
                    end, until = min(end, time.monotonic() + 0.15), ""

        """

    let lan: NamespacedLAN
    let host: String
    private let script: String

    init(_ lan: NamespacedLAN, on host: String = "client") throws {
        self.lan = lan
        self.host = host
        let file = lan.folder.appending(path: "frames.py")
        try Self.program.write(to: file, atomically: true, encoding: .utf8)
        script = file.path
    }

    /// Sends frames once, and returns what arrived until shortly after a frame that contains
    /// `last`, or for three seconds.
    func send(_ frames: [[UInt8]], until last: [UInt8]) throws -> [[UInt8]] {
        let hex = frames.map(\.hex).joined(separator: " ")
        let output = try lan.run(host, "python3 \(script) eth0 3 0 \(last.hex) \(hex)")
        return output.text.split(separator: "\n").compactMap { [UInt8](hex: $0) }
    }

    /// Sends frames again and again until the process that is returned is stopped.
    func `repeat`(_ frames: [[UInt8]], every pause: Double, log: String) throws -> Background {
        try lan.start(
            host, ["python3", script, "eth0", "60", "\(pause)", ""] + frames.map(\.hex), log: log)
    }
}

extension [UInt8] {
    var hex: String { map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() }

    init?(hex: some StringProtocol) {
        let digits = hex.compactMap(\.hexDigitValue)
        guard digits.count == hex.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}
