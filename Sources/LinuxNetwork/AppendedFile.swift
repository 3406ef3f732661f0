import Glibc

/// A file that only its owner reads and writes, and that only grows: for journals.
package final class AppendedFile: Sendable {
    private let descriptor: Int32
    /// The path it was opened by.
    package let path: String

    /// Opens the file, making it where it is missing; with `isNew`, in place of what has the name.
    package init(path: String, isNew: Bool = false) throws(SystemError) {
        if isNew { try DurableFile.remove(path) }
        descriptor = unsafe open(
            path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (isNew ? O_EXCL : 0),
            0o600)
        guard descriptor >= 0 else { throw SystemError("open", errno: errno, subject: path) }
        self.path = path
        // One that somebody made before us, for all to read.
        guard fchmod(descriptor, 0o600) == 0 else {
            let code = errno
            close(descriptor)
            throw SystemError("fchmod", errno: code, subject: path)
        }
    }

    deinit { close(descriptor) }

    /// How long it is, in bytes.
    package func size() throws(SystemError) -> Int64 {
        try FileIdentity(descriptor: descriptor, path: path).size
    }

    /// Appends all of it, or nothing: what a full disk took in part is cut off again.
    package func append(_ bytes: [UInt8]) throws(SystemError) {
        let before = try size()
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { content in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: content[written...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let code = count == 0 ? ENOSPC : errno
                // Should this fail too, the end is torn, and readers pass over it.
                _ = ftruncate(descriptor, off_t(before))
                throw SystemError("write", errno: code, subject: path)
            }
            written += count
        }
    }

    /// Up to so many bytes from an offset; none at the end.
    package func read(at offset: Int64, upTo limit: Int) throws(SystemError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { space, filled in
            var count = unsafe pread(descriptor, space.baseAddress, limit, off_t(offset))
            while count < 0, errno == EINTR {
                count = unsafe pread(descriptor, space.baseAddress, limit, off_t(offset))
            }
            if count < 0 { failure = errno }
            filled = max(0, count)
        }
        guard failure == 0 else { throw SystemError("read", errno: failure, subject: path) }
        return bytes
    }

    /// Cuts off what is beyond `size`.
    package func truncate(to size: Int64) throws(SystemError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw SystemError("ftruncate", errno: errno, subject: path)
        }
    }

    /// Takes the name of another file, whose content is gone then; survives a power cut.
    package func replace(_ other: String) throws(SystemError) {
        guard fsync(descriptor) == 0 else {
            throw SystemError("fsync", errno: errno, subject: path)
        }
        guard unsafe rename(path, other) == 0 else {
            throw SystemError("rename", errno: errno, subject: other)
        }
        try DurableFile.flushFolder(of: other)
    }
}
