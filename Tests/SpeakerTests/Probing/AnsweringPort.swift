import Glibc
import LinuxNetwork
import NetworkTypes
import Synchronization

/// A TCP port of a loopback address, 127.0.0.1 unless another is said, that gives the same answer
/// to whoever asks, on a thread of its own.
final class AnsweringPort: Sendable {
    let address: SocketAddress
    private let answer: Mutex<String>
    private let asked = Mutex<[String]>([])
    private let accepted = Mutex(0)
    private let isStopped = Mutex(false)
    private let thread = Mutex<NetworkThread?>(nil)

    init(_ answer: String, at place: IPAddress = IPAddress(ipv4: 0x7f00_0001)) throws {
        self.answer = Mutex(answer)
        let listener = try StreamListener(SocketAddress(place, port: 0))
        address = listener.local
        // Nobody but the thread touches it from here on.
        nonisolated(unsafe) let port = listener
        let started = try NetworkThread(name: "test-port") { [self] in serve(port) }
        thread.withLock { $0 = started }
    }

    /// What was asked so far.
    var questions: [String] { asked.withLock { $0 } }

    /// How many connections there were so far.
    var connections: Int { accepted.withLock { $0 } }

    func change(_ text: String) { answer.withLock { $0 = text } }

    func stop() {
        isStopped.withLock { $0 = true }
        thread.withLock { $0 }?.join()
    }

    private func serve(_ listener: StreamListener) {
        var open: [StreamSocket] = []
        let buffer = StreamBuffer()
        while !isStopped.withLock({ $0 }) {
            // A port that fails shows as a question that is not answered.
            _ = try? listener.accept { socket in
                accepted.withLock { $0 += 1 }
                open.append(socket)
            }
            open.removeAll { socket in
                var text: [UInt8] = []
                let received = try? socket.receive(with: buffer) { bytes in
                    for index in bytes.indices { text.append(bytes[index]) }
                }
                switch received {
                case .nothing?: return false
                case .data?:
                    asked.withLock { $0.append(String(decoding: text, as: UTF8.self)) }
                    let reply = Array(answer.withLock { $0 }.utf8)
                    _ = try? socket.send(reply.span)
                case .end?, nil: break
                }
                socket.close()
                return true
            }
            usleep(1_000)
        }
    }
}
