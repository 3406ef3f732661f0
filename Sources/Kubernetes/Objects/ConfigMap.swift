/// A ConfigMap's text values (`core/v1`); the older configuration comes in one.
public struct ConfigMap: Hashable, Sendable {
    /// Metadata.
    public var metadata: ObjectMeta
    /// `data`; `binaryData` is not read.
    public var data: [String: String]

    /// Makes a ConfigMap.
    public init(metadata: ObjectMeta, data: [String: String] = [:]) {
        self.metadata = metadata
        self.data = data
    }
}
