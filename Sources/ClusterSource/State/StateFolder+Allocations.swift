import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

/// Who reads, trusts, repairs and writes `allocations.json`.
extension StateFolder {
    /// What a look at the file showed.
    private enum Reading {
        case absent
        /// The version that ``table`` is.
        case known
        case good(StateTable, FileIdentity)
        case bad(AllocationFile.Failure)
        case unreadable(SystemError)
    }

    private func look(at path: String) -> Reading {
        do throws(SystemError) {
            guard let (bytes, version) = try DurableFile.read(path) else { return .absent }
            if let allocationVersion, version.isSameVersion(as: allocationVersion) {
                return .known
            }
            do throws(AllocationFile.Failure) {
                var read = table
                (read.generation, read.allocations) = try AllocationFile.decode(bytes)
                return .good(read, version)
            } catch {
                return .bad(error)
            }
        } catch {
            return .unreadable(error)
        }
    }

    /// A follower reads what the leader wrote; true when something changed.
    mutating func followAllocations() -> Bool {
        let before = (table, trouble[allocationPath])
        switch look(at: allocationPath) {
        case .absent:
            // Removed while we have them: what was announced stays, and the leader writes it anew.
            isTableKnown = true
            trouble[allocationPath] = nil
        case .known:
            trouble[allocationPath] = nil
        case .good(let read, let version):
            take(read, version)
        case .bad(let failure):
            complain(failure.text, failure.remedy, about: allocationPath)
            if !isTableKnown, failure.isDamage { takePrevious() }
        case .unreadable(let error):
            complain(error, about: allocationPath)
        }
        return before != (table, trouble[allocationPath])
    }

    /// Who is about to lead makes sure that table and file are one; true when they are.
    mutating func adoptAllocations() -> Bool {
        switch look(at: allocationPath) {
        case .absent:
            isTableKnown = true
            return table.allocations.isEmpty || rewrite()
        case .known:
            return true
        case .good(let read, let version):
            return take(read, version)
        case .bad(let failure):
            complain(failure.text, failure.remedy, about: allocationPath)
            guard failure.isDamage else { return false }
            if !isTableKnown { takePrevious() }
            return isTableKnown && rewrite()
        case .unreadable(let error):
            complain(error, about: allocationPath)
            return false
        }
    }

    /// The leader's own file was touched by somebody else: what was announced stays. True when
    /// something changed.
    mutating func defendAllocations() -> Bool {
        // What cannot be looked at is written again, and that says what is wrong.
        let present = try? FileIdentity(path: allocationPath)
        if let present, let allocationVersion, present.isSameVersion(as: allocationVersion) {
            return false
        }
        if present == nil, allocationVersion == nil { return false }
        logger.warning(
            "allocations changed by somebody else; written again",
            metadata: ["file": .string(allocationPath)])
        let before = trouble
        _ = rewrite()
        return before != trouble
    }

    /// Writes the table over a file that is not ours, which is kept under another name.
    private mutating func rewrite() -> Bool {
        do throws(SystemError) {
            try DurableFile.keep(allocationPath, as: allocationPath + ".damaged")
        } catch {
            complain(error, about: allocationPath)
            return false
        }
        do throws(SourceError) {
            try write(table, keepingPrevious: false)
            return true
        } catch {
            // Writing has complained already.
            return false
        }
    }

    /// Takes over what was read, once it is sure to outlive a power cut.
    @discardableResult
    private mutating func take(_ read: StateTable, _ version: FileIdentity) -> Bool {
        do throws(SystemError) {
            try DurableFile.flushFolder(of: allocationPath)
        } catch {
            complain(error, about: allocationPath)
            return false
        }
        table = read
        allocationVersion = version
        isTableKnown = true
        trouble[allocationPath] = nil
        return true
    }

    /// Takes the version before the damaged one, if that is any better.
    private mutating func takePrevious() {
        let path = allocationPath + ".previous"
        switch look(at: path) {
        case .good(let read, _):
            table = read
            isTableKnown = true
            logger.warning(
                "previous allocations taken",
                metadata: ["file": .string(path), "generation": "\(read.generation)"])
        case .absent, .known, .bad, .unreadable:
            logger.error("no previous allocations to take", metadata: ["file": .string(path)])
        }
    }

    /// Writes the allocations of a table.
    mutating func write(_ next: StateTable, keepingPrevious: Bool = true) throws(SourceError) {
        do throws(SystemError) {
            try DurableFile.replace(
                allocationPath, with: AllocationFile.encode(next, writer: holder),
                guarantee: .survivesPowerLoss,
                previous: keepingPrevious ? allocationPath + ".previous" : nil)
            allocationVersion = try FileIdentity(path: allocationPath)
            trouble[allocationPath] = nil
        } catch {
            complain(error, about: allocationPath)
            throw .file(error)
        }
    }
}

extension AllocationFile.Failure {
    /// What is wrong.
    var text: String {
        switch self {
        case .damaged(let reason): "damaged: \(reason)"
        case .newer(let version): "written by a later Martlet (version \(version))"
        }
    }

    /// What the reader can do.
    var remedy: String {
        switch self {
        case .damaged: "the last good version is used; without one, repair or remove the file"
        case .newer: "run that Martlet, or remove the file while no daemon runs"
        }
    }

    /// Whether it may be written over once it is kept under another name.
    var isDamage: Bool { if case .damaged = self { true } else { false } }
}
