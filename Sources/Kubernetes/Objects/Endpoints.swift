/// The endpoints of the Service of the same name, as older clusters and hand-written manifests give
/// them (`core/v1`).
public struct Endpoints: Hashable, Sendable {
    /// Addresses that all have the same ports.
    public struct Subset: Hashable, Sendable {
        /// `addresses` and `notReadyAddresses`, the latter with `ready` false.
        public var endpoints: [EndpointSlice.Endpoint]
        /// `ports`.
        public var ports: [EndpointSlice.Port]

        /// Makes a subset.
        public init(endpoints: [EndpointSlice.Endpoint] = [], ports: [EndpointSlice.Port] = []) {
            self.endpoints = endpoints
            self.ports = ports
        }
    }

    /// Metadata; the name is the Service's.
    public var metadata: ObjectMeta
    /// `subsets`.
    public var subsets: [Subset]

    /// Makes endpoints.
    public init(metadata: ObjectMeta, subsets: [Subset] = []) {
        self.metadata = metadata
        self.subsets = subsets
    }
}
