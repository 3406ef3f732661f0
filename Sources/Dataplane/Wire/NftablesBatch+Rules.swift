import NetworkTypes

/// Rules and their expressions.
extension NftablesBatch {
    mutating func add(_ rule: Rule, to chain: String) {
        // A set inside a rule has to be made before the rule that refers to it.
        let sets = rule.map { expression -> UInt32? in
            guard case .isOutside(_, let ranges) = expression else { return nil }
            return declareIntervals(ranges)
        }
        message(Nft.Message.newRule, .rules(chain), flags: Nft.Flag.create | Nft.Flag.append) {
            $0.text(Nft.Rule.table, Self.table)
            $0.text(Nft.Rule.chain, chain)
            $0.nested(Nft.Rule.expressions) { list in
                for (expression, set) in zip(rule, sets) {
                    list.nested(1) { expression.write(to: &$0, anonymousSet: set) }
                }
            }
        }
    }
}

extension RuleExpression.Register {
    /// `NFT_REG32_00` is 8.
    var number: UInt32 { 8 + UInt32(index) }
}

extension RuleExpression.Constant {
    var bytes: [UInt8] {
        switch self {
        case .byte(let value): [value]
        case .port(let value): [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)]
        case .word(let value): NetlinkWriter.hostBytes(value)
        case .address(let address): address.bytes
        case .netmask(let family, let length):
            (0..<family.byteWidth).map { index in
                let ones = min(8, max(0, length - index * 8))
                return UInt8(truncatingIfNeeded: 0xff00 >> ones)
            }
        }
    }
}

extension RuleExpression {
    /// Writes the expression's name and attributes (`NFTA_EXPR_NAME`, `NFTA_EXPR_DATA`); the
    /// numbers in each case are the attributes of that expression, in the kernel's order.
    fileprivate func write(to writer: inout NetlinkWriter, anonymousSet: UInt32?) {
        switch self {
        case .load(let field, let register): field.write(to: &writer, into: register)
        case .compare(let register, let isEqual, let constant):
            writer.expression("cmp") {
                $0.word(1, register.number)
                $0.word(2, isEqual ? 0 : 1)
                $0.constant(3, constant)
            }
        case .bitwise(let register, let mask, let flip):
            writer.expression("bitwise") {
                $0.word(1, register.number)
                $0.word(2, register.number)
                $0.word(3, UInt32(mask.bytes.count))
                $0.constant(4, mask)
                $0.constant(5, flip)
            }
        case .setMark(let register):
            writer.expression("meta") {
                $0.word(2, Field.markKey)
                $0.word(3, register.number)
            }
        case .anyOf(let first, let count, let register):
            writer.expression("numgen") {
                $0.word(1, register.number)
                $0.word(2, count)
                $0.word(3, 1)
                $0.word(4, first)
            }
        case .hash(let register, let bytes, let seed, let first, let count):
            writer.expression("hash") {
                $0.word(1, register.number)
                $0.word(2, register.number)
                $0.word(3, UInt32(bytes))
                $0.word(4, count)
                $0.word(5, seed)
                $0.word(6, first)
                $0.word(7, 0)
            }
        case .isMember, .isOutside, .dispatch, .replace:
            writeLookup(to: &writer, anonymousSet: anonymousSet)
        case .destinationNAT(let family, let address, let port):
            writer.expression("nat") {
                $0.word(1, 1)
                $0.word(2, family == .ipv4 ? 2 : 10)
                $0.word(3, address.number)
                $0.word(5, port.number)
            }
        case .masquerade:
            // Fully random ports: two connections masqueraded at once do not race for one.
            writer.expression("masq") { $0.word(1, 1 << 4) }
        case .reject(let rejection):
            writer.expression("reject") {
                $0.word(1, rejection == .tcpReset ? 1 : 2)
                $0.byte(2, rejection == .tcpReset ? 0 : 1)
            }
        case .verdict(let verdict):
            writer.expression("immediate") {
                $0.word(1, Nft.Data.verdictRegister)
                $0.nested(2) { data in
                    switch verdict {
                    case .drop: NftablesBatch.verdict(Nft.Data.drop, nil, &data)
                    case .jump(let name): NftablesBatch.verdict(Nft.Data.jump, name, &data)
                    case .goto(let name): NftablesBatch.verdict(Nft.Data.goto, name, &data)
                    }
                }
            }
        }
    }

    private func writeLookup(to writer: inout NetlinkWriter, anonymousSet: UInt32?) {
        func lookup(_ name: String, _ source: Register, _ target: UInt32?, _ isInverted: Bool) {
            writer.expression("lookup") {
                $0.text(1, name)
                $0.word(2, source.number)
                if let target { $0.word(3, target) }
                if let anonymousSet { $0.word(4, anonymousSet) }
                if isInverted { $0.word(5, 1) }
            }
        }
        switch self {
        case .isMember(let register, let set): lookup(set.name, register, nil, false)
        case .isOutside(let register, _): lookup(NftablesBatch.intervals, register, nil, true)
        case .dispatch(let register, let set):
            lookup(set.name, register, Nft.Data.verdictRegister, false)
        case .replace(let register, let set):
            lookup(set.name, register, register.number, false)
        default: return
        }
    }
}

extension RuleExpression.Field {
    fileprivate static let markKey: UInt32 = 3

    fileprivate func write(
        to writer: inout NetlinkWriter, into register: RuleExpression.Register
    ) {
        switch self {
        case .networkProtocol: writer.load("meta", register, key: 15)
        case .transportProtocol: writer.load("meta", register, key: 16)
        case .mark: writer.load("meta", register, key: Self.markKey)
        case .connectionStatus: writer.load("ct", register, key: 2)
        case .destinationType:
            writer.expression("fib") {
                $0.word(1, register.number)
                $0.word(2, 3)
                $0.word(3, 1 << 1)
            }
        case .sourceAddress(let family):
            writer.payload(
                register, base: 1, offset: family == .ipv4 ? 12 : 8, length: family.byteWidth)
        case .destinationAddress(let family):
            writer.payload(
                register, base: 1, offset: family == .ipv4 ? 16 : 24, length: family.byteWidth)
        case .destinationPort: writer.payload(register, base: 2, offset: 2, length: 2)
        }
    }
}

extension NetlinkWriter {
    fileprivate mutating func expression(
        _ name: String, _ body: (inout NetlinkWriter) -> Void
    ) {
        text(1, name)
        nested(2, body)
    }

    fileprivate mutating func load(
        _ name: String, _ register: RuleExpression.Register, key: UInt32
    ) {
        expression(name) {
            $0.word(1, register.number)
            $0.word(2, key)
        }
    }

    fileprivate mutating func payload(
        _ register: RuleExpression.Register, base: UInt32, offset: UInt32, length: Int
    ) {
        expression("payload") {
            $0.word(1, register.number)
            $0.word(2, base)
            $0.word(3, offset)
            $0.word(4, UInt32(length))
        }
    }

    fileprivate mutating func constant(_ type: UInt16, _ constant: RuleExpression.Constant) {
        nested(type) { $0.data(Nft.Data.value, constant.bytes) }
    }
}
