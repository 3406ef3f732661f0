import Glibc

/// Files that are replaced as a whole: whoever reads one sees the old content or the new, never a
/// part, whatever happens to the writer.
package enum DurableFile {
    /// What must hold when the call returns.
    package enum Guarantee: Sendable {
        /// The new content survives a power cut: file and folder were flushed (`fsync(2)`).
        case survivesPowerLoss
        /// The replacement is atomic, but a power cut may bring back the old content.
        case atomic
    }

    /// The most bytes that ``read(_:limit:)`` takes unless told otherwise: 256 MiB.
    package static let readLimit = 256 << 20

    /// Replaces the content of `path` by way of `path.new` and a rename.
    ///
    /// With `previous`, the content that is replaced stays under that name; a private file can be
    /// read by its owner alone. One writer at a time:
    /// the caller holds a lock. On failure `path` is as it was, and `path.new` is gone.
    package static func replace(
        _ path: String, with bytes: [UInt8], guarantee: Guarantee, previous: String? = nil,
        isPrivate: Bool = false
    ) throws(SystemError) {
        let temporary = path + ".new"
        do throws(SystemError) {
            try write(
                bytes, to: temporary, flush: guarantee == .survivesPowerLoss,
                mode: isPrivate ? 0o600 : 0o644)
            if let previous { try keep(path, as: previous) }
            guard unsafe rename(temporary, path) == 0 else {
                throw SystemError("rename", errno: errno, subject: path)
            }
        } catch {
            unsafe unlink(temporary)
            throw error
        }
        if guarantee == .survivesPowerLoss { try flushFolder(of: path) }
    }

    /// Makes a file that only its owner reads and writes, unless there is one of that name already:
    /// then false, and it stays as it is. It appears with its whole content, so of several
    /// processes that make it at once all end up reading that of one.
    package static func make(_ path: String, with bytes: [UInt8]) throws(SystemError) -> Bool {
        // The number only keeps two makers from writing into the same draft.
        let temporary = path + ".\(getpid())-\(UInt32.random(in: .min ... .max)).new"
        do throws(SystemError) {
            try write(bytes, to: temporary, flush: true, flags: O_EXCL, mode: 0o600)
        } catch {
            if error.code != EEXIST { unsafe unlink(temporary) }
            throw error
        }
        defer { unsafe unlink(temporary) }
        guard unsafe link(temporary, path) == 0 else {
            if errno == EEXIST { return false }
            throw SystemError("link", errno: errno, subject: path)
        }
        try flushFolder(of: path)
        return true
    }

    /// Flushes the folder that holds `path`, so that a rename in it survives a power cut.
    package static func flushFolder(of path: String) throws(SystemError) {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", errno: errno, subject: folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw SystemError("fsync", errno: errno, subject: folder)
        }
    }

    /// The content of a file and the identity it had; `nil` when there is none of that name.
    /// A file of more than `limit` bytes fails with `EFBIG`, anything but a file with `EINVAL`.
    package static func read(
        _ path: String, limit: Int = readLimit
    ) throws(SystemError) -> (bytes: [UInt8], identity: FileIdentity)? {
        // Not blocking: a named pipe must not hold the caller until somebody writes.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0, errno == ENOENT { return nil }
        guard descriptor >= 0 else { throw SystemError("open", errno: errno, subject: path) }
        defer { close(descriptor) }
        let identity = try FileIdentity(descriptor: descriptor, path: path)
        guard identity.kind == .file else {
            throw SystemError("read", errno: EINVAL, subject: path, detail: "not a regular file")
        }
        guard identity.size <= limit else {
            throw SystemError("read", errno: EFBIG, subject: path, detail: "limit \(limit) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(identity.size) + 1)
        var filled = 0
        while filled < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes { space in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: space[filled...])
                return unsafe Glibc.read(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read", errno: errno, subject: path) }
            if count == 0 { break }
            filled += count
        }
        bytes.removeLast(bytes.count - filled)
        return (bytes, identity)
    }

    private static func write(
        _ bytes: [UInt8], to path: String, flush: Bool, flags: Int32 = O_TRUNC,
        mode: mode_t = 0o644
    ) throws(SystemError) {
        let descriptor = unsafe open(
            path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, mode)
        guard descriptor >= 0 else { throw SystemError("open", errno: errno, subject: path) }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { content in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: content[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw SystemError("write", errno: errno, subject: path) }
            written += count
        }
        if flush, fsync(descriptor) != 0 {
            throw SystemError("fsync", errno: errno, subject: path)
        }
    }

    /// Gives the present content a second name, in place of what had it; `path` itself is there at
    /// every moment. Nothing happens when there is no such file.
    package static func keep(_ path: String, as previous: String) throws(SystemError) {
        unsafe unlink(previous)
        guard unsafe link(path, previous) == 0 || errno == ENOENT else {
            throw SystemError("link", errno: errno, subject: previous)
        }
    }

    /// Removes a file; one that is not there is passed over.
    package static func remove(_ path: String) throws(SystemError) {
        guard unsafe unlink(path) == 0 || errno == ENOENT else {
            throw SystemError("unlink", errno: errno, subject: path)
        }
    }

    /// Makes a folder, and those above it that are missing.
    package static func makeFolder(_ path: String) throws(SystemError) {
        if let present = try FileIdentity(path: path) {
            guard present.kind == .folder else {
                throw SystemError("mkdir", errno: ENOTDIR, subject: path)
            }
            return
        }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeFolder(String(path[..<slash]))
        }
        guard unsafe mkdir(path, 0o755) == 0 || errno == EEXIST else {
            throw SystemError("mkdir", errno: errno, subject: path)
        }
    }
}
