/// The namespace and name of an object; cluster-scoped objects have an empty namespace.
public struct ObjectName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The namespace, or `""` for a cluster-scoped object.
    public let namespace: String
    /// The name, unique within kind and namespace.
    public let name: String

    /// Names an object; leave out the namespace for a cluster-scoped one.
    public init(namespace: String = "", _ name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// `namespace/name`, or `name` alone when cluster-scoped.
    public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    /// By namespace, then by name, as `kubectl get -A` lists.
    public static func < (left: ObjectName, right: ObjectName) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
