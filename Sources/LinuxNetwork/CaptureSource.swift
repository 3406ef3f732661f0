import CLinux
import Glibc

/// Frames as they come and go on one interface or on all, by libpcap.
///
/// The kernel filter runs before the copy into the ring. Bounds: the ring holds 4 MiB; a frame that
/// finds it full is dropped and counted by the kernel.
@safe package final class CaptureSource {
    /// The interface, by name; `nil` for all.
    package let interface: String?
    /// What the frames begin with.
    package let linkType: LinkType
    /// Becomes readable when a frame waits; for `poll` only.
    package let descriptor: Int32

    // Owned: opened in init, closed in deinit, never handed out.
    private let handle: OpaquePointer

    private static let snapshotLength: Int32 = 262_144
    private static let ringBytes: Int32 = 4 << 20

    /// Opens a handle on an interface that is up, or on all (`nil`).
    ///
    /// - Parameter filter: in the language of `pcap-filter(7)`.
    package init(interface: String?, filter: String) throws(SystemError) {
        let subject = interface.map { "interface \($0)" } ?? "all interfaces"
        var code: Int32 = 0
        var opened: OpaquePointer?
        let message = unsafe withUnsafeTemporaryAllocation(
            of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
        ) { text in
            unsafe text.initialize(repeating: 0)
            unsafe (interface ?? "any").withCString { name in
                unsafe filter.withCString { filter in
                    var options = unsafe martlet_capture_options(
                        interface: name, filter: filter, snapshot_length: Self.snapshotLength,
                        ring_bytes: Self.ringBytes)
                    unsafe opened = martlet_capture_open_live(&options, &code, text.baseAddress)
                }
            }
            return unsafe text.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
        guard let handle = unsafe opened else {
            throw SystemError(
                "pcap_activate", errno: code, subject: subject, detail: message,
                remedy: Self.remedy(code))
        }
        let type = unsafe pcap_datalink(handle)
        guard let linkType = LinkType(rawValue: type) else {
            unsafe pcap_close(handle)
            throw SystemError(
                "pcap_datalink", errno: EPROTONOSUPPORT, subject: subject,
                remedy: "frames of link type \(type) are not read here; name other interfaces")
        }
        self.interface = interface
        self.linkType = linkType
        unsafe self.handle = handle
        unsafe descriptor = pcap_get_selectable_fd(handle)
    }

    deinit { unsafe pcap_close(handle) }

    private static func remedy(_ code: Int32) -> String? {
        switch code {
        case EPERM, EACCES:
            "capturing needs CAP_NET_RAW: run as root, or give the program that capability"
        case ENODEV, ENXIO: "`ip link` lists the interfaces that there are"
        case ENETDOWN: "bring the interface up first, or watch all interfaces"
        default: nil
        }
    }

    /// Hands every waiting frame, at most `limit`, to `body`, in place: the bytes are valid only
    /// during the call. Returns how many there were; never waits.
    package func receive(
        limit: Int, _ body: (CapturedFrame, Span<UInt8>) -> Void
    ) throws(SystemError) -> Int {
        var frame = unsafe martlet_capture_frame()
        for count in 0..<limit {
            let status = unsafe martlet_capture_next(handle, &frame)
            guard status != 0 else { return count }
            guard status == 1, let bytes = unsafe frame.bytes else {
                let message = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) }
                let pending = martlet_socket_error(descriptor)
                throw SystemError(
                    "pcap_next_ex", errno: pending == 0 ? ENETDOWN : pending,
                    subject: interface.map { "interface \($0)" } ?? "all interfaces",
                    detail: message, remedy: Self.remedy(ENETDOWN))
            }
            let span = unsafe Span(_unsafeStart: bytes, count: Int(frame.captured))
            unsafe body(
                CapturedFrame(nanoseconds: frame.nanoseconds, byteCount: Int(frame.length)), span)
        }
        return limit
    }

    /// Frames that the kernel dropped because the ring was full, since the handle was opened.
    package var dropped: Int {
        var statistics = pcap_stat()
        guard unsafe pcap_stats(handle, &statistics) == 0 else { return 0 }
        return Int(statistics.ps_drop)
    }

    /// The name of the interface with this index now; `nil` when there is none.
    package static func name(ofInterface index: UInt32) -> String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(IF_NAMESIZE)) { text in
            guard let start = text.baseAddress,
                let name = unsafe if_indextoname(index, start)
            else { return nil }
            return unsafe String(cString: name)
        }
    }
}
