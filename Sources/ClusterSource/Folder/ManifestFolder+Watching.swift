import Glibc
import Kubernetes
import LinuxNetwork
import NetworkTypes

/// Which notices mean what, and looking at everything.
extension ManifestFolder {
    private static let noticed: InotifyWatch.Change = [
        .modified, .closedAfterWriting, .created, .deleted, .movedFrom, .movedTo, .attributes,
        .selfDeleted, .selfMoved,
    ]
    private static let names: InotifyWatch.Change = [.created, .deleted, .movedFrom, .movedTo]

    /// Takes a notice; those about other folders are passed over.
    mutating func handle(_ event: InotifyWatch.Event, at now: Instant) {
        let change = event.change
        if change.contains(.queueOverflow) { return rescan(soonAfter: now) }
        if event.watch == parentWatch, event.name == location.parent?.name,
            !change.isDisjoint(with: Self.names)
        {
            reopenAt = now
        }
        guard let folder = watches[event.watch] else { return }
        if !change.isDisjoint(with: [.watchRemoved, .selfDeleted, .selfMoved, .unmounted]) {
            if change.contains(.watchRemoved) { watches[event.watch] = nil }
            if folder.isEmpty { reopenAt = now } else { rescan(soonAfter: now) }
        } else if FolderLocation.isManifest(event.name), !change.contains(.isFolder) {
            let path = folder.isEmpty ? event.name : folder + "/" + event.name
            note(change, path, at: now)
        } else if !change.isDisjoint(with: Self.names), mayHoldManifests(event, in: folder) {
            rescan(soonAfter: now)
        }
    }

    private mutating func note(_ change: InotifyWatch.Change, _ path: String, at now: Instant) {
        if pending.count >= 2 * limits.files {
            // Looking at everything takes their place.
            pending = PendingChanges()
            return rescan(soonAfter: now)
        }
        if !change.isDisjoint(with: [.closedAfterWriting, .movedTo]) {
            pending.note(.finished, path, at: now)
        } else if !change.isDisjoint(with: [.deleted, .movedFrom]) {
            pending.note(.vanished, path, at: now)
        } else if change.contains(.created) {
            pending.note(isFinishedFromTheStart(path) ? .finished : .opened, path, at: now)
        } else if change.contains(.modified) {
            pending.note(.opened, path, at: now)
        } else if !pending.isUnsettled(path) {
            pending.note(.finished, path, at: now)
        }
    }

    /// A link, symbolic or hard, appears with its content; no closing will follow.
    private func isFinishedFromTheStart(_ path: String) -> Bool {
        // A file that is gone again, or out of reach, gets further notices, or the fallback.
        guard
            let identity = try? FileIdentity(path: location.path(of: path), followLinks: false)
        else { return false }
        return identity.kind == .link || identity.links > 1
    }

    /// Whether the name is, or was, a folder to read, or the link that a mounted ConfigMap swaps.
    private func mayHoldManifests(_ event: InotifyWatch.Event, in folder: String) -> Bool {
        if event.name == "..data" { return true }
        guard folder.isEmpty, !event.name.hasPrefix(".") else { return false }
        if event.change.contains(.isFolder) || watches.values.contains(event.name) { return true }
        // What cannot be looked at is no folder that could be read.
        return (try? FileIdentity(path: location.path(of: event.name)))?.kind == .folder
    }

    private mutating func rescan(soonAfter now: Instant) {
        rescanAt = rescanAt ?? now + PendingChanges.settle
    }

    /// Watches the folder, and the one that holds it: a folder that is replaced, or a link that is
    /// switched, shows only there.
    mutating func attach() throws(SystemError) {
        for number in watches.keys { watch.forget(number) }
        watches = [:]
        if let parent = location.parent {
            // Not being allowed to look there only costs the quick return of a lost folder.
            parentWatch = try? watch.watch(parent.folder, for: Self.names)
        }
        watches[try watch.watch(location.absolute, for: Self.noticed)] = ""
    }

    /// Finds the folder again under its name.
    mutating func reopen(at now: Instant) {
        reopenAt = nil
        do throws(SystemError) {
            try attach()
            try scan(at: now, vanished: .missing)
            isMissing = false
        } catch {
            lose(error, at: now)
        }
    }

    /// The folder is gone: everything stays as it is, and we try again.
    mutating func lose(_ error: SystemError, at now: Instant) {
        isMissing = true
        reopenAt = now + Self.missingRetry
        folderProblems = [
            Problem(
                .error, file: location.given, rule: "the manifest folder: \(error.fileReason)",
                remedy: "\(error.fileRemedy); its last good content stays in force")
        ]
    }

    /// Looks at every file, and marks those that differ from what was read.
    mutating func scan(
        at now: Instant, vanished: PendingChanges.Notice = .vanished
    ) throws(SystemError) {
        var problems: [Problem] = []
        var found: [(path: String, identity: FileIdentity)] = []
        var present: [Int32: String] = watches.filter { $0.value.isEmpty }
        let folders = try look(in: "", into: &found)
        for folder in folders.prefix(limits.subfolders) {
            do throws(SystemError) {
                present[try watch.watch(location.path(of: folder), for: Self.noticed)] = folder
                _ = try look(in: folder, into: &found)
            } catch  where error.code != ENOENT {
                problems.append(
                    Problem(
                        .error, file: location.name(of: folder), rule: error.fileReason,
                        remedy: "\(error.fileRemedy); changes there may go unnoticed"))
            } catch {}
        }
        for number in watches.keys where present[number] == nil { watch.forget(number) }
        watches = present
        let known = found.filter { entries[$0.path] != nil }
        let new = found.filter { entries[$0.path] == nil }.sorted { $0.path < $1.path }
        let taken = new.prefix(max(0, limits.files - known.count))
        leftOut = new.count - taken.count + max(0, folders.count - limits.subfolders)
        for (path, identity) in known + taken
        where entries[path]?.identity != identity && !isBeingWritten(path) {
            pending.note(.found, path, at: now)
        }
        let names = Set(found.map(\.path))
        for path in entries.keys where !names.contains(path) {
            pending.note(vanished, path, at: now)
        }
        if leftOut > 0 {
            problems.append(
                Problem(
                    .error, file: location.given,
                    rule: "more than \(limits.files) files or \(limits.subfolders) subfolders",
                    remedy: "put several documents into one file; \(leftOut) are left out"))
        }
        folderProblems = problems
    }

    private func isBeingWritten(_ path: String) -> Bool {
        entries[path] != nil && pending.isUnsettled(path)
    }

    /// Lists a folder's manifests, and returns the subfolders that may hold more.
    private func look(
        in folder: String, into found: inout [(path: String, identity: FileIdentity)]
    ) throws(SystemError) -> [String] {
        let path = location.path(of: folder)
        let names = try FolderListing.names(in: path)
        // Without a state folder to be seen there is none to pass over.
        let exclusion = state.flatMap { try? FileIdentity(path: $0.absolute) }
        var folders: [String] = []
        for name in names where !name.hasPrefix(".") {
            let relative = folder.isEmpty ? name : folder + "/" + name
            let isManifest = FolderLocation.isManifest(name)
            // Looking at other names only serves to find subfolders.
            guard isManifest || folder.isEmpty else { continue }
            // A name that cannot be looked at is judged when it is read.
            let identity = try? FileIdentity(path: location.path(of: relative))
            switch identity?.kind {
            case .folder:
                let isState = exclusion.map { identity?.isSameFile(as: $0) == true } ?? false
                if folder.isEmpty, !isState { folders.append(relative) }
            case .file, .link, .other, nil:
                if isManifest, let identity { found.append((relative, identity)) }
            }
        }
        return folders
    }
}
