import NetworkTypes

/// An ARP packet for Ethernet and IPv4 (RFC 826).
public struct ARPPacket: Hashable, Sendable {
    /// What the packet does.
    public enum Operation: UInt16, Hashable, Sendable {
        /// Asks for the link-layer address of the target.
        case request = 1
        /// Tells the link-layer address of the sender.
        case reply = 2
    }

    /// Request or reply.
    public var operation: Operation

    /// The link-layer address of the sender.
    public var senderHardware: MACAddress

    /// The sender's address; `0.0.0.0` in a probe (RFC 5227 §1.1).
    public var senderAddress: IPAddress

    /// The link-layer address of the target; zero in a request.
    public var targetHardware: MACAddress

    /// The address asked for, or the asker's address in a reply.
    public var targetAddress: IPAddress

    /// A packet of these fields.
    ///
    /// - Precondition: both addresses are IPv4.
    public init(
        operation: Operation, senderHardware: MACAddress, senderAddress: IPAddress,
        targetHardware: MACAddress, targetAddress: IPAddress
    ) {
        precondition(senderAddress.family == .ipv4 && targetAddress.family == .ipv4)
        self.operation = operation
        self.senderHardware = senderHardware
        self.senderAddress = senderAddress
        self.targetHardware = targetHardware
        self.targetAddress = targetAddress
    }

    /// The meaning of checked bytes. Throws for other operations and for a sender whose link-layer
    /// address no station can have: nothing could be sent to it.
    public init(_ view: borrowing ARPView) throws(DecodeError) {
        guard let operation = Operation(rawValue: view.operation) else { throw .arpOperation }
        guard view.senderHardware.isStation else { throw .hardwareNotUnicast }
        self.init(
            operation: operation, senderHardware: view.senderHardware,
            senderAddress: view.senderAddress, targetHardware: view.targetHardware,
            targetAddress: view.targetAddress)
    }

    /// Writes the packet as a whole Ethernet frame.
    public func encode(
        to destination: MACAddress, from source: MACAddress, into buffer: inout FrameBuffer
    ) {
        buffer.begin(to: destination, from: source, type: .arp)
        buffer.put(Self.ethernet)
        buffer.put(Self.ipv4)
        buffer.put(Self.addressLengths)
        buffer.put(operation.rawValue)
        buffer.put(senderHardware)
        buffer.put(senderAddress)
        buffer.put(targetHardware)
        buffer.put(targetAddress)
    }

    static let byteCount = 28
    static let ethernet: UInt16 = 1
    static let ipv4: UInt16 = 0x0800
    static let addressLengths: UInt16 = 0x0604
}
