import CLinux
import NetworkTypes

extension LinkChange {
    /// What a routing message says about links, or `nil` for a message that says nothing here.
    init?(_ message: borrowing NetlinkMessage) {
        switch message.type {
        case UInt16(RTM_NEWLINK), UInt16(RTM_DELLINK):
            guard let link = Link(message.payload) else { return nil }
            self =
                message.type == UInt16(RTM_NEWLINK)
                ? .link(link) : .linkRemoved(index: link.index)
        case UInt16(RTM_NEWADDR), UInt16(RTM_DELADDR):
            guard let (address, index) = InterfaceAddress.read(message.payload) else { return nil }
            self =
                message.type == UInt16(RTM_NEWADDR)
                ? .address(address, index: index) : .addressRemoved(address, index: index)
        default: return nil
        }
    }
}

extension Link {
    /// Reads `struct ifinfomsg` and its attributes (rtnetlink(7)).
    ///
    /// Only the unspecified family is about the link itself: a port that leaves a bridge is told
    /// as `RTM_DELLINK` of family `AF_BRIDGE`, and the interface is still there.
    fileprivate init?(_ payload: Span<UInt8>) {
        let fixed = 16
        guard payload.count >= fixed, payload[0] == 0,
            let hardwareType = payload.hostInteger(UInt16.self, at: 2),
            let index = payload.hostInteger(UInt32.self, at: 4), index > 0,
            let flags = payload.hostInteger(UInt32.self, at: 8)
        else { return nil }
        self.init(
            index: Int(index), name: "", hardwareType: hardwareType,
            flags: Flags(rawValue: flags).intersection(.known))
        let bytes = payload.extracting(fixed...)
        var attributes = NetlinkReader(bytes)
        while let (type, value) = attributes.nextAttribute() {
            switch type {
            case Int(IFLA_IFNAME): name = bytes.text(value)
            case Int(IFLA_ADDRESS): macAddress = MACAddress(bytes: bytes.array(value))
            case Int(IFLA_MASTER):
                let index = bytes.hostInteger(UInt32.self, at: value.lowerBound).map(Int.init)
                master = value.count == 4 && index != 0 ? index : nil
            case Int(IFLA_CARRIER_CHANGES) where value.count == 4:
                carrierChanges = bytes.hostInteger(UInt32.self, at: value.lowerBound) ?? 0
            case Int(IFLA_LINKINFO): kind = Self.kind(bytes.extracting(value))
            default: break
            }
        }
    }

    private static func kind(_ bytes: Span<UInt8>) -> String? {
        var attributes = NetlinkReader(bytes)
        while let (type, value) = attributes.nextAttribute() {
            if type == Int(IFLA_INFO_KIND) { return bytes.text(value) }
        }
        return nil
    }
}

extension InterfaceAddress {
    /// Reads `struct ifaddrmsg` and its attributes. `IFA_LOCAL`, where present, is the interface's
    /// own address and `IFA_ADDRESS` the other end's; otherwise `IFA_ADDRESS` is our own.
    fileprivate static func read(_ payload: Span<UInt8>) -> (InterfaceAddress, index: Int)? {
        let fixed = 8
        guard payload.count >= fixed, let index = payload.hostInteger(UInt32.self, at: 4)
        else { return nil }
        let bytes = payload.extracting(fixed...)
        var attributes = NetlinkReader(bytes)
        var local: IPAddress?
        var address: IPAddress?
        while let (type, value) = attributes.nextAttribute() {
            switch type {
            case Int(IFA_LOCAL): local = bytes.address(value)
            case Int(IFA_ADDRESS): address = bytes.address(value)
            default: break
            }
        }
        guard let own = local ?? address, own.family == (address ?? own).family,
            let subnet = Prefix(address ?? own, length: Int(payload[1]))
        else { return nil }
        return (InterfaceAddress(address: own, subnet: subnet), Int(index))
    }
}
