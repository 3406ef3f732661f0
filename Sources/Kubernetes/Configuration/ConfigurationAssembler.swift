/// Puts the valid configuration together, object by object, and remembers the last good version
/// of each.
///
/// An object is *admitted* when it holds against those admitted before it. Objects that have not
/// changed since they were last admitted come first, so a newcomer can never push out what is in
/// force; among the rest the earlier name wins. An object that is refused, or could not be read,
/// is replaced by its last good version, which then counts as unchanged. What is gone from the
/// input is forgotten. The outcome depends on the inputs alone, in the order they came.
public struct ConfigurationAssembler: Sendable {
    private let namespace: String
    private var lastInput: ConfigurationInput?
    private var lastProblems: [Problem] = []
    private var lastConfiguration = Configuration()
    private var lastGood: [ConfigurationObject.Reference: ConfigurationInput.Entry] = [:]

    /// Makes an assembler of the objects in `namespace`; those elsewhere are not used.
    public init(namespace: String = "metallb-system") {
        self.namespace = namespace
    }

    /// The configuration in force from now on, and what is wrong among the objects read.
    public mutating func assemble(
        _ input: ConfigurationInput
    ) -> (configuration: Configuration, problems: [Problem]) {
        if input == lastInput { return (lastConfiguration, lastProblems) }
        var problems: [Problem] = []
        var present: [ConfigurationObject.Reference: ConfigurationInput.Entry] = [:]
        for entry in input.entries {
            guard let scoped = scope(entry, &problems) else { continue }
            if present[scoped.object.reference] == nil {
                present[scoped.object.reference] = scoped
            } else {
                problems.append(
                    scoped.problem(
                        .error, field: "metadata.name",
                        rule: "the object is given twice, with and without its namespace;"
                            + " the first one is used",
                        remedy: "remove one of the two, or rename it"))
            }
        }
        let unreadable = Set(input.refused.map { reference in scope(reference) })
        lastGood = lastGood.filter { present[$0.key] != nil || unreadable.contains($0.key) }

        let (draft, refusals) = settle(present, unreadable, input)
        for reference in refusals.keys.sorted() { problems += refusals[reference] ?? [] }
        problems += draft.problems
        problems += lastGoodNotices(draft, present, unreadable)
        problems += draft.overallProblems()

        lastGood = draft.admitted
        lastInput = input
        lastConfiguration = draft.configuration
        lastProblems = problems
        return (draft.configuration, problems)
    }

    /// Admits until nothing more falls back. Each round that repeats has at least one more object
    /// at its last good version, so there are at most as many rounds as objects.
    private func settle(
        _ present: [ConfigurationObject.Reference: ConfigurationInput.Entry],
        _ unreadable: Set<ConfigurationObject.Reference>, _ input: ConfigurationInput
    ) -> (ConfigurationDraft, [ConfigurationObject.Reference: [Problem]]) {
        var fallenBack = unreadable.filter { present[$0] == nil && lastGood[$0] != nil }
        var refusals: [ConfigurationObject.Reference: [Problem]] = [:]
        while true {
            var draft = ConfigurationDraft(
                namespace: namespace, secrets: input.secrets, nodes: input.nodes,
                previous: lastConfiguration,
                known: Set(present.keys).union(unreadable))
            var falling: Set<ConfigurationObject.Reference> = []
            for (entry, isIncumbent) in order(present, fallenBack) {
                let reference = entry.object.reference
                let found = draft.admit(entry, isIncumbent: isIncumbent)
                guard let found else { continue }
                if !isIncumbent, lastGood[reference] != nil {
                    falling.insert(reference)
                    refusals[reference] = found
                } else {
                    draft.problems += found
                }
            }
            if falling.isEmpty { return (draft, refusals) }
            fallenBack.formUnion(falling)
        }
    }

    /// By kind in the order of reference; unchanged and fallen-back objects first; then by name.
    private func order(
        _ present: [ConfigurationObject.Reference: ConfigurationInput.Entry],
        _ fallenBack: Set<ConfigurationObject.Reference>
    ) -> [(entry: ConfigurationInput.Entry, isIncumbent: Bool)] {
        var list: [(entry: ConfigurationInput.Entry, isIncumbent: Bool)] = []
        for reference in Set(present.keys).union(fallenBack) {
            let last = lastGood[reference]
            if fallenBack.contains(reference), let last {
                list.append((last, true))
            } else if let entry = present[reference] {
                list.append((entry, last?.object == entry.object))
            }
        }
        return list.sorted {
            let (left, right) = ($0.entry.object.reference, $1.entry.object.reference)
            if left.kind != right.kind { return left.kind < right.kind }
            if $0.isIncumbent != $1.isIncumbent { return $0.isIncumbent }
            return left.name < right.name
        }
    }

    private func scope(
        _ entry: ConfigurationInput.Entry, _ problems: inout [Problem]
    ) -> ConfigurationInput.Entry? {
        let name = entry.object.metadata.name
        if name.namespace == namespace { return entry }
        guard name.namespace.isEmpty else {
            problems.append(
                Problem(
                    .warning, file: entry.file, line: entry.line,
                    object: entry.object.reference.description, field: "metadata.namespace",
                    rule: "configuration is read from namespace \(namespace) only; not used",
                    remedy: "move the object to \(namespace), or name its namespace at the start"))
            return nil
        }
        var metadata = entry.object.metadata
        metadata.name = ObjectName(namespace: namespace, name.name)
        var scoped = entry
        scoped.object = entry.object.with(metadata)
        return scoped
    }

    private func scope(
        _ reference: ConfigurationObject.Reference
    ) -> ConfigurationObject.Reference {
        guard reference.name.namespace.isEmpty else { return reference }
        let name = ObjectName(namespace: namespace, reference.name.name)
        return ConfigurationObject.Reference(kind: reference.kind, name: name)
    }

    private func lastGoodNotices(
        _ draft: ConfigurationDraft,
        _ present: [ConfigurationObject.Reference: ConfigurationInput.Entry],
        _ unreadable: Set<ConfigurationObject.Reference>
    ) -> [Problem] {
        draft.admitted.keys.sorted().compactMap { reference in
            guard let admitted = draft.admitted[reference],
                present[reference]?.object != admitted.object
            else { return nil }
            let place = present[reference] ?? admitted
            return Problem(
                .notice, file: place.file, line: place.line, object: reference.description,
                rule: "its last good version stays in force",
                remedy: "correct what is reported for it, or delete it")
        }
    }
}
