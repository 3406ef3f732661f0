import NetworkTypes

/// The format of what members say to each other, below the seal.
///
///     payload  version (1 byte)  message*
///     message  type (1 byte)  length of the body (2 bytes)  body
///
/// Integers are in network order and of fixed length, versions of entries in variable length (they
/// are small and many). A list goes on until its message ends. Messages of an unknown type are
/// passed over, so that later releases can add some; everything else that is not exactly as
/// written here refuses the whole payload.
///
///     beat             sequence 4, heard age 2, local health 1, incarnation 8, store hash 8
///     ping             sequence 4
///     acknowledgement  sequence 4, regards 1
///     inquiry          about 8, sequence 4
///     testimony        about 8, sequence 4, heard age 2, flags 1 (1: is heard, 2: has a session)
///     news             (name length 1, name, family 1 (4 or 6), address, port 2, incarnation 8,
///                      state 1, cause 1, witness 8)+
///     digest           flags 1 (1: wants a reply), first 8, last 8,
///                      (node 8, generation 8, version, target)*, ascending by node
///     delta            node 8, generation 8, from, through − from, floor, target,
///                      (version − the one before, key length 1, key,
///                      length of the value + 1, or 0: deleted, value)*
public enum DatagramCoder {
    /// The longest payload, in bytes: with the seal, UDP and IPv6 it passes a link of 1,280 bytes,
    /// the smallest that IPv6 knows (RFC 8200 §5).
    public static let maximumPayload = 1_200

    /// The format that we write, and the only one that we read.
    static let version: UInt8 = 1

    /// What begins every message: type and length.
    static let headerLength = 3

    enum MessageType: UInt8 {
        case beat = 1
        case ping = 2
        case acknowledgement = 3
        case inquiry = 4
        case testimony = 5
        case news = 6
        case digest = 7
        case delta = 8
    }

    enum Flag {
        static let isHeard: UInt8 = 1
        static let hasSession: UInt8 = 2
        static let wantsReply: UInt8 = 1
    }

    /// The messages as payloads, each as full as the order allows.
    public static func encode(_ messages: [Message]) -> [[UInt8]] {
        var packer = Packer()
        var payloads: [[UInt8]] = []
        for message in messages { payloads += packer.add(message) }
        if let last = packer.finish() { payloads.append(last) }
        return payloads
    }
}
