import NetworkTypes

/// An element of one of our sets as the kernel tells it.
struct KernelElement {
    let key: SetElement.Key
    let value: SetElement.Value
    let counter: ElementCounter?

    private static let expression: UInt16 = 7
    private static let expressions: UInt16 = 11

    /// `nil` when it is none that a set of ours can have.
    init?(_ item: Span<UInt8>, of set: NamedSet) {
        var key: SetElement.Key?
        var value = SetElement.Value.none
        var counter: ElementCounter?
        var attributes = NetlinkAttributes(item)
        while let attribute = attributes.next() {
            let field = item.extracting(attribute.value)
            switch attribute.type {
            case Nft.Elements.key: key = Self.key(field, of: set)
            case Nft.Elements.data:
                guard let read = Self.value(field, of: set) else { return nil }
                value = read
            case Self.expression: counter = counter ?? ElementCounter(expression: field)
            case Self.expressions:
                var list = NetlinkAttributes(field)
                while let entry = list.next() {
                    counter = counter ?? ElementCounter(expression: field.extracting(entry.value))
                }
            default: continue
            }
        }
        guard let key, key.set == set else { return nil }
        self.key = key
        self.value = value
        self.counter = counter
    }

    private static func key(_ field: Span<UInt8>, of set: NamedSet) -> SetElement.Key? {
        var attributes = NetlinkAttributes(field)
        while let attribute = attributes.next() {
            guard attribute.type == Nft.Data.value else { continue }
            return key(bytes: field.extracting(attribute.value), of: set)
        }
        return nil
    }

    /// Reads what ``NftablesBatch`` writes: parts padded to four bytes.
    private static func key(bytes: Span<UInt8>, of set: NamedSet) -> SetElement.Key? {
        let width = set.family.byteWidth
        var reader = KeyReader(bytes)
        let key: SetElement.Key? =
            switch set {
            case .frontends:
                reader.place(width).map { .frontend($0.0, $0.1, port: $0.2) }
            case .traffic:
                reader.place(width).map { .traffic($0.0, $0.1, port: $0.2) }
            case .nodePorts(let family):
                reader.nodePlace().map { .nodePort(family, $0.0, port: $0.1) }
            case .nodePortTraffic(let family):
                reader.nodePlace().map { .nodePortTraffic(family, $0.0, port: $0.1) }
            case .addresses: reader.address(width).map { .address($0) }
            case .endpoints(let family, _): reader.number().map { .slot(family, $0) }
            case .choices(let family, let chain):
                reader.number().map { .choice(family, chain: chain, $0) }
            case .living(let family, let chain):
                reader.number().map { .living(family, chain: chain, $0) }
            case .hairpins: reader.hairpin(width)
            case .affinity: nil
            }
        return reader.isAtEnd ? key : nil
    }

    private static func value(_ field: Span<UInt8>, of set: NamedSet) -> SetElement.Value? {
        var attributes = NetlinkAttributes(field)
        while let attribute = attributes.next() {
            let data = field.extracting(attribute.value)
            switch attribute.type {
            case Nft.Data.value:
                var reader = KeyReader(data)
                if case .choices = set {
                    guard let number = reader.number(), reader.isAtEnd else { return nil }
                    return .number(number)
                }
                guard let address = reader.address(set.family.byteWidth),
                    let port = reader.port(), reader.isAtEnd
                else { return nil }
                return .destination(address, port: port)
            case Nft.Data.verdict: return verdict(data)
            default: continue
            }
        }
        return nil
    }

    private static func verdict(_ data: Span<UInt8>) -> SetElement.Value? {
        var (code, chain): (UInt32?, String?) = (nil, nil)
        var attributes = NetlinkAttributes(data)
        while let attribute = attributes.next() {
            switch attribute.type {
            case Nft.Data.verdictCode: code = data.word(attribute.value)
            case Nft.Data.verdictChain: chain = data.text(attribute.value)
            default: continue
            }
        }
        guard code == Nft.Data.goto, let chain else { return nil }
        return .goto(chain)
    }
}

/// Reads the parts of a key, which are each padded to four bytes.
private struct KeyReader: ~Escapable {
    private let bytes: Span<UInt8>
    private var offset = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    @_lifetime(self: copy self)
    private mutating func take(_ width: Int) -> Range<Int>? {
        let padded = (width + 3) & ~3
        guard padded <= bytes.count - offset else { return nil }
        let range = offset..<(offset + width)
        for index in range.upperBound..<(offset + padded) where bytes[index] != 0 { return nil }
        offset += padded
        return range
    }

    @_lifetime(self: copy self)
    mutating func address(_ width: Int) -> IPAddress? {
        guard let range = take(width) else { return nil }
        var bits: UInt128 = 0
        for index in range { bits = bits << 8 | UInt128(bytes[index]) }
        return IPAddress(family: width == 4 ? .ipv4 : .ipv6, bits: bits)
    }

    @_lifetime(self: copy self)
    mutating func port() -> UInt16? {
        take(2).flatMap { bytes.network($0, width: 2) }.map { UInt16(truncatingIfNeeded: $0) }
    }

    /// A number in the host's order.
    @_lifetime(self: copy self)
    mutating func number() -> UInt32? {
        guard let word = take(4).flatMap({ bytes.word($0) }) else { return nil }
        return NetlinkWriter.isLittleEndian ? word.byteSwapped : word
    }

    @_lifetime(self: copy self)
    mutating func nodePlace() -> (ServiceChain.Transport, UInt16)? {
        guard let number = take(1), let port = port(),
            let transport = ServiceChain.Transport(rawValue: bytes[number.lowerBound])
        else { return nil }
        return (transport, port)
    }

    @_lifetime(self: copy self)
    mutating func place(_ width: Int) -> (IPAddress, ServiceChain.Transport, UInt16)? {
        guard let address = address(width), let (transport, port) = nodePlace() else { return nil }
        return (address, transport, port)
    }

    @_lifetime(self: copy self)
    mutating func hairpin(_ width: Int) -> SetElement.Key? {
        guard let source = address(width), let destination = address(width), source == destination
        else { return nil }
        return .hairpin(source)
    }
}

extension ElementCounter {
    private static let bytesCounted: UInt16 = 1
    private static let packetsCounted: UInt16 = 2

    /// Reads an expression of an element; `nil` when it is no counter.
    init?(expression: Span<UInt8>) {
        self.init()
        var isCounter = false
        var attributes = NetlinkAttributes(expression)
        while let attribute = attributes.next() {
            let field = expression.extracting(attribute.value)
            switch attribute.type {
            case 1: isCounter = expression.text(attribute.value) == "counter"
            case 2:
                var counts = NetlinkAttributes(field)
                while let count = counts.next() {
                    let number = field.network(count.value, width: 8) ?? 0
                    switch count.type {
                    case Self.bytesCounted: bytes = number
                    case Self.packetsCounted: packets = number
                    default: continue
                    }
                }
            default: continue
            }
        }
        if !isCounter { return nil }
    }
}
