import NetworkTypes

/// The labels of Pods, to tell a selector with a slip in it from one whose Pods are elsewhere.
struct PodLabels: Sendable {
    /// Who keeps a thousand Pods of one label in a folder is served by a look at these.
    private static let mostCompared = 256

    /// A Pod that a selector may have meant.
    struct NearMiss: Hashable, Sendable {
        /// The Pod.
        let pod: ObjectName
        /// The labels that it would take; empty when it is not the labels that keep it out.
        let labels: [String]

        /// What the reader can do.
        var remedy: String {
            labels.isEmpty
                ? "Pod \(pod.name) bears the labels, but has finished, or lacks an address"
                : "did you mean \(labels.joined(separator: ",")), as Pod \(pod.name) has it?"
        }
    }

    /// Namespaces and keys of labels with the Pods that have them.
    private var bearers: [NamespacedLabel: [Pod]] = [:]

    init(_ pods: some Sequence<Pod>) {
        for pod in pods.sorted(by: { $0.metadata.name < $1.metadata.name }) {
            for key in pod.metadata.labels.keys {
                let label = NamespacedLabel(
                    namespace: pod.metadata.name.namespace, key: key, value: "")
                guard bearers[label]?.count ?? 0 < Self.mostCompared else { continue }
                bearers[label, default: []].append(pod)
            }
        }
    }

    /// The first Pod with every key of the selector, where each value is the same or near enough
    /// to be a slip.
    func nearMiss(namespace: String, selector: [String: String]) -> NearMiss? {
        let pods = selector.keys.map {
            bearers[NamespacedLabel(namespace: namespace, key: $0, value: "")] ?? []
        }
        for pod in pods.min(by: { $0.count < $1.count }) ?? [] {
            if let near = Self.nearMiss(pod, selector) { return near }
        }
        return nil
    }

    private static func nearMiss(_ pod: Pod, _ selector: [String: String]) -> NearMiss? {
        var labels: [String] = []
        for (key, value) in selector.sorted(by: { $0.key < $1.key }) {
            guard let own = pod.metadata.labels[key] else { return nil }
            guard own != value else { continue }
            guard NearestName.suggestion(for: value, among: [own]) != nil else { return nil }
            labels.append("\(key)=\(own)")
        }
        return NearMiss(pod: pod.metadata.name, labels: labels)
    }
}
