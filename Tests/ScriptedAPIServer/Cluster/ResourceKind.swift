/// A group and the plural name of a resource in it.
package struct GroupResource: Hashable, Sendable, CustomStringConvertible {
    package var group: String
    package var plural: String

    package init(_ group: String, _ plural: String) {
        self.group = group
        self.plural = plural
    }

    package var description: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

/// A kind that the server stores.
package final class ResourceKind: Sendable {
    /// The rules of a built-in kind.
    package enum Strategy: Sendable {
        case plain, service, secret, lease, event, namespace, definition, custom
    }

    /// One version in which a kind is served.
    package struct Version: Sendable {
        package var group: String
        package var name: String
        package var schema: StructuralSchema?
        package var columns: [PrinterColumn] = []
        package var hasStatus = false
        package var isServed = true

        package var apiVersion: String { group.isEmpty ? name : "\(group)/\(name)" }
    }

    package let group: String
    package let plural: String
    package let singular: String
    package let kind: String
    package let listKind: String
    package let shortNames: [String]
    package let categories: [String]
    package let isNamespaced: Bool
    package let strategy: Strategy
    /// Whether `metadata.generation` counts changes of everything but metadata and status.
    package let countsGenerations: Bool
    /// Versions served, the preferred one first. A kind may be served from two groups, as Events.
    package let versions: [Version]
    /// What field selectors may name, beside the name and the namespace.
    package let selectableFields: [String]
    /// How lists of a built-in kind are merged; those of a custom one its schema tells.
    package let listShape: StructuralSchema?

    package init(
        group: String, plural: String, kind: String, singular: String? = nil,
        listKind: String? = nil, shortNames: [String] = [], categories: [String] = [],
        isNamespaced: Bool = true, strategy: Strategy = .plain, countsGenerations: Bool = false,
        versions: [Version], selectableFields: [String] = [], listShape: StructuralSchema? = nil
    ) {
        self.group = group
        self.plural = plural
        self.kind = kind
        self.singular = singular ?? kind.lowercased()
        self.listKind = listKind ?? kind + "List"
        self.shortNames = shortNames
        self.categories = categories
        self.isNamespaced = isNamespaced
        self.strategy = strategy
        self.countsGenerations = countsGenerations
        self.versions = versions
        self.selectableFields = selectableFields
        self.listShape = listShape
    }

    package var name: GroupResource { GroupResource(group, plural) }
    package var qualifiedPlural: String { name.description }
    package var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }
    package var isCustom: Bool { if case .custom = strategy { true } else { false } }

    package func version(group: String, name: String) -> Version? {
        versions.first { $0.group == group && $0.name == name && $0.isServed }
    }
}

/// A column of `kubectl get`.
package struct PrinterColumn: Sendable {
    package var name: String
    package var type: String
    package var format = ""
    package var description = ""
    package var priority = 0
    package var path: String
}
