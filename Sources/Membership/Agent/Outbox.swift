import NetworkTypes

/// What one call gathers to be sent at once, one packer a destination. An event leads to a few
/// destinations, so a search from front to end is quick.
struct Outbox: Sendable {
    private var destinations: [SocketAddress] = []
    private var packers: [DatagramCoder.Packer] = []
    private var full: [(SocketAddress, [UInt8])] = []

    mutating func add(_ message: Message, to destination: SocketAddress) {
        let index: Int
        if let known = destinations.firstIndex(of: destination) {
            index = known
        } else {
            index = destinations.count
            destinations.append(destination)
            packers.append(DatagramCoder.Packer())
        }
        for payload in packers[index].add(message) { full.append((destination, payload)) }
    }

    mutating func drain(_ body: (SocketAddress, [UInt8]) -> Void) {
        for (destination, payload) in full { body(destination, payload) }
        for index in destinations.indices {
            if let payload = packers[index].finish() { body(destinations[index], payload) }
        }
        full.removeAll()
        destinations.removeAll(keepingCapacity: true)
        packers.removeAll(keepingCapacity: true)
    }
}
