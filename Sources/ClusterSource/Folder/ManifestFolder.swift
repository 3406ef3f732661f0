import Dispatch
import FoundationEssentials
import Kubernetes
import LinuxNetwork
import NetworkTypes
import Synchronization

/// The files of a manifest folder, read once and again whenever they change.
///
/// Which files: `*.yaml`, `*.yml` and `*.json`, in the folder and in its direct subfolders, links
/// followed. Hidden names and what editors leave behind are passed over, so a mounted ConfigMap
/// (`..data` and links through it) is read once, by its visible names.
///
/// When: notices of the kernel say which file changed (``PendingChanges`` says when to read it); a
/// change of the folders themselves, a swap of `..data`, or lost notices make us look at every
/// file's identity, and read those that differ. A link to a file elsewhere is read again when the
/// link changes, not when that file does.
///
/// What stays: a file that cannot be read or parsed keeps its last good content, and so does the
/// whole folder when it is gone, until it is back.
struct ManifestFolder {
    /// Bounds on what is read. What lies beyond is left out and named in a problem.
    struct Limits: Sendable {
        /// Bytes in one file.
        var fileBytes = 16 << 20
        /// Bytes in all files.
        var totalBytes = 256 << 20
        /// Files.
        var files = 20_000
        /// Subfolders.
        var subfolders = 256
    }

    static let missingRetry = Duration.seconds(1)

    let location: FolderLocation
    let limits: Limits
    let watch: InotifyWatch
    /// A folder that is never read, because its files are not manifests.
    let state: FolderLocation?

    var entries: [String: ManifestEntry] = [:]
    var pending = PendingChanges()
    var rescanAt: Instant?
    var reopenAt: Instant?
    /// Watches by number, with the folder below ours that each is about; "" is our own.
    var watches: [Int32: String] = [:]
    var parentWatch: Int32?
    /// The trouble with the folder as a whole.
    var folderProblems: [Problem] = []
    var isMissing = false
    var leftOut = 0
    /// The sum of the entries' sizes.
    private var heldBytes = 0
    /// Files whose content in force may have changed since the changes were last taken.
    private var changed: Set<String> = []
    /// Files with broken objects, and those objects.
    private(set) var refusals: [String: Set<ManifestObject.Reference>] = [:]
    /// Files that have no content in force, though they exist.
    private var orphans: Set<String> = []

    /// Opens nothing yet.
    init(path: String, watch: InotifyWatch, state: String? = nil, limits: Limits = Limits()) {
        location = FolderLocation(path)
        self.watch = watch
        self.state = state.map { FolderLocation($0) }
        self.limits = limits
    }

    /// The files whose content in force changed since the last call, by the names that problems
    /// call them, each with that content.
    mutating func takeChanges() -> [String: ManifestFile?] {
        defer { changed = [] }
        return Dictionary(
            uniqueKeysWithValues: changed.map { (location.name(of: $0), entries[$0]?.current) })
    }

    /// Problems of the folder, and of files that have no content in force.
    var problems: [Problem] {
        folderProblems + orphans.sorted().flatMap { entries[$0]?.orphanedProblems ?? [] }
    }

    /// Whether everything that exists has been read, in this version or an earlier one.
    var isComplete: Bool { leftOut == 0 && orphans.isEmpty }

    /// When ``advance(at:)`` has something to do even without notices.
    var nextDeadline: Instant? {
        [rescanAt, reopenAt, pending.nextDeadline].compactMap { $0 }.min()
    }

    /// Reads everything. Throws when the folder cannot be read.
    mutating func open(at now: Instant) throws(SystemError) {
        try attach()
        try scan(at: now)
        _ = readDue(at: now)
    }

    /// Does what is due; true when there are changes to take, or ``problems`` may have
    /// changed.
    mutating func advance(at now: Instant) -> Bool {
        let before = folderProblems
        if let due = reopenAt, due <= now { reopen(at: now) }
        if let due = rescanAt, due <= now {
            rescanAt = nil
            do throws(SystemError) { try scan(at: now) } catch { lose(error, at: now) }
        }
        let changed = readDue(at: now)
        return changed || folderProblems != before
    }

    /// Reads the files that are due; true when a content or a problem changed.
    private mutating func readDue(at now: Instant) -> Bool {
        let due = pending.takeDue(at: now)
        guard !due.isEmpty, !isMissing else { return false }
        let date = Date()
        var hasChanged = false
        for (path, reading) in zip(due, read(due)) {
            switch reading {
            case .gone:
                guard let gone = entries.removeValue(forKey: path) else { continue }
                heldBytes -= gone.size
                note(path)
                hasChanged = true
                // There may be room now for one that was left out.
                if leftOut > 0 { rescanAt = now }
            case .unstable:
                pending.note(.finished, path, at: now)
            case .unchanged, .unreadable, .read:
                guard entries[path] != nil || entries.count < limits.files else {
                    rescanAt = now
                    continue
                }
                let refusal = refusal(of: reading, path)
                var entry = entries[path] ?? ManifestEntry()
                heldBytes -= entry.size
                let isNews = entry.take(refusal ?? reading, at: date)
                heldBytes += entry.size
                entries[path] = entry
                guard isNews else { continue }
                note(path)
                hasChanged = true
            }
        }
        return hasChanged
    }

    private mutating func note(_ path: String) {
        changed.insert(path)
        let entry = entries[path]
        let refused = entry?.good?.refused ?? []
        refusals[path] = refused.isEmpty ? nil : refused
        if entry?.hidesSomething == true { orphans.insert(path) } else { orphans.remove(path) }
    }

    /// The problem instead of the content, when the content goes past the bound for all files.
    private func refusal(of reading: ManifestReading, _ path: String) -> ManifestReading? {
        guard case .read(_, let identity, _) = reading else { return nil }
        let others = heldBytes - (entries[path]?.size ?? 0)
        guard others + Int(identity.size) > limits.totalBytes else { return nil }
        return .unreadable(
            Problem(
                .error, file: location.name(of: path),
                rule: "with this file the folder holds more than \(limits.totalBytes) bytes",
                remedy: "make the files smaller"))
    }

    /// Reads files, on all cores when there are many.
    private func read(_ paths: [String]) -> [ManifestReading] {
        let jobs = paths.map { (path: $0, digest: entries[$0]?.digest) }
        let (location, limit) = (location, limits.fileBytes)
        let read: @Sendable (Int) -> ManifestReading = { index in
            let (path, digest) = jobs[index]
            return ManifestReading(
                path: location.path(of: path), name: location.name(of: path), limit: limit,
                knownDigest: digest)
        }
        guard jobs.count >= 16 else { return jobs.indices.map(read) }
        let readings = Mutex([ManifestReading](repeating: .unstable, count: jobs.count))
        DispatchQueue.concurrentPerform(iterations: jobs.count) { index in
            let reading = read(index)
            readings.withLock { $0[index] = reading }
        }
        return readings.withLock { $0 }
    }
}
