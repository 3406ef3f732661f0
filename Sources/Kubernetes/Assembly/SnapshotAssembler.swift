/// Puts the snapshot together from files of manifests, and remembers the last good version of
/// every object, so that a slip in a file takes nothing away that worked.
///
/// - The files are taken in the order of their names; where two hold the same object, the first
///   wins and the others are reported.
/// - An object that is there but broken is replaced by its last good version; one that is gone is
///   gone. A file that is not YAML keeps its last good content as a whole.
/// - While a file holds something broken that has no readable name, none of the objects that the
///   file held before goes: it may be any of them.
/// - The configuration kinds go through ``ConfigurationAssembler``, which judges them among
///   each other and keeps their last good versions in the same way.
///
/// A change of one file costs what that file's objects cost, however many others there are, and
/// the snapshot shares everything else with the one before. The outcome is the same as if all
/// files were taken anew.
public struct SnapshotAssembler: Sendable {
    private var files: [FileKey: FileContents] = [:]
    private var contents = SnapshotContents()
    private var configuration: ConfigurationAssembler
    private var configured: (configuration: Configuration, problems: [Problem])?
    private var problems: [Problem] = []

    /// Makes an assembler; configuration objects of other namespaces than `configurationNamespace`
    /// are not used.
    public init(configurationNamespace: String = "metallb-system") {
        configuration = ConfigurationAssembler(namespace: configurationNamespace)
    }

    /// The snapshot of what the files say now. The caller reads (and keeps) the files; the same
    /// file may come again as it was.
    public mutating func assemble(_ files: [ManifestFile]) -> ClusterSnapshot {
        var changes: [FileKey: ManifestFile?] = [:]
        for key in self.files.keys { changes[key] = .some(nil) }
        var seen: [String: Int] = [:]
        for file in files {
            let ordinal = seen[file.file, default: 0]
            seen[file.file] = ordinal + 1
            changes[FileKey(name: file.file, ordinal: ordinal)] = .some(file)
        }
        return update(changes)
    }

    /// The snapshot after some files, by name, changed or went; the others are as they were.
    public mutating func update(_ changes: [String: ManifestFile?]) -> ClusterSnapshot {
        update(
            Dictionary(
                uniqueKeysWithValues: changes.map { (FileKey(name: $0, ordinal: 0), $1) }))
    }

    private mutating func update(_ changes: [FileKey: ManifestFile?]) -> ClusterSnapshot {
        var touched: Set<ManifestObject.Reference> = []
        var isTroubled = configured == nil
        for (key, file) in changes {
            let old = files[key]
            let new = file.map { FileContents($0, after: old) }
            isTroubled = isTroubled || old?.isTroubled == true || new?.isTroubled == true
            if let old { contents.withdraw(old, of: key, touching: &touched) }
            if let new { contents.add(new, of: key, touching: &touched) }
            files[key] = new
        }
        if contents.settle(touched, files) { isTroubled = true }
        let outcome: (configuration: Configuration, problems: [Problem])
        if let configured, !contents.isConfigurationTouched {
            outcome = configured
        } else {
            outcome = configuration.assemble(contents.configurationInput())
            isTroubled =
                isTroubled || configured?.problems.isEmpty == false || !outcome.problems.isEmpty
            configured = outcome
            contents.isConfigurationTouched = false
        }
        if isTroubled {
            problems = Self.order(contents.problems(of: files) + outcome.problems)
        }
        var snapshot = contents.snapshot
        snapshot.configuration = outcome.configuration
        snapshot.problems = problems
        return snapshot
    }

    /// By file and line; problems of the same place stay in the order found.
    private static func order(_ problems: [Problem]) -> [Problem] {
        problems.enumerated()
            .sorted {
                ($0.element.file, $0.element.line ?? 0, $0.offset)
                    < ($1.element.file, $1.element.line ?? 0, $1.offset)
            }
            .map(\.element)
    }
}

/// Which file: by name; the same file taken several times counts as several.
struct FileKey: Hashable, Comparable, Sendable {
    let name: String
    let ordinal: Int

    static func < (left: FileKey, right: FileKey) -> Bool {
        (left.name, left.ordinal) < (right.name, right.ordinal)
    }
}

/// What one file adds to the cluster.
struct FileContents: Sendable {
    /// The file as it is.
    let present: ManifestFile
    /// The last version that was YAML.
    private let lastParsed: ManifestFile?
    /// What the file held before, while it holds something that may be any of it.
    private let former: Set<ManifestObject.Reference>

    /// What a version of a file adds, after the version before.
    init(_ file: ManifestFile, after last: FileContents?) {
        present = file
        if file.isParsable {
            lastParsed = file
            former = file.hasUnidentified ? last?.held ?? [] : []
        } else {
            lastParsed = last?.lastParsed
            former = last?.former ?? []
        }
    }

    /// What the file held when it was last YAML, good or broken, those kept for an unnamed one
    /// included.
    private var held: Set<ManifestObject.Reference> {
        guard let lastParsed else { return [] }
        return lastParsed.refused.union(former).union(lastParsed.objects.lazy.map(\.reference))
    }

    /// The version whose objects count. Documents before and after an error may have parsed: they
    /// count only when the file was never good, for then there is nothing that they could
    /// contradict.
    private var effective: ManifestFile { lastParsed ?? present }

    /// The objects, in the order written.
    var objects: [ManifestObject] { effective.objects }

    /// What is there but broken, or may be.
    var refused: Set<ManifestObject.Reference> {
        present.isParsable ? effective.refused.union(former) : effective.refused
    }

    /// Whether there is something to say of the file.
    var isTroubled: Bool { !present.isParsable || !present.problems.isEmpty }

    /// What the file's state as a whole means, where it is not YAML.
    var notice: Problem? {
        guard !present.isParsable else { return nil }
        return Problem(
            .notice, file: present.file,
            rule: lastParsed == nil
                ? "was never parsable as a whole; the documents that are well-formed are used"
                : "its last good content stays in force",
            remedy: "correct the error reported for the file")
    }
}
