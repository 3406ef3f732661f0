import Synchronization

/// What a server says about itself.
struct Discovery {
    let core: ServerCore

    func answer(_ request: RequestInfo) throws(StatusError) -> Answer {
        guard request.method == "GET" else { throw .methodNotAllowed }
        let parts = request.path.split(separator: "/").map(String.init)
        switch parts.first {
        case "healthz"?, "readyz"?, "livez"?:
            var answer = Answer(Array("ok".utf8))
            answer.contentType = "text/plain"
            return answer
        case "version"?: return Answer(version)
        case "api"? where parts.count == 1:
            return Answer(["kind": "APIVersions", "versions": ["v1"]])
        case "api"? where parts.count == 2: return try resources(group: "", version: parts[1])
        case "apis"? where parts.count == 1:
            return Answer([
                "kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map(group)),
            ])
        case "apis"? where parts.count == 2:
            guard groups.contains(parts[1]) else { throw .noSuchPath }
            return Answer(group(parts[1]))
        case "apis"? where parts.count == 3:
            return try resources(group: parts[1], version: parts[2])
        case "openapi"?:
            var answer = Answer([:])
            if request.accept.contains("proto-openapi") {
                // An empty document: clients find no types and leave checking to the server.
                answer = Answer([])
                answer.contentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
            } else if request.path.hasPrefix("/openapi/v3") {
                answer = Answer(["paths": [:]])
            } else {
                answer = Answer([
                    "swagger": "2.0", "info": ["title": "Kubernetes", "version": "scripted"],
                    "paths": [:], "definitions": [:],
                ])
            }
            return answer
        default: throw .noSuchPath
        }
    }

    private var version: JSONValue {
        let pieces = core.settings.version.split(separator: ".").map(String.init)
        return [
            "major": .string(pieces.first?.replacing("v", with: "") ?? "1"),
            "minor": .string(pieces.count > 1 ? pieces[1] : "0"),
            "gitVersion": .string(core.settings.version), "gitCommit": "scripted",
            "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none",
            "compiler": "swiftc", "platform": "linux/amd64",
        ]
    }

    private var kinds: [ResourceKind] {
        core.cluster.state.withLock { state in
            state.collections.values.map(\.kind).sorted { $0.qualifiedPlural < $1.qualifiedPlural }
        }
    }

    private var groups: [String] {
        Set(kinds.flatMap { $0.versions.filter(\.isServed).map(\.group) })
            .filter { !$0.isEmpty }.sorted()
    }

    private func group(_ name: String) -> JSONValue {
        var versions: [String] = []
        for kind in kinds {
            for version in kind.versions
            where version.group == name && version.isServed && !versions.contains(version.name) {
                versions.append(version.name)
            }
        }
        let listed = versions.map { version -> JSONValue in
            ["groupVersion": .string("\(name)/\(version)"), "version": .string(version)]
        }
        return [
            "kind": "APIGroup", "apiVersion": "v1", "name": .string(name),
            "versions": .array(listed), "preferredVersion": listed.first ?? [:],
        ]
    }

    private func resources(group: String, version: String) throws(StatusError) -> Answer {
        var list: [JSONValue] = []
        for kind in kinds {
            guard let served = kind.version(group: group, name: version) else { continue }
            var entry: JSONObject = JSONObject([
                ("name", .string(kind.plural)), ("singularName", .string(kind.singular)),
                ("namespaced", .bool(kind.isNamespaced)), ("kind", .string(kind.kind)),
                (
                    "verbs",
                    [
                        "create", "delete", "deletecollection", "get", "list", "patch", "update",
                        "watch",
                    ]
                ),
            ])
            if !kind.shortNames.isEmpty {
                entry["shortNames"] = .array(kind.shortNames.map { .string($0) })
            }
            if !kind.categories.isEmpty {
                entry["categories"] = .array(kind.categories.map { .string($0) })
            }
            list.append(.object(entry))
            if served.hasStatus {
                list.append([
                    "name": .string("\(kind.plural)/status"), "singularName": "",
                    "namespaced": .bool(kind.isNamespaced), "kind": .string(kind.kind),
                    "verbs": ["get", "patch", "update"],
                ])
            }
        }
        guard !list.isEmpty else { throw .noSuchPath }
        let name = group.isEmpty ? version : "\(group)/\(version)"
        return Answer([
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(name),
            "resources": .array(list),
        ])
    }
}
