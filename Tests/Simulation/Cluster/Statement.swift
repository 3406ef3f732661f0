import LoadBalancing
import NetworkTypes

/// An entry of the replicated store, in a form of the simulation's own: the real one belongs to the
/// shell.
enum Statement: Equatable {
    case claim(IPAddress, UInt64?)
    case interface(MACAddress?)
    case draining(Bool)
    case dispute(IPAddress, Claim?)

    /// Reads an entry; `nil` when it is none of these.
    init?(key: [UInt8], value: [UInt8]?) {
        guard let kind = key.first else { return nil }
        let address = IPAddress(bytes: Array(key.dropFirst()))
        switch (kind, address) {
        case (UInt8(ascii: "c"), let address?): self = .claim(address, value.map(Self.number))
        case (UInt8(ascii: "i"), _): self = .interface(value.flatMap(MACAddress.init(bytes:)))
        case (UInt8(ascii: "d"), _): self = .draining(value != nil)
        case (UInt8(ascii: "x"), let address?):
            self = .dispute(
                address,
                value.map {
                    Claim(
                        node: String(decoding: $0.dropFirst(8), as: UTF8.self),
                        epoch: Self.number(Array($0.prefix(8))))
                })
        default: return nil
        }
    }

    /// The entry.
    var entry: (key: [UInt8], value: [UInt8]?) {
        switch self {
        case .claim(let address, let epoch):
            ([UInt8(ascii: "c")] + address.bytes, epoch.map(Self.bytes))
        case .interface(let hardware): ([UInt8(ascii: "i")], hardware?.bytes)
        case .draining(let isDraining): ([UInt8(ascii: "d")], isDraining ? [] : nil)
        case .dispute(let address, let claim):
            (
                [UInt8(ascii: "x")] + address.bytes,
                claim.map { Self.bytes($0.epoch) + Array($0.node.utf8) }
            )
        }
    }

    private static func number(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * $0)) }
    }
}
