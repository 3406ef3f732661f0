/// What one file of manifests holds.
public struct ManifestFile: Hashable, Sendable {
    /// The file as the reader was told it.
    public var file: String
    /// The objects that are right in themselves, in the order written.
    public var objects: [ManifestObject] = []
    /// Objects that are there but broken; whoever has a good version of them goes on with it.
    public var refused: Set<ManifestObject.Reference> = []
    /// True when something broken could not be told by kind and name: it may be any object that the
    /// file held before, so whoever has good versions of those goes on with them.
    public var hasUnidentified = false
    /// What is wrong, in the order of lines.
    public var problems: [Problem] = []
    /// False when the text is not YAML: the file's last good content goes on working as a whole.
    public var isParsable = true

    /// Makes a file without objects.
    public init(file: String) { self.file = file }
}
