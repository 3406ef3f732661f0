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
            var digest: RuleDigest?
            $0.nested(Nft.Rule.expressions) { list in
                let start = list.bytes.count
                for (expression, set) in zip(rule, sets) {
                    list.nested(Nft.Rule.expression) {
                        expression.write(to: &$0, anonymousSet: set)
                    }
                }
                guard sets.allSatisfy({ $0 == nil }) else { return }
                digest = RuleDigest(rule, expressions: list.bytes[start...])
            }
            $0.data(Nft.Rule.userData, (digest ?? RuleDigest(rule)).userData)
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
    func write(to writer: inout NetlinkWriter, anonymousSet: UInt32?) {
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
        case .isMember, .isOutside, .dispatch, .find:
            writeLookup(to: &writer, anonymousSet: anonymousSet)
        case .remember, .forget: writeChange(to: &writer)
        case .destinationNAT, .redirect, .masquerade: writeTranslation(to: &writer)
        case .reject(let rejection):
            writer.expression("reject") {
                $0.word(1, rejection == .tcpReset ? 1 : 2)
                $0.byte(2, rejection == .tcpReset ? 0 : 1)
            }
        case .put(let constant, let register):
            writer.expression("immediate") {
                $0.word(1, register.number)
                $0.constant(2, constant)
            }
        case .verdict(let verdict):
            writer.expression("immediate") {
                $0.word(1, Nft.Data.verdictRegister)
                $0.nested(2) { data in
                    switch verdict {
                    case .drop: NftablesBatch.verdict(Nft.Data.drop, nil, &data)
                    case .leave: NftablesBatch.verdict(Nft.Data.leave, nil, &data)
                    case .jump(let name): NftablesBatch.verdict(Nft.Data.jump, name, &data)
                    case .goto(let name): NftablesBatch.verdict(Nft.Data.goto, name, &data)
                    }
                }
            }
        }
    }

    /// Changes of a packet's addresses.
    private func writeTranslation(to writer: inout NetlinkWriter) {
        switch self {
        case .destinationNAT(let family, let address, let port):
            writer.expression("nat") {
                $0.word(1, 1)
                $0.word(2, family == .ipv4 ? 2 : 10)
                $0.word(3, address.number)
                $0.word(5, port.number)
            }
        case .redirect: writer.expression("redir") { _ in }
        case .masquerade:
            // Fully random ports: two connections masqueraded at once do not race for one.
            writer.expression("masq") { $0.word(1, 1 << 4) }
        default: return
        }
    }

    /// Changes of a map by packets.
    private func writeChange(to writer: inout NetlinkWriter) {
        func change(_ set: NamedSet, _ operation: UInt32, _ key: Register, _ data: Register) {
            writer.expression("dynset") {
                $0.text(1, set.name)
                $0.word(3, operation)
                $0.word(4, key.number)
                $0.word(5, data.number)
                // In milliseconds.
                if case .remember(_, _, _, let seconds) = self {
                    $0.attribute(6) { $0.network(UInt64(seconds) * 1_000) }
                }
            }
        }
        switch self {
        case .remember(let key, let data, let set, _): change(set, 1, key, data)
        case .forget(let key, let data, let set): change(set, 2, key, data)
        default: return
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
        case .find(let register, let set, let target):
            lookup(set.name, register, target.number, false)
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
        case .sourceType, .destinationType:
            writer.expression("fib") {
                $0.word(1, register.number)
                $0.word(2, 3)
                $0.word(3, self == .sourceType ? 1 << 0 : 1 << 1)
            }
        case .sourceAddress(let family):
            writer.payload(
                register, base: 1, offset: family == .ipv4 ? 12 : 8, length: family.byteWidth)
        case .destinationAddress(let family):
            writer.payload(
                register, base: 1, offset: family == .ipv4 ? 16 : 24, length: family.byteWidth)
        case .destinationPort: writer.payload(register, base: 2, offset: 2, length: 2)
        case .icmpType: writer.payload(register, base: 2, offset: 0, length: 1)
        case .inputInterface: writer.load("meta", register, key: 4)
        case .originalDestination(let family):
            writer.loadOriginal(register, key: family == .ipv4 ? 20 : 22)
        case .originalDestinationPort: writer.loadOriginal(register, key: 12)
        }
    }
}

extension NetlinkWriter {
    /// A name and attributes, `NFTA_EXPR_NAME` and `NFTA_EXPR_DATA`.
    mutating func expression(
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

    /// Something of a connection in its original direction.
    fileprivate mutating func loadOriginal(
        _ register: RuleExpression.Register, key: UInt32
    ) {
        expression("ct") {
            $0.word(1, register.number)
            $0.word(2, key)
            $0.byte(3, 0)
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
