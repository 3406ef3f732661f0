/// Several kubeconfig files as one: of a value or a named entry that more than one has, the first
/// counts, as a whole.
struct MergedKubeconfig {
    /// An entry, and the file that it is from.
    struct Entry<Value> {
        var value: Value
        var file: String
    }

    private(set) var files: [String] = []
    private(set) var currentContext: Entry<String>?
    private(set) var clusters: [String: Entry<Kubeconfig.Cluster>] = [:]
    private(set) var users: [String: Entry<Kubeconfig.User>] = [:]
    private(set) var contexts: [String: Entry<Kubeconfig.Context>] = [:]

    /// Adds what a further file has.
    mutating func add(_ config: Kubeconfig, from file: String) {
        files.append(file)
        if currentContext == nil, let context = config.currentContext, !context.isEmpty {
            currentContext = Entry(value: context, file: file)
        }
        Self.add(config.clusters, to: &clusters, from: file)
        Self.add(config.users, to: &users, from: file)
        Self.add(config.contexts, to: &contexts, from: file)
    }

    private static func add<Value>(
        _ entries: [Kubeconfig.Named<Value>]?, to table: inout [String: Entry<Value>],
        from file: String
    ) {
        for entry in entries ?? [] where table[entry.name] == nil {
            guard let value = entry.value else { continue }
            table[entry.name] = Entry(value: value, file: file)
        }
    }
}
