import ClusterSource
import NetworkTypes

/// What a speaker tells all the others: one entry of the replicated store, read.
enum GossipStatement: Hashable, Sendable {
    /// It answers for the address, under this epoch.
    case claim(IPAddress, epoch: UInt64)
    /// It has this interface.
    case interface(SpeakerRecord.Interface)
    /// It hands over what it has.
    case drain
    /// Nobody answers for the address that `node` claims under `epoch`.
    case dispute(IPAddress, node: String, epoch: UInt64)
    /// By its own health checks it has no endpoint for the address.
    case unserving(IPAddress)
    /// An operator asks something of another node.
    case request(UInt64, OperatorRequest)
    /// How a request ended.
    case answer(UInt64, OperatorAnswer)

    /// What the entry is about.
    var subject: GossipSubject {
        switch self {
        case .claim(let address, _): .claim(address)
        case .interface(let interface): .interface(interface.name)
        case .drain: .drain
        case .dispute(let address, _, _): .dispute(address)
        case .unserving(let address): .unserving(address)
        case .request(let number, _): .request(number)
        case .answer(let number, _): .answer(number)
        }
    }

    /// The prefixes of an interface that fit into an entry; more than these are not spread.
    static let maximumPrefixes = 48

    /// The value, at most 1,024 bytes.
    var value: [UInt8] {
        var writer = ByteWriter(capacity: 32)
        switch self {
        case .claim(_, let epoch): writer.uint64(epoch)
        case .drain, .unserving: break
        case .interface(let interface):
            writer.macAddress(interface.mac)
            writer.uint8(interface.isUsable ? 1 : 0)
            for prefix in interface.prefixes.prefix(Self.maximumPrefixes) {
                writer.uint8(UInt8(prefix.length))
                writer.taggedAddress(prefix.network)
            }
        case .dispute(_, let node, let epoch):
            writer.uint64(epoch)
            writer.shortText(node)
        case .request(_, let request): request.write(to: &writer)
        case .answer(_, let answer):
            writer.uint8(answer.isDone ? 0 : 1)
            writer.append(answer.text.utf8.prefix(1_000))
        }
        return writer.bytes
    }

    /// Reads an entry; `nil` when it makes no sense to this version.
    init?(key: [UInt8], value: [UInt8]) {
        guard let subject = GossipSubject(key: key) else { return nil }
        var reader = ByteReader(value.span)
        do throws(ByteReader.Truncated) {
            switch subject {
            case .claim(let address): self = .claim(address, epoch: try reader.uint64())
            case .drain: self = .drain
            case .unserving(let address): self = .unserving(address)
            case .interface(let name):
                let mac = try reader.macAddress()
                let isUsable = try reader.uint8() != 0
                var prefixes: [Prefix] = []
                while reader.remaining > 0 {
                    let length = Int(try reader.uint8())
                    guard let network = try reader.taggedAddress(),
                        let prefix = Prefix(network, length: length)
                    else { return nil }
                    prefixes.append(prefix)
                }
                self = .interface(
                    SpeakerRecord.Interface(
                        name: name, mac: mac, prefixes: prefixes, isUsable: isUsable))
            case .dispute(let address):
                let epoch = try reader.uint64()
                guard let node = try reader.shortText() else { return nil }
                self = .dispute(address, node: node, epoch: epoch)
            case .request(let number):
                guard let request = try OperatorRequest(&reader) else { return nil }
                self = .request(number, request)
            case .answer(let number):
                let isDone = try reader.uint8() == 0
                let text = String(
                    decoding: try reader.array(reader.remaining), as: UTF8.self)
                self = .answer(number, OperatorAnswer(isDone: isDone, text: text))
            }
        } catch {
            return nil
        }
    }
}

/// How an operator's wish ended.
package struct OperatorAnswer: Hashable, Sendable {
    /// Whether it is so now.
    package var isDone: Bool
    /// What was done, or why it was not.
    package var text: String

    static func done(_ text: String) -> OperatorAnswer { OperatorAnswer(isDone: true, text: text) }
    package static func refused(_ text: String) -> OperatorAnswer {
        OperatorAnswer(isDone: false, text: text)
    }
}

/// What an operator asks of a node, at whichever daemon.
package enum OperatorRequest: Hashable, Sendable {
    /// Hand over everything, and own nothing as long as another can.
    case drain(node: String)
    /// Take part again; nothing moves back by itself.
    case undrain(node: String)
    /// Have this address from now on.
    case move(IPAddress, to: String)

    /// Whom it concerns.
    package var node: String {
        switch self {
        case .drain(let node), .undrain(let node), .move(_, let node): node
        }
    }

    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .drain: writer.uint8(1)
        case .undrain: writer.uint8(2)
        case .move(let address, _):
            writer.uint8(3)
            writer.taggedAddress(address)
        }
        writer.shortText(node)
    }

    fileprivate init?(_ reader: inout ByteReader) throws(ByteReader.Truncated) {
        let kind = try reader.uint8()
        let address = kind == 3 ? try reader.taggedAddress() : nil
        guard let node = try reader.shortText() else { return nil }
        switch (kind, address) {
        case (1, _): self = .drain(node: node)
        case (2, _): self = .undrain(node: node)
        case (3, let address?): self = .move(address, to: node)
        default: return nil
        }
    }
}
