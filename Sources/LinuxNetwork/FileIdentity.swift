import Glibc

/// Which file a name stands for, and which version of it: differs as soon as anything was written.
package struct FileIdentity: Hashable, Sendable {
    /// What the name stands for.
    package enum Kind: Hashable, Sendable {
        /// A regular file.
        case file
        /// A folder.
        case folder
        /// A symbolic link, when links are not followed.
        case link
        /// A device, a pipe, a socket.
        case other
    }

    /// What the name stands for.
    package let kind: Kind
    /// Size in bytes.
    package let size: Int64
    /// How many names the file has.
    package let links: UInt64
    /// Who may do what: the lowest nine bits of `st_mode`.
    package let permissions: UInt32
    private let device: UInt64
    private let inode: UInt64
    private let modified: Int64
    private let changed: Int64

    /// What `path` stands for, links followed unless told otherwise; `nil` when there is nothing.
    package init?(path: String, followLinks: Bool = true) throws(SystemError) {
        var status = stat()
        let result = unsafe followLinks ? stat(path, &status) : lstat(path, &status)
        if result != 0, errno == ENOENT || errno == ENOTDIR { return nil }
        guard result == 0 else { throw SystemError("stat", errno: errno, subject: path) }
        self.init(status)
    }

    /// What an open descriptor stands for; `path` only names it in an error.
    init(descriptor: Int32, path: String) throws(SystemError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw SystemError("fstat", errno: errno, subject: path)
        }
        self.init(status)
    }

    private init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        size = Int64(status.st_size)
        links = UInt64(status.st_nlink)
        permissions = status.st_mode & 0o777
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        changed = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
    }

    /// Whether both stand for the same file with the same content; its names may differ.
    package func isSameVersion(as other: FileIdentity) -> Bool {
        isSameFile(as: other) && size == other.size && modified == other.modified
    }

    /// Whether both stand for the same file, in whatever version.
    package func isSameFile(as other: FileIdentity) -> Bool {
        device == other.device && inode == other.inode
    }
}

extension SystemError {
    /// The failure of a call on a file, with what the reader can do there.
    package var fileReason: String {
        let reason = unsafe String(cString: strerror(code))
        return ["\(call) on \(subject): \(reason)", detail].compactMap { $0 }
            .joined(separator: ", ")
    }

    /// What the reader can do about a call on a file that failed.
    package var fileRemedy: String {
        switch code {
        case ENOSPC where call == "inotify_add_watch": "raise the sysctl named"
        case ENOSPC, EDQUOT: "free space on this file system"
        case EACCES, EPERM: "let this user read and write it"
        case EROFS: "mount the file system writable, or choose another folder"
        case EFBIG: "split the file"
        case ENOENT, ENOTDIR: "make the folder"
        case EMFILE, ENFILE: "raise the limit of open files (ulimit -n, LimitNOFILE=)"
        case EIO: "check the disk"
        default: "put right what the call complains about"
        }
    }
}
