/// What every object carries, as far as Martlet uses it (`metav1.ObjectMeta`).
public struct ObjectMeta: Hashable, Sendable {
    /// Namespace and name.
    public var name: ObjectName
    /// Key and value pairs that selectors match.
    public var labels: [String: String]
    /// Free-form settings; Martlet's own have the prefixes `metallb.io/` and `martlet.dev/`.
    public var annotations: [String: String]
    /// The server's identity of this very object; empty when read from a file that has none.
    public var uid: String
    /// True once deletion has been asked for and only finalizers keep the object.
    public var isBeingDeleted: Bool

    /// Makes metadata; everything but the name is optional.
    public init(
        name: ObjectName, labels: [String: String] = [:], annotations: [String: String] = [:],
        uid: String = "", isBeingDeleted: Bool = false
    ) {
        self.name = name
        self.labels = labels
        self.annotations = annotations
        self.uid = uid
        self.isBeingDeleted = isBeingDeleted
    }
}
