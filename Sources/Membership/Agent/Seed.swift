public import NetworkTypes

/// Where another member may be found.
public struct Seed: Hashable, Sendable {
    /// Its node's name, where that is known.
    public var name: String?
    /// Its address and port.
    public var address: SocketAddress

    /// Makes a seed.
    public init(name: String?, address: SocketAddress) {
        self.name = name
        self.address = address
    }
}
