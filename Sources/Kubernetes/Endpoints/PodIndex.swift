/// Pods by namespace and label, so that a selector looks at few of them: the work for all Services
/// together follows the matches, not Services × Pods.
struct PodIndex {
    private struct Label: Hashable {
        let namespace: String
        let key: String
        let value: String
    }

    private let pods: [Pod]
    private var byLabel: [Label: [Int]] = [:]

    /// Indexes the Pods that may be endpoints: not finished, and with an address.
    init(_ pods: some Sequence<Pod>) {
        self.pods = pods.filter { !$0.isFinished && !$0.addresses.isEmpty }
            .sorted { $0.metadata.name < $1.metadata.name }
        for (index, pod) in self.pods.enumerated() {
            let namespace = pod.metadata.name.namespace
            for (key, value) in pod.metadata.labels {
                byLabel[Label(namespace: namespace, key: key, value: value), default: []]
                    .append(index)
            }
        }
    }

    /// The Pods of a namespace that bear every label of the selector, by name; none for the empty
    /// selector, which derives nothing.
    func matches(namespace: String, selector: [String: String]) -> [Pod] {
        var shortest: [Int]?
        for (key, value) in selector {
            let bearers = byLabel[Label(namespace: namespace, key: key, value: value)] ?? []
            if bearers.count < shortest?.count ?? .max { shortest = bearers }
        }
        guard let shortest else { return [] }
        return shortest.map { pods[$0] }.filter { pod in
            selector.allSatisfy { pod.metadata.labels[$0.key] == $0.value }
        }
    }
}
