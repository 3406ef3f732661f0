import CLinux
import Glibc
import NetworkTypes

/// A libpcap handle on one interface: sees ARP and neighbour discovery, sends raw frames.
///
/// The kernel filter runs before the copy into the ring, so other traffic costs nothing here. A
/// frame of another VLAN passes the filter with its tag taken off by the kernel; libpcap puts the
/// tag back into the bytes (802.1Q, type 0x8100), so the reader sees what was on the wire.
///
/// Bounds: the ring holds `ringBytes`; a frame that finds it full is dropped and counted by the
/// kernel. Frames are cut at 256 bytes, more than any ARP packet or sensible solicitation.
@safe package final class PacketSocket {
    /// The interface, by name.
    package let interface: String

    /// Becomes readable when a frame waits; for `poll` only.
    package let descriptor: Int32

    // Owned: opened in init, closed in deinit, never handed out.
    private let handle: OpaquePointer

    /// ARP, neighbour solicitations and advertisements, and (behind a hop-by-hop header) multicast
    /// listener queries.
    private static let filter = """
        arp or (ip6 and ((ip6[6] = 58 and (ip6[40] = 135 or ip6[40] = 136)) \
        or (ip6[6] = 0 and ip6[40] = 58 and ip6[48] = 130)))
        """
    // Owned: room for one batch, allocated in init, freed in deinit. Plain memory, because an array
    // behind a class is checked for uniqueness and exclusivity at every byte.
    private let queue: UnsafeMutablePointer<UInt8>
    private let lengths: UnsafeMutablePointer<UInt16>
    private var queued = 0
    private var heardGroups: Set<MACAddress> = []
    private var hearsEveryGroup = false

    private static let slotSize = 96
    private static let batch = Int(MARTLET_PACKET_BATCH)
    private static let maximumHeardGroups = 64
    private static let snapshotLength: Int32 = 256
    private static let ringBytes: Int32 = 1 << 20

    /// Opens a handle; the interface must be up.
    package init(interface: String) throws(SystemError) {
        var code: Int32 = 0
        var opened: OpaquePointer?
        let message = unsafe withUnsafeTemporaryAllocation(
            of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
        ) { text in
            unsafe text.initialize(repeating: 0)
            unsafe interface.withCString { name in
                unsafe Self.filter.withCString { filter in
                    var options = unsafe martlet_packet_options(
                        interface: name, filter: filter, snapshot_length: Self.snapshotLength,
                        ring_bytes: Self.ringBytes)
                    unsafe opened = martlet_packet_open(&options, &code, text.baseAddress)
                }
            }
            return unsafe text.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
        guard let handle = unsafe opened else {
            throw SystemError(
                "pcap_activate", errno: code, subject: "interface \(interface)", detail: message)
        }
        unsafe self.handle = handle
        self.interface = interface
        unsafe descriptor = pcap_get_selectable_fd(handle)
        unsafe queue = .allocate(capacity: Self.batch * Self.slotSize)
        unsafe lengths = .allocate(capacity: Self.batch)
    }

    deinit {
        unsafe pcap_close(handle)
        unsafe queue.deallocate()
        unsafe lengths.deallocate()
    }

    /// Hands every waiting frame, at most `limit`, to `body`, in place: the bytes are the kernel's
    /// ring and valid only during the call. Returns how many there were; never waits.
    package func receive(
        limit: Int, _ body: (Span<UInt8>) -> Void
    ) throws(SystemError) -> Int {
        let count = withoutActuallyEscaping(body) { escapable in
            var context = FrameHandler(body: escapable)
            return unsafe withUnsafeMutablePointer(to: &context) { context in
                unsafe pcap_dispatch(
                    handle, Int32(clamping: limit),
                    { user, header, bytes in
                        guard let user = unsafe user, let header = unsafe header,
                            let bytes = unsafe bytes
                        else { return }
                        let frame = unsafe Span(
                            _unsafeStart: bytes, count: Int(header.pointee.caplen))
                        unsafe UnsafeRawPointer(user)
                            .assumingMemoryBound(to: FrameHandler.self).pointee.body(frame)
                    },
                    unsafe UnsafeMutableRawPointer(context).assumingMemoryBound(to: UInt8.self))
            }
        }
        if count >= 0 { return Int(count) }
        let detail = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) }
        let pending = martlet_socket_error(descriptor)
        throw SystemError(
            "pcap_dispatch", errno: pending == 0 ? ENETDOWN : pending,
            subject: "interface \(interface)", detail: detail)
    }

    /// Sends one frame as it is. A full transmit queue is `ENOBUFS` or `EAGAIN`: the frame is lost.
    package func send(_ frame: Span<UInt8>) throws(SystemError) {
        let status = unsafe frame.withUnsafeBytes { bytes in
            unsafe martlet_packet_send(descriptor, bytes.baseAddress, UInt(bytes.count))
        }
        guard status == 0 else {
            throw SystemError(
                "send(AF_PACKET)", errno: -status, subject: "interface \(interface)")
        }
    }

    /// Puts a frame of at most 96 bytes aside, to go out with others in one system call: with the
    /// next `flush`, or when 16 wait. Returns how many frames were lost by that.
    package func enqueue(_ frame: Span<UInt8>) -> Int {
        guard frame.count <= Self.slotSize else { return 1 }
        let slot = queued
        unsafe frame.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe (queue + slot * Self.slotSize).update(from: start, count: bytes.count)
        }
        unsafe lengths[slot] = UInt16(frame.count)
        queued = slot + 1
        return slot + 1 == Self.batch ? flush() : 0
    }

    /// Sends what `enqueue` put aside. Returns how many frames were lost.
    package func flush() -> Int {
        let count = queued
        if count == 0 { return 0 }
        queued = 0
        return unsafe Int(
            martlet_packet_send_many(
                descriptor, queue, UInt(Self.slotSize), lengths, UInt32(count)))
    }

    /// Forgets what `enqueue` put aside.
    package func discard() { queued = 0 }

    /// Makes the network card pass frames to a group on. A card has room for few groups (64 are
    /// tried); with more it is told to pass every group on, which it would do by itself.
    package func listen(to group: MACAddress) throws(SystemError) {
        guard !hearsEveryGroup, !heardGroups.contains(group) else { return }
        let isLast = heardGroups.count == Self.maximumHeardGroups
        let status = setMulticast(isLast ? nil : group, join: true)
        guard status == 0 else {
            throw SystemError(
                "setsockopt(PACKET_ADD_MEMBERSHIP)", errno: -status,
                subject: "group \(group) on interface \(interface)")
        }
        if isLast { hearsEveryGroup = true } else { heardGroups.insert(group) }
    }

    /// The opposite of `listen`.
    package func ignore(_ group: MACAddress) {
        // Fails only when the interface is gone, and the membership with it.
        if heardGroups.remove(group) != nil { _ = setMulticast(group, join: false) }
    }

    private func setMulticast(_ group: MACAddress?, join: Bool) -> Int32 {
        unsafe interface.withCString { name in
            guard let group else {
                return unsafe martlet_packet_multicast(descriptor, name, nil, join ? 1 : 0)
            }
            return unsafe group.bytes.withUnsafeBufferPointer { bytes in
                unsafe martlet_packet_multicast(
                    descriptor, name, bytes.baseAddress, join ? 1 : 0)
            }
        }
    }

    /// Frames that matched the filter, and those the kernel dropped because the ring was full,
    /// since the handle was opened.
    package func statistics() -> (received: UInt32, dropped: UInt32) {
        var statistics = pcap_stat()
        guard unsafe pcap_stats(handle, &statistics) == 0 else { return (0, 0) }
        return (statistics.ps_recv, statistics.ps_drop)
    }
}

/// What libpcap's untyped `user` argument points at.
private struct FrameHandler {
    let body: (Span<UInt8>) -> Void
}
