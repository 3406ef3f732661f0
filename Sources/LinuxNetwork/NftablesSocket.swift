import CLinux
import Glibc
import NetworkTypes

/// A socket to the kernel's netfilter subsystem, in the network namespace of the thread that opens
/// it, from whichever thread it is used later.
///
/// It speaks netlink itself and does not use libnftables, which reads the whole ruleset back before
/// every command: that makes the cost of one change grow with everything that is installed.
///
/// The kernel works a message off inside the send call, and all its answers are there when that
/// returns; of a dump it makes the next part whenever one has been taken. Nothing here ever waits.
package struct NftablesSocket: ~Copyable, Sendable {
    /// The kernel's answer to a message that it did not take.
    package struct Refusal: Equatable, Sendable {
        /// The message, by its sequence number; 0 or the first one for a transaction as a whole.
        package let sequence: UInt32
        /// The error number of `errno(3)`.
        package let code: Int32
        /// What the kernel said beyond the number; empty when nothing.
        package let detail: String

        /// Whether what the message is about does not exist.
        package var isNotFound: Bool { code == ENOENT }
    }

    /// How many refusals are kept of one transaction. The first ones say what is wrong; the rest
    /// follow from them, and are read and dropped.
    package static let maximumRefusals = 64

    let descriptor: Int32

    /// By this number the kernel tells others who changed something.
    package let port: UInt32

    /// Opens the socket.
    package init() throws(SystemError) {
        descriptor = martlet_nftables_open()
        guard descriptor >= 0 else {
            throw SystemError(
                "socket(NETLINK_NETFILTER)", errno: -descriptor, subject: "nf_tables")
        }
        port = martlet_nftables_port(descriptor)
    }

    deinit { close(descriptor) }

    /// Sends one transaction, or one message, and reads every answer.
    ///
    /// - Returns: what the kernel refused; empty when it took all of it.
    /// - Throws: when the socket failed, or when there was no answer to message `last`, so that
    ///   nobody knows whether the transaction took effect. So when the kernel had more to say than
    ///   the socket's buffer takes (`ENOBUFS`): who calls looks at the table then.
    package func send(
        _ bytes: [UInt8], last: UInt32, subject: String
    ) throws(SystemError) -> [Refusal] {
        // Answers that an earlier failure left behind must not be taken for ours.
        _ = try answers(subject: subject)
        let status = unsafe bytes.withUnsafeBytes {
            unsafe martlet_nftables_send(descriptor, $0.baseAddress, UInt($0.count))
        }
        guard status == 0 else {
            throw SystemError("sendto(NETLINK_NETFILTER)", errno: -status, subject: subject)
        }
        let all = try answers(subject: subject)
        let refusals = all.filter { $0.code != 0 }
        guard !refusals.isEmpty || all.contains(where: { $0.sequence == last }) else {
            throw SystemError(
                "recv(NETLINK_NETFILTER)", errno: ENODATA, subject: subject,
                detail: "the kernel did not answer")
        }
        return refusals
    }

    /// Reads until there is nothing more; acknowledgements have code 0.
    func answers(subject: String) throws(SystemError) -> [Refusal] {
        var answers: [Refusal] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe martlet_netlink_receive(descriptor, $0.baseAddress, UInt($0.count))
            }
            if count == -Int(EAGAIN) { return answers }
            guard count >= 0 else {
                throw SystemError(
                    "recv(NETLINK_NETFILTER)", errno: Int32(-count), subject: subject)
            }
            let datagram = buffer.span.extracting(first: min(count, buffer.count))
            for answer in NftablesAnswers.read(datagram)
            where answers.count < Self.maximumRefusals || answer.code == 0 {
                answers.append(answer)
            }
        }
    }
}

/// Reads the kernel's answers out of a datagram.
enum NftablesAnswers {
    /// `NLMSG_ERROR`.
    private static let error: UInt16 = 2

    /// `NLM_F_CAPPED`: the message that failed is not repeated behind its header.
    private static let capped: UInt16 = 0x100

    /// `NLM_F_ACK_TLVS`: attributes follow.
    private static let hasAttributes: UInt16 = 0x200

    /// `NLMSGERR_ATTR_MSG`: a text.
    private static let text = 1

    /// The answers of a datagram, acknowledgements (code 0) and refusals; what cannot be read is
    /// passed over, and then missed by the caller.
    static func read(_ datagram: Span<UInt8>) -> [NftablesSocket.Refusal] {
        var answers: [NftablesSocket.Refusal] = []
        var reader = NetlinkReader(datagram)
        while let message = reader.nextMessage() {
            guard message.type == error,
                let code = message.payload.hostInteger(UInt32.self, at: 0),
                let length = message.payload.hostInteger(UInt32.self, at: 4)
            else { continue }
            let repeated = message.flags & capped != 0 ? 16 : (Int(length) + 3) & ~3
            var detail = ""
            if message.flags & hasAttributes != 0, 4 + repeated <= message.payload.count {
                let rest = message.payload.extracting(droppingFirst: 4 + repeated)
                var attributes = NetlinkReader(rest)
                while let attribute = attributes.nextAttribute() {
                    guard attribute.type == text else { continue }
                    var bytes: [UInt8] = []
                    for index in attribute.value where rest[index] != 0 {
                        bytes.append(rest[index])
                    }
                    detail = String(decoding: bytes, as: UTF8.self)
                }
            }
            answers.append(
                NftablesSocket.Refusal(
                    sequence: message.sequence, code: Int32(bitPattern: 0 &- code),
                    detail: detail))
        }
        return answers
    }
}
