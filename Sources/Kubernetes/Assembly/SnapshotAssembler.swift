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
public struct SnapshotAssembler: Sendable {
    private var lastGood: [ManifestObject.Reference: ManifestObject] = [:]
    private var lastParsed: [String: ManifestFile] = [:]
    /// What each file held, good or broken, those kept for an unnamed one included.
    private var lastHeld: [String: Set<ManifestObject.Reference>] = [:]
    private var configuration: ConfigurationAssembler

    /// Makes an assembler; configuration objects of other namespaces than `configurationNamespace`
    /// are not used.
    public init(configurationNamespace: String = "metallb-system") {
        configuration = ConfigurationAssembler(namespace: configurationNamespace)
    }

    /// The snapshot of what the files say now. The caller reads (and keeps) the files; the same
    /// file may come again as it was.
    public mutating func assemble(_ files: [ManifestFile]) -> ClusterSnapshot {
        var collection = SnapshotCollection()
        var parsed: [String: ManifestFile] = [:]
        var held: [String: Set<ManifestObject.Reference>] = [:]
        collection.reserveCapacity(files.reduce(0) { $0 + $1.objects.count })
        for file in files.sorted(by: { $0.file < $1.file }) {
            collection.problems += file.problems
            guard file.isParsable else {
                collection.add(unparsable: file, insteadOf: lastParsed[file.file])
                parsed[file.file] = lastParsed[file.file]
                held[file.file] = lastHeld[file.file]
                continue
            }
            parsed[file.file] = file
            let missing = file.hasUnidentified ? lastHeld[file.file] ?? [] : []
            held[file.file] = collection.add(file, keeping: missing)
        }
        lastParsed = parsed
        lastHeld = held
        collection.fallBack(to: lastGood)
        lastGood = collection.objects

        var snapshot = collection.snapshot()
        let outcome = configuration.assemble(collection.configurationInput())
        snapshot.configuration = outcome.configuration
        snapshot.problems = Self.order(collection.problems + outcome.problems)
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
