import Foundation
import Yams

/// `deploy/kubernetes` as kustomize renders it, as far as we use it: resources, components, and
/// patches by JSON Pointer (RFC 6901, RFC 6902), or one that deletes a kind. The `kubectl` of older
/// distributions renders the base, but knows no components.
struct Kustomization {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    /// A Kubernetes object.
    struct Object {
        var fields: [String: Any]
        let file: String

        var kind: String { fields["kind"] as? String ?? "" }
        var name: String { self["metadata", "name"] as? String ?? "" }
        var namespace: String? { self["metadata", "namespace"] as? String }

        /// A field by its path.
        subscript(_ path: String...) -> Any? {
            path.reduce(fields as Any?) { ($0 as? [String: Any])?[$1] }
        }
    }

    static let folder = "deploy/kubernetes"

    private let repository: Repository
    private(set) var objects: [Object] = []
    /// Every file that was taken, as the repository lists it.
    private(set) var files: Set<String> = []

    /// The base with components laid over it in turn.
    init(components: [String] = []) throws {
        repository = try Repository()
        try add(Self.folder)
        for component in components { try add("\(Self.folder)/components/\(component)") }
    }

    subscript(_ kind: String, _ name: String) -> Object? {
        objects.first { $0.kind == kind && $0.name == name }
    }

    /// The container of one of the workloads.
    func container(_ kind: String, _ name: String) -> [String: Any]? {
        let containers = self[kind, name]?["spec", "template", "spec", "containers"]
        return (containers as? [[String: Any]])?.first
    }

    private mutating func add(_ folder: String) throws {
        let file = "\(folder)/kustomization.yaml"
        let known: Set = [
            "apiVersion", "kind", "resources", "images", "patches", "namespace",
            "configMapGenerator",
        ]
        guard let text = try Yams.load(yaml: repository.text(file)) as? [String: Any] else {
            throw Broken(description: "\(file) is no mapping")
        }
        if let odd = text.keys.first(where: { !known.contains($0) }) {
            throw Broken(description: "\(file) has a field \(odd)")
        }
        files.insert(file)
        for resource in text["resources"] as? [String] ?? [] {
            let place = "\(folder)/\(resource)"
            files.insert(place)
            for case let fields as [String: Any] in try Yams.load_all(
                yaml: repository.text(place))
            {
                objects.append(Object(fields: fields, file: place))
            }
        }
        for generator in text["configMapGenerator"] as? [[String: Any]] ?? [] {
            for file in generator["files"] as? [String] ?? [] {
                files.insert("\(folder)/\(file.split(separator: "=").last ?? "")")
            }
        }
        for patch in text["patches"] as? [[String: Any]] ?? [] { try apply(patch, file) }
    }

    private mutating func apply(_ patch: [String: Any], _ file: String) throws {
        let target = patch["target"] as? [String: String] ?? [:]
        if target.keys.elementsEqual(["kind"]), let text = patch["patch"] as? String,
            (try Yams.load(yaml: text) as? [String: Any])?["$patch"] as? String == "delete"
        {
            objects.removeAll { $0.kind == target["kind"] }
            return
        }
        let index = objects.firstIndex {
            $0.kind == target["kind"] && $0.name == target["name"]
        }
        guard let index, let text = patch["patch"] as? String,
            let steps = try Yams.load(yaml: text) as? [[String: Any]], !steps.isEmpty
        else { throw Broken(description: "\(file): \(target) is not there") }
        for step in steps {
            guard let operation = step["op"] as? String, let path = step["path"] as? String
            else { throw Broken(description: "\(file): a step without op and path") }
            let pointer = path.split(separator: "/").map(String.init)
            let changed = Self.changed(
                objects[index].fields, pointer[...], operation, step["value"])
            guard let fields = changed as? [String: Any] else {
                throw Broken(description: "\(file): \(path) is not there")
            }
            objects[index].fields = fields
        }
    }

    /// The value after one step; `nil` when the pointer leads nowhere.
    private static func changed(
        _ value: Any, _ pointer: ArraySlice<String>, _ operation: String, _ new: Any?
    ) -> Any? {
        guard let key = pointer.first else { return nil }
        let isLast = pointer.count == 1
        if var fields = value as? [String: Any] {
            if isLast, operation == "add" {
                fields[key] = new
            } else if isLast {
                guard fields.removeValue(forKey: key) != nil else { return nil }
            } else {
                guard let inner = fields[key],
                    let changed = changed(inner, pointer.dropFirst(), operation, new)
                else { return nil }
                fields[key] = changed
            }
            return fields
        }
        guard var items = value as? [Any] else { return nil }
        if isLast, operation == "add", key == "-", let new { return items + [new] }
        guard let index = Int(key), items.indices.contains(index), !isLast,
            let changed = changed(items[index], pointer.dropFirst(), operation, new)
        else { return nil }
        items[index] = changed
        return items
    }
}
