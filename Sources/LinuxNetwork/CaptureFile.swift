import CLinux
import Glibc

/// A frame as it was captured, beside its bytes.
package struct CapturedFrame: Equatable, Sendable {
    /// When, nanoseconds since 1970.
    package var nanoseconds: Int64
    /// How many bytes it had on the wire; the capture may have fewer.
    package var byteCount: Int

    /// Describes a frame.
    package init(nanoseconds: Int64, byteCount: Int) {
        self.nanoseconds = nanoseconds
        self.byteCount = byteCount
    }
}

/// A capture file that is not as it has to be: which, where, and what is wrong.
package struct CaptureFileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file's path.
    package let file: String
    /// Bytes from the start to where what is wrong begins; `nil` where that is not known.
    package let offset: Int?
    /// What is wrong.
    package let rule: String

    package var description: String {
        let name = file == "-" ? "standard input" : file
        return "\(name): " + (offset.map { "at offset \($0): " } ?? "") + rule
    }
}

/// A capture file of a form that libpcap reads: pcap in any byte order and resolution, pcapng.
///
/// One frame is in memory at a time; libpcap refuses longer ones than 256 KiB.
@safe package final class CaptureFile {
    /// The file's path; `-` is standard input.
    package let path: String
    /// What the frames begin with.
    package let linkType: LinkType

    // Owned: opened in init, closed in deinit, never handed out.
    private let handle: OpaquePointer

    /// Opens a file and reads its header.
    package init(_ path: String) throws(CaptureFileError) {
        var code: Int32 = 0
        var offset: Int64 = -1
        var opened: OpaquePointer?
        let message = unsafe withUnsafeTemporaryAllocation(
            of: CChar.self, capacity: Int(PCAP_ERRBUF_SIZE)
        ) { text in
            unsafe text.initialize(repeating: 0)
            unsafe path.withCString { path in
                unsafe opened = martlet_capture_open_file(path, &code, &offset, text.baseAddress)
            }
            return unsafe text.baseAddress.map { unsafe String(cString: $0) } ?? ""
        }
        guard let handle = unsafe opened else {
            throw CaptureFileError(
                file: path, offset: code == 0 && offset >= 0 ? Int(offset) : nil,
                rule: code == 0 ? message : unsafe String(cString: strerror(code)))
        }
        let type = unsafe pcap_datalink(handle)
        guard let linkType = LinkType(rawValue: type) else {
            let name = unsafe pcap_datalink_val_to_name(type).map { unsafe String(cString: $0) }
            unsafe pcap_close(handle)
            throw CaptureFileError(
                file: path, offset: nil,
                rule: "frames of link type \(name ?? String(type)) are not read here, only "
                    + "Ethernet, Linux cooked, loopback and raw IP")
        }
        self.path = path
        self.linkType = linkType
        unsafe self.handle = handle
    }

    deinit { unsafe pcap_close(handle) }

    /// Hands the next frame to `body`, in place: the bytes are valid only during the call. Returns
    /// whether there was one.
    package func next(
        _ body: (CapturedFrame, Span<UInt8>) -> Void
    ) throws(CaptureFileError) -> Bool {
        var frame = unsafe martlet_capture_frame()
        let start = unsafe martlet_capture_offset(handle)
        let status = unsafe martlet_capture_next(handle, &frame)
        guard status != -2 else { return false }
        guard status == 1, let bytes = unsafe frame.bytes else {
            let message = unsafe pcap_geterr(handle).map { unsafe String(cString: $0) }
            throw CaptureFileError(
                file: path, offset: start >= 0 ? Int(start) : nil,
                rule: message ?? "the frame cannot be read")
        }
        let span = unsafe Span(_unsafeStart: bytes, count: Int(frame.captured))
        unsafe body(
            CapturedFrame(nanoseconds: frame.nanoseconds, byteCount: Int(frame.length)), span)
        return true
    }
}
