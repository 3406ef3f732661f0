/// The name of a Service: its namespace and its name within it.
///
/// Both are kept as the API server spells them. Names order by namespace, then by name, so that a
/// walk over Services is the same on every node and after every restart.
public struct ServiceName: Hashable, Sendable {
    /// The namespace the Service lives in.
    public let namespace: String

    /// The name, unique within the namespace.
    public let name: String

    /// Makes a name from its two parts, as the API server spells them.
    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }
}

extension ServiceName: Comparable {
    /// By namespace, then by name.
    public static func < (left: ServiceName, right: ServiceName) -> Bool {
        left.namespace == right.namespace
            ? left.name < right.name : left.namespace < right.namespace
    }
}

extension ServiceName: CustomStringConvertible {
    /// `namespace/name`.
    public var description: String { "\(namespace)/\(name)" }
}
