import LinuxNetwork
import NetworkTypes

/// What this process's own speaker tells the others.
extension StateFolder {
    /// Publishes a record, or withdraws it; the others can read it when the call returns.
    ///
    /// While another process speaks for the node the record waits: it is published as soon as that
    /// process ends, and ``SourceError/nodeTaken(node:holder:)`` says so until then.
    mutating func publish(_ record: SpeakerRecord?, at now: Instant) throws(SourceError) {
        if let record, !SpeakerRecord.isValid(node: record.node) { throw .invalidNode(record.node) }
        if let own = ownRecord?.node, own != record?.node { try withdraw(own) }
        guard let record else { return }
        if record == ownRecord, isOwnRecordPublished { return }
        ownRecord = record
        isOwnRecordPublished = false
        var contest =
            ownContest
            ?? LockContest(
                path: location.path(of: "speakers/\(record.node).lock"), holder: holder)
        do throws(SystemError) {
            try contest.seize(at: now)
            ownContest = contest
        } catch {
            complain(error, about: contest.path)
            throw .file(error)
        }
        guard contest.isHeld else {
            throw .nodeTaken(node: record.node, holder: contest.rival)
        }
        try writeOwnRecord(record)
    }

    /// Publishes the record that waits, when the lock is ours at last.
    mutating func advanceOwnRecord(at now: Instant) {
        guard let record = ownRecord else { return }
        do {
            try ownContest?.advance(at: now)
            if ownContest?.isHeld == true, !isOwnRecordPublished { try writeOwnRecord(record) }
        } catch let error as SystemError {
            complain(error, about: speakerPath(record.node))
        } catch {
            // Writing has complained already.
            return
        }
    }

    private mutating func writeOwnRecord(_ record: SpeakerRecord) throws(SourceError) {
        let path = speakerPath(record.node)
        do {
            // Not flushed: a speaker that starts again publishes again, and its claims only have to
            // outlive the process.
            try DurableFile.replace(
                path, with: try SpeakerFile.encode(record), guarantee: .atomic)
        } catch let error as SystemError {
            complain(error, about: path)
            throw .file(error)
        } catch {
            throw .damaged(path: path, reason: "the record cannot be written as JSON: \(error)")
        }
        trouble[path] = nil
        speakers[record.node] = record
        isOwnRecordPublished = true
    }

    private mutating func withdraw(_ node: String) throws(SourceError) {
        do throws(SystemError) {
            if ownContest?.isHeld == true {
                try DurableFile.remove(speakerPath(node))
                speakers[node] = nil
            }
        } catch {
            throw .file(error)
        }
        ownRecord = nil
        ownContest = nil
        isOwnRecordPublished = false
    }
}
