import NetworkTypes

/// Room for one outgoing frame, used again and again so that an answer costs no allocation.
///
/// Every frame of this module fits: the longest is a neighbor advertisement with its link-layer
/// option (14 + 40 + 24 + 8 bytes). Frames are not padded to the Ethernet minimum; the sending
/// interface does that.
public struct FrameBuffer: Sendable {
    /// How many bytes a buffer can hold.
    public static let capacity = 86

    var storage: InlineArray<86, UInt8>

    /// How many bytes the frame has; zero before the first one is written.
    public internal(set) var count: Int

    /// An empty buffer.
    public init() {
        storage = InlineArray(repeating: 0)
        count = 0
    }

    /// The bytes of the frame, in place.
    public var span: Span<UInt8> {
        @_lifetime(borrow self)
        get { storage.span.extracting(0..<count) }
    }

    /// The bytes of the frame, copied.
    public var bytes: [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(count)
        for index in 0..<count { copy.append(storage[index]) }
        return copy
    }

    /// Starts a frame over with its Ethernet II header.
    mutating func begin(to destination: MACAddress, from source: MACAddress, type: EtherType) {
        count = 0
        put(destination)
        put(source)
        put(type.rawValue)
    }

    @inline(__always)
    mutating func put(_ value: UInt8) {
        storage[count] = value
        count += 1
    }

    @inline(__always)
    mutating func put(_ value: UInt16) {
        put(UInt8(truncatingIfNeeded: value >> 8))
        put(UInt8(truncatingIfNeeded: value))
    }

    @inline(__always)
    mutating func put(_ value: UInt32) {
        put(UInt16(truncatingIfNeeded: value >> 16))
        put(UInt16(truncatingIfNeeded: value))
    }

    @inline(__always)
    mutating func put(_ value: UInt64) {
        put(UInt32(truncatingIfNeeded: value >> 32))
        put(UInt32(truncatingIfNeeded: value))
    }

    @inline(__always)
    mutating func put(_ address: MACAddress) {
        put(UInt16(truncatingIfNeeded: address.bits >> 32))
        put(UInt32(truncatingIfNeeded: address.bits))
    }

    /// Appends the 4 or 16 bytes of an address.
    @inline(__always)
    mutating func put(_ address: IPAddress) {
        switch address.family {
        case .ipv4:
            put(UInt32(truncatingIfNeeded: address.bits))
        case .ipv6:
            put(UInt64(truncatingIfNeeded: address.bits >> 64))
            put(UInt64(truncatingIfNeeded: address.bits))
        }
    }

    /// Overwrites two bytes that were written already.
    @inline(__always)
    mutating func set(_ value: UInt16, at offset: Int) {
        storage[offset] = UInt8(truncatingIfNeeded: value >> 8)
        storage[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
