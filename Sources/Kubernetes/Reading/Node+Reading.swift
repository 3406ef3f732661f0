import NetworkTypes

extension Node {
    /// Reads a Node: conditions, taints, addresses. All of `spec` and `status` may be absent.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> Node? {
        var node = Node(metadata: metadata)
        object.ignore("apiVersion", "kind")
        if let spec = object.reader("spec") {
            node.isUnschedulable = spec.bool("unschedulable") ?? false
            node.taints = spec.readers("taints").compactMap { $0.requiredString("key") }
            node.podCIDRs = spec.list("podCIDRs").compactMap { $0.prefix() }
            if node.podCIDRs.isEmpty, let value = spec.value("podCIDR"), value.rawText != "" {
                node.podCIDRs = [value.prefix()].compactMap { $0 }
            }
        }
        if let status = object.reader("status") {
            node.ready = status.condition("Ready")
            node.networkUnavailable = status.condition("NetworkUnavailable")
            node.readAddresses(status)
        }
        if let value = metadata.annotations[drainAnnotation] {
            if !["", "true", "false"].contains(value) {
                object.report(
                    object.annotationSeverity, "metadata",
                    "annotation \(drainAnnotation): "
                        + "\"\(value)\" is neither true nor false",
                    remedy: "write \"true\" to hand over what the node announces")
            }
            node.isAskedToDrain = value.isEmpty || value == "true"
        }
        return node
    }

    private mutating func readAddresses(_ status: FieldReader) {
        for entry in status.readers("addresses") {
            guard let type = entry.requiredString("type"),
                ["InternalIP", "ExternalIP"].contains(type),
                let address = Self.address(entry)
            else { continue }
            if !addresses.contains(address) { addresses.append(address) }
        }
    }

    /// A server takes any text for an address of a node, and one that is none is no reason to do
    /// without the node.
    private static func address(_ entry: FieldReader) -> IPAddress? {
        guard let value = entry.required("address") else { return nil }
        guard entry.log.origin.isServer else { return value.address() }
        return value.rawText.flatMap { IPAddress(apiText: $0) }
    }
}

extension Namespace {
    /// The label with the namespace's own name, which every API server sets.
    static let nameLabel = "kubernetes.io/metadata.name"

    /// Reads a Namespace; only its name and labels matter.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> Namespace {
        object.ignore("apiVersion", "kind", "spec", "status")
        var metadata = metadata
        metadata.labels[nameLabel] = metadata.name.name
        return Namespace(metadata: metadata)
    }
}
