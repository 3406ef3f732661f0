/// The annotations on a Service that Martlet honours or writes, each also read with the old prefix.
public enum ServiceAnnotation: String, Sendable, CaseIterable {
    /// The pool to take an address from.
    case addressPool = "address-pool"
    /// The addresses asked for: a comma list, one of a family at most.
    case loadBalancerIPs = "loadBalancerIPs"
    /// Services with the same value may share an address.
    case allowSharedIP = "allow-shared-ip"
    /// Written by Martlet: where the address came from.
    case allocatedFromPool = "ip-allocated-from-pool"

    /// `metallb.io/` and the name.
    public var key: String { "metallb.io/" + rawValue }

    /// The older `metallb.universe.tf/` and the name.
    public var oldKey: String { "metallb.universe.tf/" + rawValue }
}

extension Service {
    /// The value of an annotation under its present key, or else under the old one; `nil` when
    /// absent or empty.
    public func annotation(_ annotation: ServiceAnnotation) -> String? {
        let value =
            metadata.annotations[annotation.key] ?? metadata.annotations[annotation.oldKey]
        return value?.isEmpty == false ? value : nil
    }
}
