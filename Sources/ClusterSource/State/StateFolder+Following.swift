import Glibc
import Kubernetes
import LinuxNetwork
import NetworkTypes

/// Reading what others wrote, and noticing that they did.
extension StateFolder {
    private static let noticed: InotifyWatch.Change = [
        .closedAfterWriting, .movedTo, .movedFrom, .deleted, .selfDeleted, .selfMoved,
    ]

    /// Takes a notice, and reads what it is about; true when something changed.
    mutating func handle(_ event: InotifyWatch.Event, at now: Instant) -> Bool {
        if event.change.contains(.queueOverflow) {
            if contends { contest.stir(at: now) }
            ownContest?.stir(at: now)
            return reload()
        }
        guard event.watch == folderWatch || event.watch == speakerWatch else { return false }
        let gone: InotifyWatch.Change = [.selfDeleted, .selfMoved, .unmounted, .watchRemoved]
        if !event.change.isDisjoint(with: gone) {
            reopenAt = now
            return false
        }
        return event.watch == folderWatch
            ? noteState(event, at: now) : noteSpeaker(event, at: now)
    }

    private mutating func noteState(_ event: InotifyWatch.Event, at now: Instant) -> Bool {
        switch event.name {
        case "allocator.lock":
            if contends { contest.stir(at: now) }
            // A lock that was lost, if only for a moment, means reading the allocations again.
            settleLeadership(at: now)
            return false
        case "allocations.json":
            if isLeader { return defendAllocations() }
            let changed = followAllocations()
            // A repaired file may be what we were waiting for.
            settleLeadership(at: now)
            return changed || isLeader
        case "status.json":
            return isLeader ? false : reloadStatus()
        case "speakers" where event.change.contains(.isFolder):
            reopenAt = now
            return false
        default:
            return false
        }
    }

    private mutating func noteSpeaker(_ event: InotifyWatch.Event, at now: Instant) -> Bool {
        if event.name.hasSuffix(".json") {
            // Our own record is known, and our own name is nobody else's to write.
            let node = String(event.name.dropLast(5))
            return node == ownRecord?.node && isOwnRecordPublished ? false : reloadSpeaker(node)
        }
        if let own = ownRecord?.node, event.name == own + ".lock" { ownContest?.stir(at: now) }
        return false
    }

    /// Watches the folder and its subfolder, made where they are missing.
    mutating func attach() throws(SystemError) {
        try DurableFile.makeFolder(location.path(of: "speakers"))
        folderWatch = try watch.watch(location.absolute, for: Self.noticed)
        speakerWatch = try watch.watch(location.path(of: "speakers"), for: Self.noticed)
    }

    /// Finds the folder again, or makes it anew, and brings what is in memory back into it.
    mutating func reopen(at now: Instant) {
        reopenAt = nil
        do throws(SystemError) {
            try attach()
            trouble[location.given] = nil
        } catch {
            complain(error, about: location.given)
            reopenAt = now + Self.retry
            return
        }
        if contends { contest.stir(at: now) }
        isOwnRecordPublished = false
        ownContest?.stir(at: now)
        reload()
    }

    /// Reads everything; true when something changed.
    @discardableResult mutating func reload() -> Bool {
        var changed = isLeader ? defendAllocations() : followAllocations()
        if !isLeader, reloadStatus() { changed = true }
        let folder = location.path(of: "speakers")
        // A folder that cannot be listed is found again by its notices; records stay till then.
        let names = (try? FolderListing.names(in: folder)) ?? speakers.keys.map { $0 + ".json" }
        let nodes = names.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
        for node in Set(nodes).union(speakers.keys).sorted()
        where node != ownRecord?.node || !isOwnRecordPublished {
            if reloadSpeaker(node) { changed = true }
        }
        return changed
    }

    /// Reads the status; true when it changed. A damaged one is passed over, the leader's next
    /// write replaces it.
    private mutating func reloadStatus() -> Bool {
        let before = (table.status, trouble[statusPath])
        do throws(SystemError) {
            guard let (bytes, _) = try DurableFile.read(statusPath) else { return false }
            do throws(AllocationFile.Failure) {
                table.status = try StatusFile.decode(bytes)
                trouble[statusPath] = nil
            } catch {
                complain(error.text, "the next write replaces it", about: statusPath)
            }
        } catch {
            complain(error, about: statusPath)
        }
        return before != (table.status, trouble[statusPath])
    }

    /// Reads what one speaker tells; true when something changed. A damaged record leaves the one
    /// before in force.
    private mutating func reloadSpeaker(_ node: String) -> Bool {
        let path = speakerPath(node)
        let before = (speakers[node], trouble[path])
        guard SpeakerRecord.isValid(node: node) else { return false }
        do throws(SystemError) {
            guard let (bytes, _) = try DurableFile.read(path, limit: Self.speakerBytes) else {
                speakers[node] = nil
                trouble[path] = nil
                return before != (nil, nil)
            }
            do throws(AllocationFile.Failure) {
                let record = try SpeakerFile.decode(bytes)
                if record.node != node {
                    complain("it speaks for node \(record.node)", "remove it", about: path)
                } else if speakers[node] == nil, speakers.count >= Self.speakerLimit {
                    complain(
                        "more than \(Self.speakerLimit) speakers", "remove old records",
                        about: path)
                } else {
                    speakers[node] = record
                    trouble[path] = nil
                }
            } catch {
                complain(error.text, "restart the speaker of \(node)", about: path)
            }
        } catch {
            complain(error, about: path)
        }
        return before != (speakers[node], trouble[path])
    }
}
