/// Names for community values, for the whole cluster (`metallb.io/v1beta1 Community`).
public struct Community: Hashable, Sendable {
    /// One name and what it stands for.
    public struct Alias: Hashable, Sendable {
        /// The name that advertisements use; unique in the cluster.
        public var name: String
        /// The value.
        public var value: BGPCommunity

        /// Makes an alias.
        public init(name: String, value: BGPCommunity) {
            self.name = name
            self.value = value
        }
    }

    /// Metadata.
    public var metadata: ObjectMeta
    /// `spec.communities`, in the order written.
    public var aliases: [Alias]

    /// Makes a set of aliases.
    public init(metadata: ObjectMeta, aliases: [Alias] = []) {
        self.metadata = metadata
        self.aliases = aliases
    }
}
