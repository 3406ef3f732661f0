/// Pods by namespace and label, so that a selector looks at few of them: the work for all Services
/// together follows the matches, not Services × Pods.
struct PodIndex: Sendable {
    /// The Pods that may be endpoints: not finished, and with an address.
    private var pods: [ObjectName: Pod] = [:]
    private var byLabel: [NamespacedLabel: Set<ObjectName>] = [:]

    /// Indexes Pods.
    init(_ pods: some Sequence<Pod> = []) {
        for pod in pods { insert(pod) }
    }

    /// Takes a Pod in.
    mutating func insert(_ pod: Pod) {
        guard !pod.isFinished, !pod.addresses.isEmpty else { return }
        pods[pod.metadata.name] = pod
        for label in pod.namespacedLabels {
            byLabel[label, default: []].insert(pod.metadata.name)
        }
    }

    /// Takes a Pod out, as it was taken in.
    mutating func remove(_ pod: Pod) {
        guard pods.removeValue(forKey: pod.metadata.name) != nil else { return }
        for label in pod.namespacedLabels {
            byLabel[label]?.remove(pod.metadata.name)
            if byLabel[label]?.isEmpty == true { byLabel[label] = nil }
        }
    }

    /// The Pods of a namespace that bear every label of the selector, by name; none for the empty
    /// selector, which derives nothing.
    func matches(namespace: String, selector: [String: String]) -> [Pod] {
        var shortest: Set<ObjectName>?
        for (key, value) in selector {
            let label = NamespacedLabel(namespace: namespace, key: key, value: value)
            let bearers = byLabel[label] ?? []
            if bearers.count < shortest?.count ?? .max { shortest = bearers }
        }
        guard let shortest else { return [] }
        return shortest.sorted().compactMap { pods[$0] }.filter { pod in
            selector.allSatisfy { pod.metadata.labels[$0.key] == $0.value }
        }
    }
}

/// A label in a namespace.
struct NamespacedLabel: Hashable, Sendable {
    let namespace: String
    let key: String
    let value: String
}

extension Pod {
    /// The labels that selectors of the Pod's namespace match.
    var namespacedLabels: [NamespacedLabel] {
        metadata.labels.map {
            NamespacedLabel(namespace: metadata.name.namespace, key: $0.key, value: $0.value)
        }
    }
}
