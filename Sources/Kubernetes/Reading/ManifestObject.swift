/// One object of a manifest, right in itself, and where it was read.
public struct ManifestObject: Hashable, Sendable {
    /// The object, by kind.
    public enum Value: Hashable, Sendable {
        /// `v1 Service`.
        case service(Service)
        /// `discovery.k8s.io/v1 EndpointSlice`.
        case endpointSlice(EndpointSlice)
        /// `v1 Endpoints`.
        case endpoints(Endpoints)
        /// `v1 Pod`.
        case pod(Pod)
        /// `v1 Node`.
        case node(Node)
        /// `v1 Namespace`.
        case namespace(Namespace)
        /// `v1 Secret`.
        case secret(Secret)
        /// `v1 ConfigMap`.
        case configMap(ConfigMap)
        /// One of the configuration kinds; an empty namespace is the configuration namespace.
        case configuration(ConfigurationObject)
    }

    /// Kind and name: what makes two texts two versions of one object.
    public struct Reference: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// The kind, such as `Service`.
        public var kind: String
        /// Namespace and name.
        public var name: ObjectName

        /// Makes a reference.
        public init(kind: String, name: ObjectName) {
            self.kind = kind
            self.name = name
        }

        /// By kind, then by name.
        public static func < (left: Reference, right: Reference) -> Bool {
            left.kind == right.kind ? left.name < right.name : left.kind < right.kind
        }

        /// `Kind namespace/name`, as problems show it.
        public var description: String { "\(kind) \(name)" }
    }

    /// Kind and name.
    public var reference: Reference
    /// The object.
    public var value: Value
    /// The file as the reader was told it.
    public var file: String
    /// Line of the object's first field, from 1.
    public var line: Int?
    /// Lines of the fields of configuration objects, by path; empty for the others.
    public var fieldLines: [String: Int]

    /// Makes an object.
    public init(
        reference: Reference, value: Value, file: String = "", line: Int? = nil,
        fieldLines: [String: Int] = [:]
    ) {
        self.reference = reference
        self.value = value
        self.file = file
        self.line = line
        self.fieldLines = fieldLines
    }
}
