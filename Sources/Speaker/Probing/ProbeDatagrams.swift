import Kubernetes
import LinuxNetwork
import LoadBalancing
import NetworkTypes

/// Questions by UDP, all through one socket a family: an answer is known by who sends it, and where
/// several Services ask one port, by what they expect.
final class ProbeDatagrams {
    /// A question that waits for its answer.
    private struct Question {
        let target: EndpointHealth.Target
        let attempt: UInt64
        let expects: [UInt8]?
        /// When silence is taken for consent; `nil` where an answer is expected.
        let contentAt: Instant?
    }

    /// An answer to a question.
    typealias Reply = (target: EndpointHealth.Target, attempt: UInt64, answer: ProbeAnswer)

    let family: IPAddress.Family
    let socket: DatagramSocket
    private var questions: [SocketAddress: [Question]] = [:]

    init(_ family: IPAddress.Family) throws(SystemError) {
        self.family = family
        socket = try DatagramSocket(
            SocketAddress(family == .ipv4 ? .unspecifiedIPv4 : .unspecifiedIPv6, port: 0))
    }

    /// When silence is taken for consent next.
    var nextDeadline: Instant? {
        questions.values.lazy.flatMap { $0 }.compactMap(\.contentAt).min()
    }

    /// Sends a question.
    func ask(
        _ target: EndpointHealth.Target, attempt: UInt64, sends: [UInt8], expects: [UInt8]?,
        patience: Duration, at now: Instant
    ) -> [Reply] {
        let peer = SocketAddress(target.address, port: target.port)
        questions[peer, default: []].append(
            Question(
                target: target, attempt: attempt, expects: expects,
                contentAt: expects == nil ? now + patience / 2 : nil))
        socket.enqueue(sends.span, to: peer)
        return socket.flush().flatMap { failure in
            close(failure.destination) { _ in
                ProbeAnswer(
                    SystemError(
                        "sendmsg", errno: failure.code, subject: "UDP \(failure.destination)"))
            }
        }
    }

    /// Forgets a question.
    func forget(_ target: EndpointHealth.Target) {
        let peer = SocketAddress(target.address, port: target.port)
        questions[peer]?.removeAll { $0.target == target }
        if questions[peer]?.isEmpty == true { questions[peer] = nil }
    }

    /// Reads what came, as far as it comes from who was asked. Of a flood the rest waits for the
    /// next turn, so that nobody can keep the thread from its other questions.
    func receive() throws(SystemError) -> [Reply] {
        var refusals: [(SocketAddress, ProbeAnswer)] = []
        for _ in 0..<Self.batches {
            let count = try socket.receiveErrors { error in
                guard questions[error.peer] != nil else { return }
                switch error.kind {
                case .portUnreachable: refusals.append((error.peer, .refused))
                case .hostUnreachable: refusals.append((error.peer, .unreachable))
                case .other: break
                }
            }
            if count < Self.batch { break }
        }
        var answers: [(SocketAddress, [UInt8])] = []
        for _ in 0..<Self.batches {
            let count = try socket.receive { bytes, peer in
                guard questions[peer] != nil else { return }
                let length = min(bytes.count, Self.longest)
                var beginning: [UInt8] = []
                beginning.reserveCapacity(length)
                for index in 0..<length { beginning.append(bytes[index]) }
                answers.append((peer, beginning))
            }
            if count < Self.batch { break }
        }
        var replies: [Reply] = []
        for (peer, answer) in refusals { replies += close(peer) { _ in answer } }
        for (peer, bytes) in answers {
            let isAlone = questions[peer]?.count == 1
            replies += close(peer) { question in
                guard let expected = question.expects, !bytes.starts(with: expected) else {
                    return .good
                }
                // It may be the answer to what another Service asked.
                return isAlone ? .unexpected : nil
            }
        }
        return replies
    }

    /// Those whose silence has lasted long enough to be taken for consent.
    func consents(at now: Instant) -> [Reply] {
        guard let first = nextDeadline, first <= now else { return [] }
        return Array(questions.keys).flatMap { peer in
            close(peer) { question in
                guard let contentAt = question.contentAt, contentAt <= now else { return nil }
                return .good
            }
        }
    }

    /// Ends the questions to a peer that `verdict` has an answer for.
    private func close(
        _ peer: SocketAddress, _ verdict: (Question) -> ProbeAnswer?
    ) -> [Reply] {
        var replies: [Reply] = []
        questions[peer]?.removeAll { question in
            guard let answer = verdict(question) else { return false }
            replies.append((question.target, question.attempt, answer))
            return true
        }
        if questions[peer]?.isEmpty == true { questions[peer] = nil }
        return replies
    }

    /// So many come with one call; then there may be more.
    private static let batch = 64
    private static let batches = 64
    private static let longest = 512
}
