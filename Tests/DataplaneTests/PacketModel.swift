import Dataplane
import NetworkTypes

/// The first packet of a connection, going through the rules of a table as the kernel would lead
/// it.
struct PacketModel {
    /// What became of it.
    enum Outcome: Equatable {
        /// It got a new destination.
        case sent(IPAddress, port: UInt16)
        /// It was refused.
        case refused(RuleExpression.Rejection)
        /// It was dropped.
        case dropped
        /// The node answers it itself.
        case answered
        /// It goes where it was going.
        case untouched
    }

    var source: IPAddress
    var destination: IPAddress
    /// The IP protocol number.
    var transport: UInt8 = 6
    var port: UInt16 = 80
    var icmpType: UInt8 = 0
    /// Whether the destination is an address of the node.
    var isOwn = false
    /// Whether the source is an address of the node.
    var isFromNode = false
    /// What the hash, or the die, comes to.
    var draw: UInt32 = 0

    /// The packet mark.
    var mark: UInt32 = 0

    /// Whether the packet is to be masqueraded.
    var isMarked: Bool { mark & 0x2000 != 0 }

    private var registers = [[UInt8]?](repeating: nil, count: 16)

    init(from source: IPAddress, to destination: IPAddress, port: UInt16 = 80) {
        self.source = source
        self.destination = destination
        self.port = port
    }

    /// What becomes of the packet at a hook; the clients that the rules remember are changed.
    mutating func enter(
        _ chain: String = "prerouting", _ table: TableModel, _ memory: inout ClientMemory
    ) -> Outcome {
        return walk(chain, table, &memory) ?? .untouched
    }

    /// As above, where nothing is remembered.
    mutating func enter(_ table: TableModel) -> Outcome {
        var memory = ClientMemory()
        return enter("prerouting", table, &memory)
    }

    private mutating func walk(
        _ chain: String, _ table: TableModel, _ memory: inout ClientMemory
    ) -> Outcome? {
        for rule in table.chains[chain] ?? [] {
            registers = [[UInt8]?](repeating: nil, count: 16)
            var next: RuleExpression.Verdict?
            var outcome: Outcome?
            for expression in rule {
                guard evaluate(expression, table, &memory, &next, &outcome) else {
                    (next, outcome) = (nil, nil)
                    break
                }
            }
            if let outcome { return outcome }
            switch next {
            case .drop?: return .dropped
            case .leave?: return nil
            case .goto(let name)?: return walk(name, table, &memory)
            case .jump(let name)?:
                if let outcome = walk(name, table, &memory) { return outcome }
            case nil: continue
            }
        }
        return nil
    }

    /// Whether the rule goes on.
    private mutating func evaluate(
        _ expression: RuleExpression, _ table: TableModel, _ memory: inout ClientMemory,
        _ next: inout RuleExpression.Verdict?, _ outcome: inout Outcome?
    ) -> Bool {
        switch expression {
        case .load(let field, let register):
            guard let value = load(field) else { return false }
            registers[Int(register.index)] = value
        case .put(let constant, let register): registers[Int(register.index)] = bytes(constant)
        case .compare(let register, let isEqual, let constant):
            return (registers[Int(register.index)] == bytes(constant)) == isEqual
        case .bitwise(let register, let mask, let flip):
            let value = registers[Int(register.index)] ?? []
            registers[Int(register.index)] = zip(zip(value, bytes(mask)), bytes(flip)).map {
                $0.0 & $0.1 ^ $1
            }
        case .setMark(let register): mark = number(register)
        case .anyOf(let first, let count, let register),
            .hash(let register, _, _, let first, let count):
            registers[Int(register.index)] = bytes(.word(first + draw % count))
        case .isMember(let register, let set):
            return key(set, register).map { table.elements[$0] != nil } ?? false
        case .isOutside(_, let ranges): return !ranges.contains { $0.contains(source) }
        case .dispatch(let register, let set):
            guard let key = key(set, register), case .goto(let chain)? = table.elements[key] else {
                return false
            }
            next = .goto(chain)
        case .find(let register, let set, let target):
            switch find(register, set, table, memory) {
            case .destination(let address, let port)?:
                registers[Int(target.index)] = address.bytes
                registers[Int(target.after(bytes: address.bytes.count).index)] =
                    bytes(port)
            case .number(let number)?: registers[Int(target.index)] = bytes(.word(number))
            default: return false
            }
        case .remember(let key, let data, let set, let seconds):
            guard let client = IPAddress(bytes: registers[Int(key.index)] ?? []) else {
                return false
            }
            return memory.remember(client, number(data), in: set, seconds: seconds)
        case .forget(let key, _, let set):
            if let client = IPAddress(bytes: registers[Int(key.index)] ?? []) {
                memory.forget(client, in: set)
            }
        case .destinationNAT(_, let address, _):
            outcome = endpoint(address).map { .sent($0.address, port: $0.port) }
        case .redirect: outcome = .answered
        case .masquerade: outcome = .untouched
        case .reject(let rejection): outcome = .refused(rejection)
        case .verdict(let verdict): next = verdict
        }
        return true
    }

    private func load(_ field: RuleExpression.Field) -> [UInt8]? {
        switch field {
        case .networkProtocol: [destination.family == .ipv4 ? 2 : 10]
        case .transportProtocol: [transport]
        case .mark: bytes(.word(mark))
        case .connectionStatus: bytes(.word(0))
        case .destinationType: bytes(.word(isOwn ? 2 : 1))
        case .sourceType: bytes(.word(isFromNode ? 2 : 1))
        case .sourceAddress(let family): source.family == family ? source.bytes : nil
        case .destinationAddress(let family), .originalDestination(let family):
            destination.family == family ? destination.bytes : nil
        case .destinationPort, .originalDestinationPort: bytes(port)
        case .icmpType: [icmpType]
        case .inputInterface: bytes(.word(2))
        }
    }

    /// In network order.
    private func bytes(_ port: UInt16) -> [UInt8] {
        [UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
    }

    private func bytes(_ constant: RuleExpression.Constant) -> [UInt8] {
        switch constant {
        case .byte(let value): [value]
        case .word(let value): (0..<4).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        case .address(let address): address.bytes
        case .netmask(let family, let length):
            (0..<family.byteWidth).map {
                UInt8(truncatingIfNeeded: 0xff00 >> min(8, max(0, length - $0 * 8)))
            }
        }
    }

    private func number(_ register: RuleExpression.Register) -> UInt32 {
        (registers[Int(register.index)] ?? []).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func endpoint(
        _ register: RuleExpression.Register
    ) -> (address: IPAddress, port: UInt16)? {
        guard let address = IPAddress(bytes: registers[Int(register.index)] ?? []) else {
            return nil
        }
        let port = registers[Int(register.after(bytes: address.bytes.count).index)] ?? []
        return (address, port.reduce(0) { $0 << 8 | UInt16($1) })
    }

    /// What a lookup of a set reads from the registers.
    private func key(
        _ set: NamedSet, _ register: RuleExpression.Register
    ) -> SetElement.Key? {
        let protocolNumber = ServiceChain.Transport(rawValue: transport)
        switch set {
        case .frontends: return protocolNumber.map { .frontend(destination, $0, port: port) }
        case .nodePorts(let family):
            return protocolNumber.map { .nodePort(family, $0, port: port) }
        case .addresses: return .address(destination)
        case .endpoints(let family, _): return .slot(family, number(register))
        case .choices(let family, let chain):
            return .choice(family, chain: chain, number(register))
        case .living(let family, let chain):
            return .living(family, chain: chain, number(register))
        case .hairpins, .traffic, .nodePortTraffic, .affinity: return nil
        }
    }

    private func find(
        _ register: RuleExpression.Register, _ set: NamedSet, _ table: TableModel,
        _ memory: ClientMemory
    ) -> SetElement.Value? {
        if case .affinity = set {
            return IPAddress(bytes: registers[Int(register.index)] ?? []).flatMap {
                memory.clients[set]?[$0].map { .number($0) }
            }
        }
        return key(set, register).flatMap { table.elements[$0] }
    }
}

/// The maps that packets change.
struct ClientMemory {
    /// How many clients a map takes.
    var limit = Int(NamedSet.maximumAffinities)
    fileprivate(set) var clients: [NamedSet: [IPAddress: UInt32]] = [:]
    private(set) var seconds: [NamedSet: UInt32] = [:]

    fileprivate mutating func remember(
        _ client: IPAddress, _ endpoint: UInt32, in set: NamedSet, seconds: UInt32
    ) -> Bool {
        self.seconds[set] = seconds
        // As in the kernel: what is there is kept as it is.
        if clients[set]?[client] != nil { return true }
        guard clients[set, default: [:]].count < limit else { return false }
        clients[set, default: [:]][client] = endpoint
        return true
    }

    fileprivate mutating func forget(_ client: IPAddress, in set: NamedSet) {
        clients[set]?[client] = nil
    }
}
