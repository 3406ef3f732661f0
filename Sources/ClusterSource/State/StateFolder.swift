import FoundationEssentials
import Glibc
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

/// The folder in which Martlet's processes keep what must outlive them, and tell it to each other.
///
/// ```
/// allocator.lock             held by the one process that allocates; names it
/// allocations.json           what Services have been given (``AllocationFile``)
/// allocations.json.previous  the same, one write earlier
/// allocations.json.damaged   a version that could not be read, kept for people
/// status.json                conditions, pool figures, events (``StatusFile``)
/// speakers/NODE.lock         held by the process that speaks for the node
/// speakers/NODE.json         what it tells the others (``SpeakerFile``)
/// ```
///
/// All processes must be on one machine and the folder on a local file system: notices of changes
/// made by another machine do not arrive.
///
/// **Writing.** One writer a file, by its lock. A file is written beside, flushed, renamed into its
/// place, and the folder flushed, so at any moment it is the old one or the new one. Whoever
/// follows flushes the folder too before it believes what it read: an allocation that anybody acts
/// on is on the disk. When the write fails (no space), nothing has changed, and the writer is told.
///
/// **Damage.** A file that is not what we write, cut short for instance, is never overwritten
/// unseen. Who has a version in memory keeps it, and the leader writes it anew. Who starts takes
/// the previous version (it lacks at most the last write), keeps the damaged one under another
/// name, and says so. With no good version, or one by a later Martlet, nobody becomes leader:
/// giving addresses out anew could move them all. Repairing the file, or removing it while no
/// daemon runs, ends that.
struct StateFolder {
    /// The most speakers whose records are read.
    static let speakerLimit = 4096
    /// The most bytes in one speaker's record.
    static let speakerBytes = 16 << 20
    static let retry = Duration.seconds(1)

    let location: FolderLocation
    let watch: InotifyWatch
    let holder: String
    /// Whether this process wants to allocate, or only follows.
    let contends: Bool
    let logger: Logger

    var table = StateTable()
    var speakers: [String: SpeakerRecord] = [:]
    /// Trouble by file.
    var trouble: [String: Problem] = [:]
    var contest: LockContest
    var folderWatch: Int32?
    var speakerWatch: Int32?
    var reopenAt: Instant?
    /// The version of `allocations.json` that ``table`` is.
    var allocationVersion: FileIdentity?
    /// Whether ``table`` is what was given, and not merely empty because nothing could be read.
    var isTableKnown = false
    /// Holding the lock with the table read: only then may anybody allocate.
    var isLeader = false
    /// When to try again to read the table, while the lock is held and that failed.
    var adoptionAt: Instant?
    /// What this process publishes, and its right to do so.
    var ownRecord: SpeakerRecord?
    var ownContest: LockContest?
    var isOwnRecordPublished = false

    /// Opens nothing yet. `holder` is how lock files name this process.
    init(path: String, watch: InotifyWatch, holder: String, contends: Bool, logger: Logger) {
        location = FolderLocation(path)
        self.watch = watch
        self.holder = holder
        self.contends = contends
        self.logger = logger
        contest = LockContest(path: location.path(of: "allocator.lock"), holder: holder)
    }

    var allocationPath: String { location.path(of: "allocations.json") }
    var statusPath: String { location.path(of: "status.json") }
    func speakerPath(_ node: String) -> String { location.path(of: "speakers/\(node).json") }

    /// What is wrong, in order of file.
    var problems: [Problem] { trouble.keys.sorted().compactMap { trouble[$0] } }

    /// When ``advance(at:)`` has something to do even without notices.
    var nextDeadline: Instant? {
        [
            reopenAt, contest.isHeld ? adoptionAt : nil, contest.nextDeadline,
            ownContest?.nextDeadline,
        ]
        .compactMap { $0 }.min()
    }

    /// Makes the folder where it is missing, reads it, and takes the lock if it is free.
    mutating func open(at now: Instant) throws(SystemError) {
        try attach()
        reload()
        if contends { try contest.seize(at: now) }
        settleLeadership(at: now)
    }

    /// Reads the folder as it is, without making, locking or watching anything.
    mutating func look() throws(SystemError) {
        guard try FileIdentity(path: location.absolute)?.kind == .folder else {
            throw SystemError("stat", errno: ENOENT, subject: location.given)
        }
        reload()
    }

    /// Does what is due; true when something changed.
    mutating func advance(at now: Instant) -> Bool {
        let before = (isLeader, trouble, speakers)
        if let due = reopenAt, due <= now { reopen(at: now) }
        do throws(SystemError) {
            try contest.advance(at: now)
        } catch {
            complain(error, about: contest.path)
        }
        advanceOwnRecord(at: now)
        settleLeadership(at: now)
        return before != (isLeader, trouble, speakers)
    }

    /// Takes the step from holding the lock to being leader, or back.
    mutating func settleLeadership(at now: Instant) {
        if isLeader, !contest.isHeld {
            isLeader = false
            logger.warning("allocator lock lost", metadata: ["lock": .string(contest.path)])
        }
        guard contest.isHeld, !isLeader, adoptionAt.map({ $0 <= now }) ?? true else { return }
        // The last write of the previous leader may not have been noticed yet.
        isLeader = adoptAllocations()
        adoptionAt = isLeader ? nil : now + Self.retry
        if isLeader {
            logger.info("allocator lock taken", metadata: ["lock": .string(contest.path)])
        }
    }

    /// Writes a table, all or nothing, and takes it over once its allocations are durable.
    mutating func commit(_ next: StateTable, at now: Instant) throws(SourceError) {
        if isLeader { contest.stir(at: now) }
        guard isLeader, contest.isHeld else { throw .notLeader(holder: contest.rival) }
        var next = next
        if next.allocations != table.allocations {
            next.generation = table.generation &+ 1
            try write(next)
        }
        let statusChanged = next.status != table.status
        table = next
        if statusChanged { writeStatus() }
    }

    /// Writes the status. Failing that is worth a problem, no more: it says nothing that anybody
    /// depends on, and the next write brings it.
    private mutating func writeStatus() {
        do {
            try DurableFile.replace(
                statusPath, with: try StatusFile.encode(table.status), guarantee: .atomic)
            trouble[statusPath] = nil
        } catch let error as SystemError {
            complain(error, about: statusPath)
        } catch {
            complain("it could not be encoded: \(error)", "report this", about: statusPath)
        }
    }

    mutating func complain(_ error: SystemError, about path: String) {
        complain(error.fileReason, error.fileRemedy, about: path)
    }

    /// Notes and logs trouble with a file, once as long as it stays the same.
    mutating func complain(_ rule: String, _ remedy: String, about path: String) {
        let problem = Problem(.error, file: path, rule: rule, remedy: remedy)
        guard trouble.updateValue(problem, forKey: path) != problem else { return }
        logger.error(
            "state folder", metadata: ["file": .string(path), "problem": .string(rule)])
    }
}
