import Kubernetes
import LinuxNetwork
import NetworkTypes
import Synchronization

/// The last good state of the cluster on disk, so that a speaker that starts while the API server
/// is away knows what it has to announce.
///
/// `cluster.journal` in the state folder, readable by its owner only, because Secrets are in it:
/// a line for each object that came, changed or went (``JournalLine``), appended at most every
/// second by a thread of its own. What is torn or damaged is passed over line by line. When most
/// of the file has been overtaken, what counts is copied into a new one that takes its place; the
/// whole is never in memory.
///
/// A disk that fails or is full costs only the journal: changes wait, the last one of each object,
/// up to ``waitingLimit``. Beyond it the journal is given up and removed, since an old state that
/// is taken for the last one would be worse than none; ``trouble`` says so.
package final class ClusterJournal: Sendable {
    /// What a journal holds.
    package struct Content: Sendable {
        /// The objects; those of which the decoder could not make anything are missing.
        package var objects: [APIObject] = []
        /// Versions of collections, by their paths, as they were noted.
        package var versions: [String: String] = [:]
        /// When the cluster was last known to be so; `nil` for an empty journal.
        package var confirmed: WallTime?
        /// Entries that could not be read: damage, or kinds that nobody reads any more.
        package var lost = 0

        package init() {}
    }

    /// Bytes of changes that wait for a disk that does not take them: 64 MiB.
    package static let waitingLimit = 64 << 20

    private let store: JournalStore
    private let mailbox: Mailbox<JournalBatch>
    private let thread = Mutex<NetworkThread?>(nil)
    private let troubles = Mutex<String?>(nil)
    private let waitingLimit: Int

    /// A journal that does nothing yet.
    ///
    /// - Parameters:
    ///   - folder: the state folder; made where it is missing.
    ///   - identity: of the cluster: another cluster's journal is not read, and is replaced.
    package init(
        folder: String, identity: String, waitingLimit: Int = ClusterJournal.waitingLimit
    ) throws(SystemError) {
        store = JournalStore(folder: folder, identity: identity)
        mailbox = try Mailbox(empty: JournalBatch())
        self.waitingLimit = waitingLimit
    }

    /// What was written by former processes. Call it before ``start()``; it reads the disk.
    /// `decoder` gives the decoder of a kind, `nil` for kinds that are of no interest.
    package func restore(
        decoder: (_ kind: String) -> ObjectDecoder?
    ) throws(SystemError) -> Content {
        try store.restore(decoder: decoder)
    }

    /// Starts the thread that writes. Once.
    package func start() throws(SystemError) {
        let thread = try NetworkThread(name: "journal") { self.write() }
        self.thread.withLock { $0 = thread }
    }

    /// Takes in objects as they are now, with their text, or `nil` for those that are gone; an
    /// object without its text is passed over. Returns at once.
    package func append(_ changes: [ObjectMirror.Change]) {
        mailbox.post { batch in
            for (reference, object) in changes {
                if let object {
                    if let text = object.text { batch.put(reference, text) }
                } else {
                    batch.remove(reference)
                }
            }
        }
    }

    /// Takes in the version that a collection has, by its path.
    package func note(version: String, of path: String) {
        mailbox.post { $0.versions[path] = version }
    }

    /// The cluster is known to be as it was noted. A call every minute or so is enough.
    package func confirm(at time: WallTime) {
        mailbox.post { $0.confirmed = time }
    }

    /// Why nothing is written, if so, with the way out.
    package var trouble: String? { troubles.withLock(\.self) }

    /// Writes what waits, and ends. Nothing is written afterwards.
    package func close() async {
        mailbox.post { $0.isClosing = true }
        guard let thread = thread.withLock({ $0.take() }) else { return }
        // The thread ends as soon as the disk has taken, or refused, what waits.
        await withCheckedContinuation { continuation in
            let waiter = Result { () throws(SystemError) in
                try NetworkThread(name: "journal-end") {
                    thread.join()
                    continuation.resume()
                }
            }
            if case .failure = waiter {
                thread.join()
                continuation.resume()
            }
        }
    }

    // MARK: The thread

    private func write() {
        var waiting = JournalBatch()
        var due = MonotonicClock.now()
        while true {
            do throws(SystemError) {
                _ = try mailbox.wait(for: nil, until: waiting.isEmpty ? nil : due)
            } catch {
                troubles.withLock { $0 = "the cluster's last state is not kept: \(error)" }
                return
            }
            waiting.merge(mailbox.take())
            let isMuch = waiting.size > 1 << 20 && trouble == nil
            let isTooMuch = waiting.size > waitingLimit
            let isDue = waiting.isClosing || isMuch || isTooMuch || MonotonicClock.now() >= due
            if isDue, !waiting.isEmpty {
                attempt(&waiting)
                due = MonotonicClock.now() + (trouble == nil ? .seconds(1) : .seconds(5))
            }
            if waiting.isClosing { return }
        }
    }

    /// Tries to write a batch, and leaves in it what could not be written.
    private func attempt(_ batch: inout JournalBatch) {
        do throws(SystemError) {
            try store.append(batch)
            batch = JournalBatch(isClosing: batch.isClosing)
            troubles.withLock { $0 = store.refusal }
        } catch {
            if batch.size > waitingLimit {
                store.giveUp()
                batch = JournalBatch(isClosing: batch.isClosing)
            }
            let text =
                store.refusal
                ?? "the cluster's last state is not kept: \(error); make room in the state folder; "
                + "until then a speaker that is restarted while the API server is away announces "
                + "nothing"
            troubles.withLock { $0 = text }
        }
    }
}
