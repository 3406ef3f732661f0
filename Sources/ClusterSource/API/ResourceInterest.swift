import Kubernetes

/// Which objects of a resource a process follows.
struct ResourceInterest: Hashable, Sendable {
    /// The resource.
    var resource: APIResource
    /// The only namespace to look at; `nil` for all.
    var namespace: String?
    /// Labels, as the API takes them; empty for any.
    var labelSelector = ""
    /// Fields, as the API takes them; empty for any.
    var fieldSelector = ""
    /// Whether nothing may be decided before these objects have been read once.
    var isEssential = true

    /// Where the objects are listed, with the selectors: the name of a collection in the journal.
    var path: String {
        resource.path(namespace: namespace) + (fieldSelector.isEmpty ? "" : "?" + fieldSelector)
    }

    /// The selectors as items of a query.
    var listQuery: [(String, String)] {
        [("labelSelector", labelSelector), ("fieldSelector", fieldSelector)]
            .filter { !$0.1.isEmpty }
    }

    /// Whether an object that was read before is one of these.
    func covers(_ reference: ManifestObject.Reference) -> Bool {
        guard reference.kind == resource.kind else { return false }
        let isGossip = resource == .secrets && reference.name.name == GossipSecret.name
        return isGossip == (self == Self.gossipSecret(namespace ?? ""))
    }

    /// The Secret with the keys of the gossip.
    static func gossipSecret(_ namespace: String) -> ResourceInterest {
        ResourceInterest(
            resource: .secrets, namespace: namespace,
            fieldSelector: "metadata.name=\(GossipSecret.name)", isEssential: false)
    }

    /// What a process with these parts needs to know.
    ///
    /// Nobody watches what grows with nodes × addresses: status objects are only written, and
    /// speakers hear of each other by gossip.
    static func all(allocates: Bool, announces: Bool, namespace: String) -> [ResourceInterest] {
        var interests = [ResourceInterest(resource: .services)]
        if announces {
            // As kube-proxy asks: slices of headless Services carry nothing for anybody here.
            interests.append(
                ResourceInterest(
                    resource: .endpointSlices,
                    labelSelector:
                        "kubernetes.io/service-name,!service.kubernetes.io/headless"))
        }
        if allocates { interests.append(ResourceInterest(resource: .namespaces)) }
        interests.append(ResourceInterest(resource: .nodes))
        interests += APIResource.configuration.map { resource in
            ResourceInterest(
                resource: resource, namespace: namespace,
                isEssential: resource == .ipAddressPools)
        }
        if announces { interests.append(gossipSecret(namespace)) }
        interests.append(
            ResourceInterest(
                resource: .secrets, namespace: namespace,
                fieldSelector: "type=kubernetes.io/basic-auth", isEssential: false))
        return interests
    }
}
