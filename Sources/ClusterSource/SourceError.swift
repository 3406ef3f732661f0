import LinuxNetwork

/// Why a source refused, or failed.
package enum SourceError: Error, Sendable, Equatable {
    /// Another process holds the allocator's lock; only it writes.
    case notLeader(holder: String)
    /// Another process publishes for this node.
    case nodeTaken(node: String, holder: String)
    /// A node name that is no DNS subdomain.
    case invalidNode(String)
    /// A file or folder could not be used.
    case file(SystemError)
    /// A state file has content that is not ours to overwrite.
    case damaged(path: String, reason: String)
    /// State folder and manifest folder are the same.
    case foldersCoincide(String)
    /// A table is full.
    case tooMany(what: String, limit: Int)
    /// More requests wait than are kept.
    case busy(limit: Int)
    /// The source runs no more, or not yet again.
    case stopped
}

extension SourceError: CustomStringConvertible {
    /// What failed and what the reader can do.
    package var description: String {
        switch self {
        case .notLeader(let holder):
            "not written: the allocator's lock is held by \(holder); that process writes"
        case .nodeTaken(let node, let holder):
            "another process speaks for node \(node): \(holder); stop one, or give --node"
        case .invalidNode(let node):
            "\"\(node)\" is no node name; use lower-case letters, digits, '-' and '.'"
        case .file(let error):
            "\(error.fileReason); \(error.fileRemedy)"
        case .damaged(let path, let reason):
            "\(path) is damaged: \(reason); repair it, or remove it to start without allocations"
        case .foldersCoincide(let path):
            "\(path) is given as manifest folder and as state folder; choose two"
        case .tooMany(let what, let limit):
            "more than \(limit) \(what); remove some"
        case .busy(let limit):
            "more than \(limit) requests wait for the disk; try again later"
        case .stopped:
            "the source has stopped; start it again"
        }
    }
}
