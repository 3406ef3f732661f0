/// Why the bytes of a frame are no ARP packet and no neighbor discovery message for us.
///
/// One case for each rule of the standards, so that a counter names the rule that was broken.
public enum DecodeError: UInt8, Error, Hashable, Sendable, CaseIterable {
    // MARK: Ethernet II and IEEE 802.1Q

    /// Shorter than its link-layer header.
    case frameTooShort
    /// Tagged for a VLAN; only priority tags (VLAN identifier 0) belong to this interface.
    case otherVLAN
    /// Carries neither ARP nor ICMPv6 neighbor solicitation or advertisement.
    case otherProtocol
    /// The link-layer source is a group or all zeros; no station sends so.
    case sourceNotUnicast

    // MARK: RFC 826

    /// Shorter than the 28 bytes of ARP for Ethernet and IPv4.
    case arpTooShort
    /// The hardware type is not Ethernet.
    case arpHardwareType
    /// The protocol type is not IPv4.
    case arpProtocolType
    /// The address lengths are not 6 and 4.
    case arpAddressLength
    /// Neither request nor reply.
    case arpOperation

    // MARK: RFC 8200

    /// Shorter than an IPv6 header.
    case ipv6TooShort
    /// The version field is not 6.
    case ipv6Version
    /// The payload length reaches past the end of the frame.
    case ipv6PayloadLength
    /// The source is a multicast address (RFC 4291 §2.7).
    case ipv6MulticastSource

    // MARK: RFC 4861 §7.1

    /// The hop limit is not 255, so a router may have forwarded it.
    case hopLimit
    /// Shorter than 24 bytes.
    case messageTooShort
    /// The ICMPv6 checksum does not hold.
    case checksum
    /// The ICMPv6 code is not 0.
    case code
    /// The target is a multicast address.
    case multicastTarget
    /// An option has length zero, or reaches past the end of the message.
    case optionLength
    /// A link-layer address option that does not hold an Ethernet address (RFC 2464 §6).
    case linkLayerOption
    /// A solicitation from the unspecified address that is not sent to a solicited-node group.
    case probeDestination
    /// A solicitation from the unspecified address that names a source link-layer address.
    case probeWithSourceOption
    /// A solicitation sent to the unicast address of something other than its target.
    case solicitationDestination
    /// An advertisement to a group that claims to be solicited.
    case solicitedToGroup

    /// The link-layer address an ARP or ND message speaks of is a group or all zeros.
    case hardwareNotUnicast
}
