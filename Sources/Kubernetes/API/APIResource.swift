/// A kind of object as the Kubernetes API serves it: where it is found.
public struct APIResource: Hashable, Sendable {
    /// The API group, empty for the core group.
    public var group: String
    /// The version within the group.
    public var version: String
    /// The name in paths, such as `ipaddresspools`.
    public var plural: String
    /// The name in objects, such as `IPAddressPool`.
    public var kind: String
    /// Whether objects live in a namespace.
    public var isNamespaced: Bool

    /// Makes a resource.
    public init(
        group: String, version: String, plural: String, kind: String, isNamespaced: Bool = true
    ) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// `apiVersion` of objects, such as `metallb.io/v1beta1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// The path of the resource, of one namespace of it, of one object, or of one of that object's
    /// subresources.
    public func path(
        namespace: String? = nil, name: String? = nil, subresource: String? = nil
    ) -> String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if isNamespaced, let namespace, !namespace.isEmpty { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }

    /// The path of one object.
    public func path(of name: ObjectName, subresource: String? = nil) -> String {
        path(namespace: name.namespace, name: name.name, subresource: subresource)
    }
}

extension APIResource: CustomStringConvertible {
    /// As RBAC and `kubectl` write it: `ipaddresspools.metallb.io`.
    public var description: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

extension APIResource {
    /// `v1 Service`.
    public static let services = APIResource(
        group: "", version: "v1", plural: "services", kind: "Service")
    /// `discovery.k8s.io/v1 EndpointSlice`.
    public static let endpointSlices = APIResource(
        group: "discovery.k8s.io", version: "v1", plural: "endpointslices", kind: "EndpointSlice")
    /// `v1 Node`.
    public static let nodes = APIResource(
        group: "", version: "v1", plural: "nodes", kind: "Node", isNamespaced: false)
    /// `v1 Namespace`.
    public static let namespaces = APIResource(
        group: "", version: "v1", plural: "namespaces", kind: "Namespace", isNamespaced: false)
    /// `v1 Secret`.
    public static let secrets = APIResource(
        group: "", version: "v1", plural: "secrets", kind: "Secret")
    /// `coordination.k8s.io/v1 Lease`.
    public static let leases = APIResource(
        group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease")
    /// `events.k8s.io/v1 Event`.
    public static let events = APIResource(
        group: "events.k8s.io", version: "v1", plural: "events", kind: "Event")
    /// `metallb.io/v1beta1 IPAddressPool`.
    public static let ipAddressPools = metallb("ipaddresspools", "IPAddressPool")
    /// `metallb.io/v1beta1 L2Advertisement`.
    public static let l2Advertisements = metallb("l2advertisements", "L2Advertisement")
    /// `metallb.io/v1beta1 BGPAdvertisement`.
    public static let bgpAdvertisements = metallb("bgpadvertisements", "BGPAdvertisement")
    /// `metallb.io/v1beta2 BGPPeer`; the server converts what was written as v1beta1.
    public static let bgpPeers = metallb("bgppeers", "BGPPeer", version: "v1beta2")
    /// `metallb.io/v1beta1 BFDProfile`.
    public static let bfdProfiles = metallb("bfdprofiles", "BFDProfile")
    /// `metallb.io/v1beta1 Community`.
    public static let communities = metallb("communities", "Community")
    /// `metallb.io/v1beta1 ServiceL2Status`.
    public static let serviceL2Statuses = metallb("servicel2statuses", "ServiceL2Status")
    /// `metallb.io/v1beta1 ServiceBGPStatus`.
    public static let serviceBGPStatuses = metallb("servicebgpstatuses", "ServiceBGPStatus")
    /// `metallb.io/v1beta1 ConfigurationState`.
    public static let configurationStates = metallb("configurationstates", "ConfigurationState")

    /// The kinds that configuration is put together from.
    public static let configuration = [
        ipAddressPools, l2Advertisements, bgpAdvertisements, bgpPeers, bfdProfiles, communities,
    ]

    private static func metallb(
        _ plural: String, _ kind: String, version: String = "v1beta1"
    ) -> APIResource {
        APIResource(group: "metallb.io", version: version, plural: plural, kind: kind)
    }
}
