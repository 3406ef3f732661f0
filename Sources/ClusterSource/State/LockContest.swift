import LinuxNetwork
import NetworkTypes

/// One process's part in who holds a lock file: takes the lock when it is free, notices when it
/// becomes free, and when the file was taken from under it.
///
/// The kernel tells that the holder's file was closed a moment *before* it drops the lock, so the
/// first attempt after that notice may come too early. A few attempts at growing distances follow,
/// 127 ms in all; then, as nothing more is expected, one every few seconds.
struct LockContest {
    static let attempts = 7
    static let fallback = Duration.seconds(5)

    /// The lock file.
    let path: String
    private let holder: String
    private var lock: FileLock?
    private(set) var isHeld = false
    private var attempt = 0
    private(set) var nextDeadline: Instant?

    /// Takes no part yet; `holder` is how the lock file names this process.
    init(path: String, holder: String) {
        self.path = path
        self.holder = holder
    }

    /// Who holds the lock if we do not.
    var rival: String { FileLock.signature(of: path) ?? "another process" }

    /// Takes note that the lock may have become free, or that its file is another one.
    mutating func stir(at now: Instant) {
        if isHeld, lock?.isInPlace == true { return }
        isHeld = false
        attempt = 0
        nextDeadline = now
    }

    /// Tries to take the lock when it is time.
    mutating func advance(at now: Instant) throws(SystemError) {
        guard !isHeld, let deadline = nextDeadline, deadline <= now else { return }
        try seize(at: now)
    }

    /// Tries to take the lock now; true when it is held after the call.
    @discardableResult
    mutating func seize(at now: Instant) throws(SystemError) -> Bool {
        if isHeld { return true }
        let wait: Duration =
            attempt < Self.attempts ? .milliseconds(1 << attempt) : Self.fallback
        attempt += 1
        nextDeadline = now + wait
        if lock?.isInPlace != true { lock = nil }
        let contested: FileLock
        if let lock { contested = lock } else { contested = try FileLock(path: path) }
        lock = contested
        // A file that was replaced between opening and locking would protect nothing.
        guard try contested.acquire(), contested.isInPlace else { return false }
        contested.sign(holder)
        isHeld = true
        nextDeadline = nil
        return true
    }
}
