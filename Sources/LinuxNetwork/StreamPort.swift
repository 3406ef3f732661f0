import Glibc
import NetworkTypes

/// One TCP port in both families: a ``StreamListener`` for each that the host has.
package final class StreamPort {
    /// The listeners, at most one a family.
    package let listeners: [StreamListener]

    /// Listens at the addresses given, at most one of each family. A family that the kernel lacks
    /// is passed over as long as another is left. With an interface (or VRF), only there.
    package init(
        _ addresses: [SocketAddress], interface: String? = nil
    ) throws(SystemError) {
        var listeners: [StreamListener] = []
        var lacking: SystemError?
        for address in addresses {
            precondition(
                !listeners.contains { $0.local.address.family == address.address.family },
                "one listener a family")
            do {
                listeners.append(try StreamListener(address, interface: interface))
            } catch {
                guard error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL,
                    address.address.isUnspecified
                else { throw error }
                lacking = error
            }
        }
        if listeners.isEmpty, let lacking { throw lacking }
        self.listeners = listeners
    }

    /// Sets, changes or removes the key of the peers in a block, as
    /// ``StreamListener/setKey(_:for:)`` does. Nothing happens without a listener of the family.
    package func setKey(_ key: StreamKey?, for peers: Prefix) throws(SystemError) {
        for listener in listeners where listener.local.address.family == peers.family {
            try listener.setKey(key, for: peers)
        }
    }
}
