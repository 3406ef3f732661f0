import NetworkTypes

@testable import Dataplane

/// Feeds arbitrary bytes to what reads the kernel's dumps of the table and of connections. The
/// first byte chooses; behind it each message is its type, two bytes of length, and what follows
/// the netlink header.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDataplane(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    guard let choice = input.first else { return 0 }
    switch choice & 3 {
    case 0:
        let own = choice & 0x40 == 0 ? [] : [Examples.table]
        compare(own + messages(input[1...]), countersToo: choice & 0x80 != 0)
    case 1: forget(messages(input[1...]))
    default: _ = FlowEntry(type: UInt16(choice), payload: input.span.extracting(droppingFirst: 1))
    }
    return 0
}

private func messages(_ input: ArraySlice<UInt8>) -> [(type: UInt8, payload: [UInt8])] {
    var messages: [(UInt8, [UInt8])] = []
    var rest = input
    while rest.count >= 3 {
        let bytes = Array(rest.prefix(3))
        let length = Int(bytes[1]) << 8 | Int(bytes[2])
        rest = rest.dropFirst(3)
        messages.append((bytes[0], Array(rest.prefix(length))))
        rest = rest.dropFirst(length)
    }
    return messages
}

/// Reads a table and makes it right, as a process does that begins beside it.
private func compare(_ messages: [(type: UInt8, payload: [UInt8])], countersToo: Bool) {
    var table = KernelTable(countersToo: countersToo)
    for (type, payload) in messages {
        table.read(type: 10 << 8 | UInt16(type), payload: payload.span)
        _ = TableQuery.generation(type: 10 << 8 | UInt16(type), payload: payload.span)
    }
    precondition(table.counters.count <= table.elements.count, "counters of nothing")
    for key in table.elements.keys {
        precondition(!key.set.isDynamic, "an element that only the kernel knows")
        precondition(NamedSet(name: key.set.name) == key.set, "a set that nobody can name")
    }
    let adoption = table.adoption
    for slots in adoption.runs.values { precondition(!slots.isEmpty, "a run of nothing") }
    var ruleset = Ruleset(adopting: adoption)
    let first = ruleset.update(to: Examples.services)
    precondition(!first.isEmpty, "Services that need nothing")
    _ = table.strayAddresses(besides: ruleset.services)
    _ = ruleset.usage(of: table.counters)
    guard case .repair(let difference) = TableComparison(table, with: ruleset).remedy else {
        return
    }
    precondition(!difference.isEmpty, "a repair of nothing")
    let batch = NftablesBatch(difference)
    precondition(batch.bytes.count % 4 == 0, "a batch that does not end where a message ends")
    let added = difference.addedElements.map(\.key)
    precondition(Set(added).count == added.count, "an element that comes twice")
}

/// Reads connections, and asks that those be forgotten which lead nowhere.
private func forget(_ messages: [(type: UInt8, payload: [UInt8])]) {
    var addresses: Set<IPAddress> = []
    for service in Examples.services {
        for case .loadBalancer(let address, _) in service.frontends { addresses.insert(address) }
    }
    let selection = FlowSelection(besides: Examples.services, of: addresses)
    for (type, payload) in messages {
        guard let entry = FlowEntry(type: 1 << 8 | UInt16(type), payload: payload.span) else {
            continue
        }
        precondition(entry.destination.bytes.count >= 4, "an address of no family")
        guard selection.contains(entry) else { continue }
        let deletion = FlowEntry.deletion(of: payload.span)
        let bytes = deletion.message(sequence: 7, isAnswered: true)
        // What is sent is no longer than what was read: it is taken from there.
        precondition(bytes.count <= payload.count + 32, "a deletion that grew")
    }
}

/// A Service with all that a chain can have, and one that keeps its clients.
private enum Examples {
    /// What the kernel says of a table of ours; no chance would find its note of how it is made.
    static let table: (type: UInt8, payload: [UInt8]) = {
        var writer = NetlinkWriter(capacity: 64)
        writer.text(Nft.Table.name, NftablesBatch.table)
        writer.attribute(Nft.Table.userData) {
            $0.append([Nft.Table.layout, 8])
            $0.network(NftablesBatch.layout(Ruleset.Options()))
        }
        return (0, [Nft.inet, 0, 0, 7] + writer.bytes)
    }()

    static let services: [ServiceChain] = {
        let first = IPAddress(family: .ipv4, bits: 0xc000_0201)
        let sixth = IPAddress(family: .ipv6, bits: 0x2001_0db8 << 96 | 1)
        let endpoints = [first, sixth].map {
            ServiceChain.Endpoint($0, port: 8080, isLocal: $0.family == .ipv4)
        }
        func identity(_ name: String, _ transport: ServiceChain.Transport) -> ServiceChain.Identity
        {
            ServiceChain.Identity(
                namespace: "shop", service: name, port: "http", transport: transport)
        }
        return [
            ServiceChain(
                identity: identity("game", .udp),
                frontends: [.loadBalancer(first, port: 7), .nodePort(.ipv6, port: 30_007)],
                endpoints: endpoints, affinity: .clientAddress(seconds: 600)),
            ServiceChain(
                identity: identity("web", .tcp),
                frontends: [
                    .loadBalancer(sixth, port: 80), .clusterIP(first, port: 80),
                    .nodePort(.ipv4, port: 30_080),
                ],
                endpoints: endpoints, externalPolicy: .local,
                sourceRanges: [Prefix("2001:db8::/32"), Prefix("192.0.2.0/24")].compactMap(\.self)
            ),
        ]
    }()
}
