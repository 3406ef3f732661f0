import NetworkTypes

/// Named sets and their elements, and the sets inside rules.
extension NftablesBatch {
    mutating func declare(_ set: NamedSet, _ options: Ruleset.Options) {
        let key = Self.keyType(of: set)
        setNumbers += 1
        let identifier = setNumbers
        message(Nft.Message.newSet, .set(set.name), flags: Nft.Flag.create) {
            $0.text(Nft.Set.table, Self.table)
            $0.text(Nft.Set.name, set.name)
            $0.word(Nft.Set.identifier, identifier)
            $0.word(Nft.Set.keyType, key.type)
            $0.word(Nft.Set.keyLength, key.length)
            switch set {
            case .frontends, .nodePorts, .addresses:
                $0.word(Nft.Set.flags, Nft.Set.map)
                $0.word(Nft.Set.dataType, Nft.Data.verdictType)
                $0.word(Nft.Set.dataLength, 0)
            case .endpoints(let family, _), .living(let family, _):
                $0.word(Nft.Set.flags, Nft.Set.map)
                let destination = Nft.DataType.concatenated(
                    Self.addressType(family), Nft.DataType.port)
                Self.data(
                    destination, length: family.byteWidth + 4, Self.hostOrder, Self.networkOrder,
                    &$0)
            case .choices:
                $0.word(Nft.Set.flags, Nft.Set.map)
                Self.data(Nft.DataType.mark, length: 4, Self.hostOrder, Self.hostOrder, &$0)
            case .affinity:
                $0.word(
                    Nft.Set.flags, Nft.Set.map | Nft.Set.timeout | Nft.Set.changedByPackets)
                $0.nested(Nft.Set.description) {
                    $0.word(Nft.Set.descriptionSize, NamedSet.maximumAffinities)
                }
                // What is over is not found any more; it may wait for its burial. Every second, as
                // the kernel does it by itself, would be a walk through every such map each second.
                $0.word(Nft.Set.collection, Self.collectionMilliseconds)
                Self.data(Nft.DataType.mark, length: 4, Self.networkOrder, Self.hostOrder, &$0)
            case .hairpins, .traffic, .nodePortTraffic: $0.word(Nft.Set.flags, 0)
            }
            if set.counts(options) {
                $0.nested(Nft.Set.expression) { $0.expression("counter") { _ in } }
            }
        }
    }

    private static let collectionMilliseconds: UInt32 = 30_000

    private static let hostOrder: UInt32 = 1
    private static let networkOrder: UInt32 = 2

    /// The type and length of what a map leads to; the byte orders are for the nft tool alone.
    private static func data(
        _ type: UInt32, length: Int, _ keyOrder: UInt32, _ dataOrder: UInt32,
        _ writer: inout NetlinkWriter
    ) {
        writer.word(Nft.Set.dataType, type)
        writer.word(Nft.Set.dataLength, UInt32(length))
        writer.attribute(Nft.Set.userData) {
            $0.append([0, 4] + NetlinkWriter.hostBytes(keyOrder))
            $0.append([1, 4] + NetlinkWriter.hostBytes(dataOrder))
        }
    }

    /// The type of a set's keys, for the nft tool, and their length in bytes.
    private static func keyType(of set: NamedSet) -> (type: UInt32, length: UInt32) {
        let width = UInt32(set.family.byteWidth)
        let address = addressType(set.family)
        let (transport, port) = (Nft.DataType.transportProtocol, Nft.DataType.port)
        switch set {
        case .frontends, .traffic:
            return (Nft.DataType.concatenated(address, transport, port), width + 8)
        case .nodePorts, .nodePortTraffic:
            return (Nft.DataType.concatenated(transport, port), 8)
        case .addresses, .affinity: return (address, width)
        case .endpoints, .choices, .living: return (Nft.DataType.mark, 4)
        case .hairpins: return (Nft.DataType.concatenated(address, address), width * 2)
        }
    }

    static func addressType(_ family: IPAddress.Family) -> UInt32 {
        family == .ipv4 ? Nft.DataType.ipv4Address : Nft.DataType.ipv6Address
    }

    /// Adds or deletes elements, set by set.
    mutating func write(_ elements: [SetElement], _ type: UInt16, flags: UInt16) {
        // Sets in the order in which they first appear.
        var sets: [NamedSet] = []
        var members: [NamedSet: [SetElement]] = [:]
        for element in elements {
            let set = element.key.set
            if members[set] == nil { sets.append(set) }
            members[set, default: []].append(element)
        }
        for set in sets {
            let members = members[set] ?? []
            for start in stride(from: 0, to: members.count, by: Self.elementsPerMessage) {
                let part = members[start..<min(members.count, start + Self.elementsPerMessage)]
                message(type, .elements(set.name), flags: flags) {
                    $0.text(Nft.Elements.table, Self.table)
                    $0.text(Nft.Elements.set, set.name)
                    $0.nested(Nft.Elements.list) { list in
                        for element in part { Self.write(element, &list) }
                    }
                }
            }
        }
    }

    private static func write(_ element: SetElement, _ list: inout NetlinkWriter) {
        list.nested(Nft.Elements.item) {
            $0.nested(Nft.Elements.key) {
                $0.attribute(Nft.Data.value) { write(element.key, &$0) }
            }
            switch element.value {
            case .none: break
            case .goto(let chain):
                $0.nested(Nft.Elements.data) { verdict(Nft.Data.goto, chain, &$0) }
            case .destination(let address, let port):
                $0.nested(Nft.Elements.data) {
                    $0.attribute(Nft.Data.value) {
                        address.write(to: &$0)
                        $0.network(UInt32(port) << 16)
                    }
                }
            case .number(let number):
                $0.nested(Nft.Elements.data) {
                    $0.attribute(Nft.Data.value) { $0.host(number) }
                }
            }
        }
    }

    /// The key's parts, each padded to four bytes.
    private static func write(_ key: SetElement.Key, _ writer: inout NetlinkWriter) {
        func port(_ port: UInt16) { writer.network(UInt32(port) << 16) }
        func transport(_ transport: ServiceChain.Transport) {
            writer.append([transport.rawValue, 0, 0, 0])
        }
        switch key {
        case .frontend(let address, let protocolNumber, let number),
            .traffic(let address, let protocolNumber, let number):
            address.write(to: &writer)
            transport(protocolNumber)
            port(number)
        case .nodePort(_, let protocolNumber, let number),
            .nodePortTraffic(_, let protocolNumber, let number):
            transport(protocolNumber)
            port(number)
        case .address(let address): address.write(to: &writer)
        case .slot(_, let number), .choice(_, _, let number), .living(_, _, let number):
            writer.host(number)
        case .hairpin(let address):
            address.write(to: &writer)
            address.write(to: &writer)
        }
    }

    static func verdict(_ code: UInt32, _ chain: String?, _ writer: inout NetlinkWriter) {
        writer.nested(Nft.Data.verdict) {
            $0.word(Nft.Data.verdictCode, code)
            if let chain { $0.text(Nft.Data.verdictChain, chain) }
        }
    }

    /// Intervals are pairs of elements: the first address, and the one behind the last, which is
    /// left out at the end of the family. Makes a set inside a rule and fills it; its number in the
    /// batch.
    mutating func declareIntervals(_ ranges: [AddressRange]) -> UInt32? {
        guard let family = ranges.first?.family else { return nil }
        let bounds = ranges.flatMap { range -> [(IPAddress, isEnd: Bool)] in
            let start = [(range.first, isEnd: false)]
            return start + (range.last.advanced(by: 1).map { [($0, isEnd: true)] } ?? [])
        }
        setNumbers += 1
        let identifier = setNumbers
        message(Nft.Message.newSet, .set(Self.intervals), flags: Nft.Flag.create) {
            $0.text(Nft.Set.table, Self.table)
            $0.text(Nft.Set.name, Self.intervals)
            $0.word(Nft.Set.identifier, identifier)
            $0.word(Nft.Set.flags, Nft.Set.anonymous | Nft.Set.constant | Nft.Set.interval)
            $0.word(Nft.Set.keyType, Self.addressType(family))
            $0.word(Nft.Set.keyLength, UInt32(family.byteWidth))
            $0.nested(Nft.Set.description) {
                $0.word(Nft.Set.descriptionSize, UInt32(bounds.count))
            }
        }
        for start in stride(from: 0, to: bounds.count, by: Self.elementsPerMessage) {
            let part = bounds[start..<min(bounds.count, start + Self.elementsPerMessage)]
            message(
                Nft.Message.newElements, .elements(Self.intervals), flags: Nft.Flag.create
            ) {
                $0.text(Nft.Elements.table, Self.table)
                $0.text(Nft.Elements.set, Self.intervals)
                $0.word(Nft.Elements.setIdentifier, identifier)
                $0.nested(Nft.Elements.list) { list in
                    for (address, isEnd) in part {
                        list.nested(Nft.Elements.item) {
                            if isEnd { $0.word(Nft.Elements.flags, Nft.Elements.intervalEnd) }
                            $0.nested(Nft.Elements.key) {
                                $0.attribute(Nft.Data.value) { address.write(to: &$0) }
                            }
                        }
                    }
                }
            }
        }
        return identifier
    }

    /// The kernel puts a number in the name of a set inside a rule.
    static let intervals = "__set%d"
}

extension IPAddress {
    /// Appends the 4 or 16 bytes in network order.
    func write(to writer: inout NetlinkWriter) {
        switch family {
        case .ipv4: writer.network(UInt32(truncatingIfNeeded: bits))
        case .ipv6: writer.network(bits)
        }
    }
}
