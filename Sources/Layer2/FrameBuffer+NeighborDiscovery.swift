import NetworkTypes

extension FrameBuffer {
    /// Writes a whole frame: Ethernet, IPv6 with hop limit 255, ICMPv6 with its checksum, and the
    /// link-layer option of the message's kind when there is an address for it.
    mutating func putNeighborDiscovery(
        _ kind: NeighborDiscoveryView.Kind, flags: UInt8, target: IPAddress,
        linkLayerAddress: MACAddress?, sender: IPAddress, receiver: IPAddress,
        to destination: MACAddress, from source: MACAddress
    ) {
        let length = UInt16(NeighborDiscoveryView.fixedLength + (linkLayerAddress == nil ? 0 : 8))
        begin(to: destination, from: source, type: .ipv6)
        put(UInt32(0x6000_0000))
        put(length)
        put(NeighborDiscoveryView.icmpv6)
        put(UInt8(255))
        put(sender)
        put(receiver)
        let start = count
        put(kind.rawValue)
        put(UInt8(0))
        put(UInt16(0))
        put(UInt32(flags) << 24)
        put(target)
        if let linkLayerAddress {
            put(kind.linkLayerOption)
            put(UInt8(1))
            put(linkLayerAddress)
        }
        var sum = InternetChecksum()
        sum.add(sender)
        sum.add(receiver)
        sum.add(length)
        sum.add(UInt16(NeighborDiscoveryView.icmpv6))
        sum.add(storage.span.extracting(start..<count))
        set(sum.value, at: start + 2)
    }
}
