import NetworkTypes

/// Named sets and their elements, and the sets inside rules.
extension NftablesBatch {
    mutating func declare(_ set: NamedSet) {
        let width = UInt32(set.family.byteWidth)
        let address = Self.addressType(set.family)
        let (type, length): (UInt32, UInt32) =
            switch set {
            case .frontends:
                (
                    Nft.DataType.concatenated(
                        address, Nft.DataType.transportProtocol, Nft.DataType.port),
                    width + 8
                )
            case .nodePorts:
                (
                    Nft.DataType.concatenated(
                        Nft.DataType.transportProtocol, Nft.DataType.port), 8
                )
            case .endpoints: (Nft.DataType.mark, 4)
            case .hairpins: (Nft.DataType.concatenated(address, address), width * 2)
            }
        setNumbers += 1
        let identifier = setNumbers
        message(Nft.Message.newSet, .set(set.name), flags: Nft.Flag.create) {
            $0.text(Nft.Set.table, Self.table)
            $0.text(Nft.Set.name, set.name)
            $0.word(Nft.Set.identifier, identifier)
            $0.word(Nft.Set.keyType, type)
            $0.word(Nft.Set.keyLength, length)
            switch set {
            case .frontends, .nodePorts:
                $0.word(Nft.Set.flags, Nft.Set.map)
                $0.word(Nft.Set.dataType, Nft.Data.verdictType)
                $0.word(Nft.Set.dataLength, 0)
            case .endpoints:
                $0.word(Nft.Set.flags, Nft.Set.map)
                $0.word(
                    Nft.Set.dataType, Nft.DataType.concatenated(address, Nft.DataType.port))
                $0.word(Nft.Set.dataLength, width + 4)
                // For the nft tool: keys are in the host's byte order (1), data in network order
                // (2).
                $0.attribute(Nft.Set.userData) {
                    $0.append([0, 4] + NetlinkWriter.hostBytes(UInt32(1)))
                    $0.append([1, 4] + NetlinkWriter.hostBytes(UInt32(2)))
                }
            case .hairpins: $0.word(Nft.Set.flags, 0)
            }
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
            }
        }
    }

    /// The key's parts, each padded to four bytes.
    private static func write(_ key: SetElement.Key, _ writer: inout NetlinkWriter) {
        switch key {
        case .frontend(let address, let transport, let port):
            address.write(to: &writer)
            writer.append([transport.rawValue, 0, 0, 0])
            writer.network(UInt32(port) << 16)
        case .nodePort(_, let transport, let port):
            writer.append([transport.rawValue, 0, 0, 0])
            writer.network(UInt32(port) << 16)
        case .slot(_, let number): writer.host(number)
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
