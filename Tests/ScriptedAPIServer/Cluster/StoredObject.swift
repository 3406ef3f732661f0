/// One object at one revision. Kind and API version are not part of it: they depend on how it is
/// asked for.
package final class StoredObject: Sendable {
    package let namespace: String
    package let name: String
    package let revision: Int
    /// Without `metadata.managedFields`, which ``managers`` tell.
    package let content: JSONObject
    package let managers: [FieldManager]
    /// `"metadata":{…},…}` as it is sent, after the kind and the version.
    let tail: [UInt8]

    init(
        namespace: String, name: String, revision: Int, content: JSONObject,
        managers: [FieldManager]
    ) {
        self.namespace = namespace
        self.name = name
        self.revision = revision
        self.content = content
        self.managers = managers
        var tail: [UInt8] = []
        tail.reserveCapacity(1024)
        JSONWriter.writeMembers(Self.complete(content, managers), into: &tail)
        tail.append(UInt8(ascii: "}"))
        self.tail = tail
    }

    /// With `metadata.managedFields`.
    var completeContent: JSONObject { Self.complete(content, managers) }

    private static func complete(_ content: JSONObject, _ managers: [FieldManager]) -> JSONObject {
        guard !managers.isEmpty, var metadata = content["metadata"]?.object else { return content }
        metadata["managedFields"] = .array(managers.map(\.json))
        var content = content
        content["metadata"] = .object(metadata)
        return content
    }

    /// Where it is sorted in lists.
    var key: String { Self.key(namespace: namespace, name: name) }

    static func key(namespace: String, name: String) -> String { "\(namespace)/\(name)" }

    package var uid: String { content["metadata", "uid"]?.string ?? "" }
    package var labels: JSONObject { content["metadata", "labels"]?.object ?? JSONObject() }

    /// The object as JSON of one version; `typed` lists leave kind and version out of their items.
    func encoded(_ kind: ResourceKind, _ version: ResourceKind.Version, bare: Bool = false)
        -> [UInt8]
    {
        if case .event = kind.strategy, version.group != kind.group {
            return json(kind, version).bytes
        }
        guard !bare else { return [UInt8(ascii: "{")] + tail }
        var bytes = Array("{\"kind\":\"\(kind.kind)\",\"apiVersion\":\"".utf8)
        bytes.reserveCapacity(bytes.count + tail.count + 40)
        bytes.append(contentsOf: version.apiVersion.utf8)
        bytes.append(contentsOf: "\",".utf8)
        bytes.append(contentsOf: tail)
        return bytes
    }

    /// The object as a value of one version.
    func json(_ kind: ResourceKind, _ version: ResourceKind.Version) -> JSONValue {
        var content = completeContent
        if case .event = kind.strategy, version.group != kind.group {
            content = EventConversion.events(fromCore: content)
        }
        var object = JSONObject([
            ("kind", .string(kind.kind)), ("apiVersion", .string(version.apiVersion)),
        ])
        object.members += content.members
        return .object(object)
    }
}
