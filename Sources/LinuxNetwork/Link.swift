import NetworkTypes

/// One network interface as the kernel describes it.
package struct Link: Equatable, Sendable {
    /// The kernel's index: a new number whenever an interface is made anew.
    package var index: Int
    /// The name, `eth0`.
    package var name: String
    /// The link-layer address, where it is an EUI-48.
    package var macAddress: MACAddress?
    /// The hardware type, `ARPHRD_…`; 1 is Ethernet.
    package var hardwareType: UInt16
    /// The flags of `netdevice(7)`.
    package var flags: Flags
    /// The driver's kind, `veth`, `bridge`, `vlan`, `dummy`; `nil` for hardware.
    package var kind: String?
    /// The index of the bridge, bond, team or VRF the interface is a port of.
    package var master: Int?
    /// How often the carrier came or went: a flap shows here even when it is over before it is
    /// read.
    package var carrierChanges: UInt32 = 0
    /// The addresses the kernel holds on the interface.
    package var addresses: Set<InterfaceAddress> = []

    /// The flags that matter here, with the kernel's values (`IFF_…`).
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Switched on by the administrator.
        package static let up = Flags(rawValue: 0x1)
        /// A loopback interface.
        package static let loopback = Flags(rawValue: 0x8)
        /// Operational (RFC 2863 `ifOperStatus` up).
        package static let running = Flags(rawValue: 0x40)
        /// Speaks no ARP.
        package static let noARP = Flags(rawValue: 0x80)
        /// The layer below has a carrier.
        package static let lowerUp = Flags(rawValue: 0x10000)

        /// The flags worth telling anyone about; others come and go with every packet capture.
        static let known: Flags = [.up, .loopback, .running, .noARP, .lowerUp]
    }

    /// Whether frames can pass: switched on, with a carrier.
    package var isOperational: Bool { flags.isSuperset(of: [.up, .lowerUp]) }

    /// Whether a hardware address of six bytes and ARP or neighbour discovery mean anything here.
    package var isEthernet: Bool {
        hardwareType == 1 && flags.isDisjoint(with: [.loopback, .noARP]) && macAddress != nil
    }
}

/// An address that the kernel holds on an interface, and the subnet that comes with it.
package struct InterfaceAddress: Hashable, Sendable {
    /// The interface's own address.
    package var address: IPAddress
    /// The subnet that is on-link through it.
    package var subnet: Prefix
}
