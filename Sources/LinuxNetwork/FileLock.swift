import Glibc

/// A lock on a file that holds as long as the process lives (`flock(2)`): the kernel drops it when
/// its holder ends, however it ends.
///
/// The file stays behind; what is written in it only says, for people, who held it last.
package final class FileLock: Sendable {
    private let descriptor: Int32
    /// The lock file.
    package let path: String

    /// Opens the lock file, making it where it is missing. The lock is not taken yet.
    package init(path: String) throws(SystemError) {
        descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw SystemError("open", errno: errno, subject: path) }
        self.path = path
    }

    deinit { close(descriptor) }

    /// Takes the lock if nobody else has it; never waits. True when it is held after the call.
    package func acquire() throws(SystemError) -> Bool {
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            switch errno {
            case EINTR: continue
            case EWOULDBLOCK: return false
            default: throw SystemError("flock", errno: errno, subject: path)
            }
        }
        return true
    }

    /// Whether the path still names the file that was opened. Once the file has been deleted or
    /// replaced, somebody else can lock its successor, and this lock protects nothing.
    package var isInPlace: Bool {
        var opened = stat()
        var named = stat()
        guard unsafe fstat(descriptor, &opened) == 0, unsafe lstat(path, &named) == 0 else {
            return false
        }
        return opened.st_dev == named.st_dev && opened.st_ino == named.st_ino
    }

    /// Writes into the file who holds the lock. Only for people who look; a full disk may lose it.
    package func sign(_ holder: String) {
        let bytes = Array((holder + "\n").utf8)
        ftruncate(descriptor, 0)
        _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Who signed the lock file at `path` last; `nil` when nobody did, or it cannot be read.
    package static func signature(of path: String) -> String? {
        // Only for messages: whatever is wrong with the file, the lock itself tells.
        guard let content = try? DurableFile.read(path, limit: 4096) else { return nil }
        let text = String(decoding: content.bytes.prefix { $0 != 0x0a }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
