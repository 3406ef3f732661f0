/// What the configuration is put together from: the objects read, and what their rules look at.
public struct ConfigurationInput: Sendable, Equatable {
    /// One object and where it was read.
    public struct Entry: Hashable, Sendable {
        /// The object. An empty namespace stands for the configuration namespace.
        public var object: ConfigurationObject
        /// The file as the reader was told it; empty when the object came from a server.
        public var file: String
        /// Line of the object in the file, from 1.
        public var line: Int?
        /// Lines of fields by path (`spec.addresses[1]`), as far as known.
        public var fieldLines: [String: Int]

        /// Makes an entry.
        public init(
            _ object: ConfigurationObject, file: String = "", line: Int? = nil,
            fieldLines: [String: Int] = [:]
        ) {
            self.object = object
            self.file = file
            self.line = line
            self.fieldLines = fieldLines
        }
    }

    /// The objects; no two of the same kind and name.
    public var entries: [Entry]
    /// Objects that are there but could not be read: their last good versions stay in force.
    public var refused: Set<ConfigurationObject.Reference>
    /// Secrets by name, for the passwords of peers.
    public var secrets: [ObjectName: Secret]
    /// Nodes, for rules on objects that select the same ones; empty when unknown.
    public var nodes: [Node]

    /// Makes an input.
    public init(
        entries: [Entry] = [], refused: Set<ConfigurationObject.Reference> = [],
        secrets: [ObjectName: Secret] = [:], nodes: [Node] = []
    ) {
        self.entries = entries
        self.refused = refused
        self.secrets = secrets
        self.nodes = nodes
    }
}
