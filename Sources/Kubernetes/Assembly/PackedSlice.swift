import NetworkTypes

/// An endpoint slice in a few bytes, for as long as nobody asks for its endpoints: a quarter of
/// what the value takes.
struct PackedSlice: Sendable {
    /// The slice's name within the namespace.
    let name: String
    private let bytes: [UInt8]

    /// Packs a slice that a server gave. Of its metadata only the name, and whether deletion has
    /// begun, are kept.
    init(_ slice: EndpointSlice) {
        name = slice.metadata.name.name
        var packer = SlicePacker()
        packer.add(slice)
        bytes = packer.bytes
    }

    /// The slice that was packed.
    func unpacked(of service: ObjectName) -> EndpointSlice {
        var unpacker = SliceUnpacker(bytes)
        return unpacker.slice(ObjectName(namespace: service.namespace, name), service)
    }
}

/// How a target in the slice's own namespace begins.
private func usualTarget(in namespace: String) -> String { "Pod \(namespace)/" }

/// Writes the packed form: numbers as one to three bytes, texts with their length before them, the
/// name of a node once in a slice and by its number afterwards.
private struct SlicePacker {
    private(set) var bytes: [UInt8] = []
    private var nodes: [String] = []

    mutating func add(_ slice: EndpointSlice) {
        add(slice.metadata.isBeingDeleted ? 1 : 0)
        add(Int(slice.family.rawValue))
        add(slice.ports.count)
        for port in slice.ports {
            add(port.name)
            add(TransportProtocol.allCases.firstIndex(of: port.protocol) ?? 0)
            add(Int(port.port))
        }
        add(slice.endpoints.count)
        let usual = usualTarget(in: slice.service.namespace)
        for endpoint in slice.endpoints { add(endpoint, usual) }
    }

    private mutating func add(_ endpoint: EndpointSlice.Endpoint, _ usual: String) {
        let conditions = [endpoint.ready, endpoint.serving, endpoint.terminating]
        let code = conditions.reduce(0) { $0 << 2 | ($1.map { $0 ? 2 : 1 } ?? 0) }
        add(code)
        add(Int(endpoint.address.family.rawValue))
        for place in (0..<endpoint.address.family.byteWidth).reversed() {
            bytes.append(
                UInt8(truncatingIfNeeded: endpoint.address.bits >> UInt128(place * 8)))
        }
        // 0 is none, the number after the last one is a new one.
        if let node = endpoint.nodeName {
            if let known = nodes.firstIndex(of: node) {
                add(known + 1)
            } else {
                nodes.append(node)
                add(nodes.count)
                add(node)
            }
        } else {
            add(0)
        }
        guard let target = endpoint.target else {
            add(0)
            return
        }
        let isUsual = target.hasPrefix(usual)
        add(isUsual ? 1 : 2)
        add(isUsual ? String(target.dropFirst(usual.count)) : target)
    }

    private mutating func add(_ text: String) {
        add(text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func add(_ number: Int) {
        var rest = UInt64(number)
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// Reads what ``SlicePacker`` wrote; anything else would be our own bug.
private struct SliceUnpacker {
    private let bytes: [UInt8]
    private var offset = 0
    private var nodes: [String] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func slice(_ name: ObjectName, _ service: ObjectName) -> EndpointSlice {
        let isBeingDeleted = number() == 1
        var slice = EndpointSlice(
            metadata: ObjectMeta(name: name, isBeingDeleted: isBeingDeleted), service: service,
            family: family())
        for _ in 0..<number() {
            let name = text()
            let transport = TransportProtocol.allCases[number()]
            slice.ports.append(
                EndpointSlice.Port(
                    name: name, protocol: transport, port: UInt16(truncatingIfNeeded: number())))
        }
        let count = number()
        slice.endpoints.reserveCapacity(count)
        let usual = usualTarget(in: service.namespace)
        for _ in 0..<count { slice.endpoints.append(endpoint(usual)) }
        return slice
    }

    private mutating func endpoint(_ usual: String) -> EndpointSlice.Endpoint {
        let code = number()
        func condition(_ shift: Int) -> Bool? {
            let bits = code >> shift & 3
            return bits == 0 ? nil : bits == 2
        }
        let family = family()
        var value: UInt128 = 0
        for _ in 0..<family.byteWidth {
            value = value << 8 | UInt128(bytes[offset])
            offset += 1
        }
        var nodeName: String?
        let node = number()
        if node > nodes.count { nodes.append(text()) }
        if node > 0 { nodeName = nodes[node - 1] }
        var target: String?
        switch number() {
        case 1: target = usual + text()
        case 2: target = text()
        default: break
        }
        return EndpointSlice.Endpoint(
            address: IPAddress(family: family, bits: value), ready: condition(4),
            serving: condition(2), terminating: condition(0), nodeName: nodeName, target: target)
    }

    private mutating func family() -> IPAddress.Family {
        IPAddress.Family(rawValue: UInt8(truncatingIfNeeded: number())) ?? .ipv4
    }

    private mutating func text() -> String {
        let count = number()
        defer { offset += count }
        return String(decoding: bytes[offset..<offset + count], as: UTF8.self)
    }

    private mutating func number() -> Int {
        var number = 0
        var shift = 0
        while true {
            let byte = bytes[offset]
            offset += 1
            number |= Int(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
    }
}
