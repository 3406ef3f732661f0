import CLinux
import Glibc
import NetworkTypes

/// Questions whose answers are many messages.
extension NftablesSocket {
    /// How a dump ended.
    package enum DumpEnd: Equatable, Sendable {
        /// All of it was told, as it was at one moment.
        case complete
        /// Somebody changed something meanwhile, so the parts need not fit together. To be asked
        /// again.
        case interrupted
        /// The kernel refused to tell, with the error number of `errno(3)`.
        case refused(Int32)
        /// There was more than the caller wanted to hear.
        case tooLong
    }

    /// A message of an answer: its type (subsystem in the upper byte) and what is behind the
    /// netlink header.
    package typealias Part = (_ type: UInt16, _ payload: Span<UInt8>) -> Void

    /// As much as fits into one part of a dump; the kernel makes none larger.
    private static let partCapacity = 32_768

    /// Sends a question with `NLM_F_DUMP` and hands every message of the answer to `body`, at most
    /// `limit` bytes of them. No part is kept here: what a dump costs is up to the caller.
    ///
    /// - Throws: when the socket failed, or the answer broke off.
    package func dump(
        _ question: [UInt8], sequence: UInt32, limit: Int, subject: String, _ body: Part
    ) throws(SystemError) -> DumpEnd {
        // Parts of an answer that was given up must not be taken for this one.
        _ = try answers(subject: subject)
        let status = unsafe question.withUnsafeBytes {
            unsafe martlet_nftables_send(descriptor, $0.baseAddress, UInt($0.count))
        }
        guard status == 0 else {
            throw SystemError("sendto(NETLINK_NETFILTER)", errno: -status, subject: subject)
        }
        var progress = DumpProgress(sequence: sequence)
        var buffer = [UInt8](repeating: 0, count: Self.partCapacity)
        var taken = 0
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe martlet_netlink_receive(descriptor, $0.baseAddress, UInt($0.count))
            }
            switch count {
            case 0...buffer.count: break
            case Int(-EAGAIN):
                throw SystemError(
                    "recv(NETLINK_NETFILTER)", errno: ENODATA, subject: subject,
                    detail: "the kernel's answer broke off")
            case let count where count > 0:
                throw SystemError("recv(NETLINK_NETFILTER)", errno: EMSGSIZE, subject: subject)
            default:
                throw SystemError(
                    "recv(NETLINK_NETFILTER)", errno: Int32(clamping: -count), subject: subject)
            }
            taken += count
            if let end = progress.read(buffer.span.extracting(first: count), body) { return end }
            if taken > limit {
                // What is left is read and thrown away, so that the socket can be used again.
                while progress.end == nil {
                    let rest = unsafe buffer.withUnsafeMutableBytes {
                        unsafe martlet_netlink_receive(descriptor, $0.baseAddress, UInt($0.count))
                    }
                    guard rest > 0, rest <= buffer.count else { return .tooLong }
                    _ = progress.read(buffer.span.extracting(first: rest)) { _, _ in }
                }
                return .tooLong
            }
        }
    }

    /// Sends a question that has one message for an answer, or a refusal; the answer goes to
    /// `body`.
    ///
    /// - Returns: the refusal; `nil` when there was an answer.
    package func ask(
        _ question: [UInt8], sequence: UInt32, subject: String, _ body: Part
    ) throws(SystemError) -> Refusal? {
        let end = try dump(question, sequence: sequence, limit: 1 << 20, subject: subject, body)
        guard case .refused(let code) = end else { return nil }
        return Refusal(sequence: sequence, code: code, detail: "")
    }
}

/// Follows an answer of several parts through its datagrams.
struct DumpProgress {
    /// `NLMSG_ERROR`, `NLMSG_DONE`.
    private static let error: UInt16 = 2
    private static let done: UInt16 = 3

    /// `NLM_F_DUMP_INTR`.
    private static let interrupted: UInt16 = 0x10

    let sequence: UInt32
    private(set) var end: NftablesSocket.DumpEnd?
    private var isInterrupted = false

    init(sequence: UInt32) { self.sequence = sequence }

    /// Takes in a datagram; says how the dump ended, once it has.
    mutating func read(
        _ datagram: Span<UInt8>, _ body: NftablesSocket.Part
    ) -> NftablesSocket.DumpEnd? {
        var reader = NetlinkReader(datagram)
        while let message = reader.nextMessage() {
            guard message.sequence == sequence else { continue }
            if message.flags & Self.interrupted != 0 { isInterrupted = true }
            switch message.type {
            case Self.error, Self.done:
                // Both begin with an error number, which is 0 or negative.
                let code = message.payload.hostInteger(UInt32.self, at: 0) ?? 0
                end =
                    code != 0
                    ? .refused(Int32(bitPattern: 0 &- code))
                    : isInterrupted ? .interrupted : .complete
            default: body(message.type, message.payload)
            }
        }
        return end
    }
}
