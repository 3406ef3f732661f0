import Kubernetes
import LinuxNetwork
import Synchronization

/// The file of a ``ClusterJournal``: reads it, appends to it, and writes it anew when most of it
/// has been overtaken.
final class JournalStore: Sendable {
    private struct State {
        var lock: FileLock?
        var file: AppendedFile?
        /// How long the file is, all of it whole lines.
        var size: Int64 = 0
        /// How much of it counted when that was last looked at.
        var live: Int64 = 0
        /// Why this process does not write.
        var refusal: String?
        /// Whether the disk failed for so long that nothing is written any more.
        var isGivenUp = false
    }

    /// What counts in a file: where the last line of each object begins.
    private struct Index {
        var places: [UInt64: Int64] = [:]
        var versions: [String: String] = [:]
        var confirmed: WallTime?
        var damaged = 0
        /// Where the last whole line ends.
        var end: Int64 = 0
    }

    /// Overtaken bytes that are put up with before a file is written anew.
    static let slack: Int64 = 4 << 20
    private static let chunk = 256 << 10
    /// The longest line: an object of the API is smaller than 1.5 MiB.
    private static let longestLine = 8 << 20

    private let folder: String
    private let path: String
    private let header: [UInt8]
    private let state = Mutex(State())

    init(folder: String, identity: String) {
        self.folder = folder
        path = folder + "/cluster.journal"
        var title = JSONWriter()
        title.string(identity)
        header = Array("martlet-journal 1 ".utf8) + title.bytes + [UInt8(ascii: "\n")]
    }

    /// Why this process does not write; `nil` when it does.
    var refusal: String? { state.withLock(\.refusal) }

    // MARK: Reading

    func restore(
        decoder: (_ kind: String) -> ObjectDecoder?
    ) throws(SystemError) -> ClusterJournal.Content {
        try state.locked { state throws(SystemError) -> ClusterJournal.Content in
            let file = try open(&state)
            let index = try prepare(file, &state)
            var content = ClusterJournal.Content()
            content.versions = index.versions
            content.confirmed = index.confirmed
            content.lost = index.damaged
            var decoders: [String: ObjectDecoder?] = [:]
            try eachLive(index, in: file) { key, json, _ throws(SystemError) in
                let kind = JournalLine.kind(of: key)
                let known = decoders[kind] ?? decoder(kind)
                decoders[kind] = .some(known)
                // What this version cannot read, the server will tell again.
                guard let known, let object = try? known.object(Array(json)) else {
                    content.lost += 1
                    return
                }
                content.objects.append(object)
            }
            return content
        }
    }

    /// Opens the file if it is not open, and takes the lock.
    private func open(_ state: inout State) throws(SystemError) -> AppendedFile {
        if let file = state.file { return file }
        try DurableFile.makeFolder(folder)
        let lock: FileLock
        if let opened = state.lock {
            lock = opened
        } else {
            lock = try FileLock(path: path + ".lock")
        }
        state.refusal =
            try lock.acquire()
            ? nil
            : "the cluster's last state is not kept: another process does so in \(folder); stop "
                + "it, or give each its own --state"
        state.lock = lock
        let file = try AppendedFile(path: path)
        state.file = file
        return file
    }

    /// Looks through the file. What is not ours, or not of this cluster, is begun anew; a torn end
    /// is cut off.
    private func prepare(
        _ file: AppendedFile, _ state: inout State
    ) throws(SystemError) -> Index {
        let size = try file.size()
        var index = Index()
        if try file.read(at: 0, upTo: header.count) == header {
            index = try self.index(file)
        } else if state.refusal == nil {
            try file.truncate(to: 0)
            try file.append(header)
            index.end = Int64(header.count)
        }
        if state.refusal == nil, size > index.end { try file.truncate(to: index.end) }
        state.size = index.end
        var live = Int64(header.count)
        try eachLive(index, in: file) { _, _, line throws(SystemError) in
            live += Int64(line.count) + 1
        }
        state.live = live
        return index
    }

    private func index(_ file: AppendedFile) throws(SystemError) -> Index {
        var index = Index()
        index.end = Int64(header.count)
        index.end = try eachLine(of: file, from: index.end) { place, line throws(SystemError) in
            switch line.flatMap({ JournalLine($0) }) {
            case .put(let key, _): index.places[Self.hash(key)] = place
            case .gone(let key): index.places[Self.hash(key)] = nil
            case .version(let path, let version): index.versions[path] = version
            case .confirmed(let time): index.confirmed = time
            case nil: index.damaged += 1
            }
        }
        return index
    }

    /// 64 bits stand for the name: that two of some ten thousand are equal is less likely than
    /// that a disk errs unseen.
    private static func hash(_ key: ArraySlice<UInt8>) -> UInt64 {
        var hasher = Hasher()
        for byte in key { hasher.combine(byte) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// The lines of objects that count, in the order of the file.
    private func eachLive(
        _ index: Index, in file: AppendedFile,
        _ body: (
            _ key: ArraySlice<UInt8>, _ json: ArraySlice<UInt8>, _ line: ArraySlice<UInt8>
        ) throws(SystemError) -> Void
    ) throws(SystemError) {
        guard !index.places.isEmpty else { return }
        _ = try eachLine(of: file, from: Int64(header.count)) { place, line throws(SystemError) in
            guard let line, case .put(let key, let json)? = JournalLine(line),
                index.places[Self.hash(key)] == place
            else { return }
            try body(key, json, line)
        }
    }

    /// The lines from an offset on, each with where it begins; `nil` for one that is too long.
    /// Returns where the last whole one ends.
    private func eachLine(
        of file: AppendedFile, from start: Int64,
        _ body: (_ place: Int64, _ line: ArraySlice<UInt8>?) throws(SystemError) -> Void
    ) throws(SystemError) -> Int64 {
        var buffer: [UInt8] = []
        var place = start
        var offset = start
        var isTooLong = false
        while true {
            let chunk = try file.read(at: offset, upTo: Self.chunk)
            guard !chunk.isEmpty else { return place }
            offset += Int64(chunk.count)
            var seen = buffer.count
            buffer.append(contentsOf: chunk)
            var begin = 0
            while let end = buffer[seen...].firstIndex(of: UInt8(ascii: "\n")) {
                try body(place, isTooLong ? nil : buffer[begin..<end])
                isTooLong = false
                begin = end + 1
                seen = begin
                place = offset - Int64(buffer.count - begin)
            }
            buffer.removeFirst(begin)
            if buffer.count > Self.longestLine {
                buffer.removeAll()
                isTooLong = true
            }
        }
    }

    // MARK: Writing

    func append(_ batch: JournalBatch) throws(SystemError) {
        try state.locked { state throws(SystemError) -> Void in
            guard !state.isGivenUp else { return }
            if state.file == nil {
                let file = try open(&state)
                _ = try prepare(file, &state)
            }
            guard let file = state.file, state.refusal == nil else { return }
            let lines = batch.lines
            try file.append(lines)
            state.size += Int64(lines.count)
            if state.size > 2 * state.live + Self.slack { try compact(file, &state) }
        }
    }

    /// Copies what counts into a file of its own, which takes the place of this one.
    private func compact(_ file: AppendedFile, _ state: inout State) throws(SystemError) {
        let index = try index(file)
        let copy = try AppendedFile(path: path + ".new", isNew: true)
        var bytes = header
        var size: Int64 = 0
        func flush() throws(SystemError) {
            try copy.append(bytes)
            size += Int64(bytes.count)
            bytes.removeAll(keepingCapacity: true)
        }
        do throws(SystemError) {
            try eachLive(index, in: file) { _, _, line throws(SystemError) in
                bytes.append(contentsOf: line)
                bytes.append(UInt8(ascii: "\n"))
                if bytes.count >= Self.chunk { try flush() }
            }
            for (path, version) in index.versions {
                JournalLine.append(version: version, of: path, to: &bytes)
            }
            if let confirmed = index.confirmed { JournalLine.append(confirmed, to: &bytes) }
            try flush()
            try copy.replace(path)
        } catch {
            // The old file is as it was; its room is what counts now.
            try DurableFile.remove(path + ".new")
            throw error
        }
        state.file = copy
        state.size = size
        state.live = size
    }

    /// Removes the file: what it holds is no longer the last state.
    func giveUp() {
        state.withLock { state in
            // Another process's file is its own to keep.
            guard state.refusal == nil else { return }
            state.isGivenUp = true
            state.refusal =
                "the cluster's last state is not kept since the disk failed; restart the speaker "
                + "when the state folder has room"
            // One that can be neither emptied nor removed is, as a rule, not readable either.
            _ = try? state.file?.truncate(to: 0)
            _ = try? DurableFile.remove(path)
            state.file = nil
        }
    }
}

extension Mutex where Value: ~Copyable {
    /// The same as `withLock`, for typed errors.
    fileprivate borrowing func locked<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result where Result: Sendable {
        let result: Swift.Result<Result, Failure> = withLock { value in
            do throws(Failure) { return .success(try body(&value)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
