/// What a watch is told.
package enum WatchDelivery: Sendable {
    /// Whole lines; how many events they are, of which a fault may want to know.
    case events([UInt8], count: Int)
    /// The server ends the watch.
    case end
}

/// What a watch asked for.
struct WatchScope: Sendable {
    var kind: ResourceKind
    var version: ResourceKind.Version
    var namespace: String?
    var labels = LabelSelector.everything
    var fields = FieldSelector.everything
    var isTable = false

    func contains(_ object: StoredObject) -> Bool {
        if let namespace, object.namespace != namespace { return false }
        return labels.matches(object) && fields.matches(object)
    }
}

/// One open watch.
final class Watcher: Sendable {
    let scope: WatchScope
    let user: String
    let wantsBookmarks: Bool
    /// Called under the lock of the cluster, in the order of events: must only hand on.
    let deliver: @Sendable (WatchDelivery) -> Void

    init(
        scope: WatchScope, user: String, wantsBookmarks: Bool,
        deliver: @escaping @Sendable (WatchDelivery) -> Void
    ) {
        self.scope = scope
        self.user = user
        self.wantsBookmarks = wantsBookmarks
        self.deliver = deliver
    }

    /// The line that tells a change, or `nil` when the change is none of this watch's business.
    func line(for change: ObjectChange, cache: inout LineCache) -> [UInt8]? {
        let isInside = change.object.map(scope.contains) ?? false
        let wasInside = change.previous.map(scope.contains) ?? false
        switch (wasInside, isInside) {
        case (false, false): return nil
        case (false, true): return change.object.map { cache.line("ADDED", $0, scope) }
        case (true, true): return change.object.map { cache.line("MODIFIED", $0, scope) }
        case (true, false):
            if let deleted = change.deleted { return cache.line("DELETED", deleted, scope) }
            return change.object.map { cache.line("DELETED", $0, scope) }
        }
    }

    static func line(_ type: String, _ object: StoredObject, _ scope: WatchScope) -> [UInt8] {
        var bytes = Array("{\"type\":\"\(type)\",\"object\":".utf8)
        if scope.isTable {
            bytes += TablePrinter.table([object], scope.kind, scope.version, revision: nil).bytes
        } else {
            bytes += object.encoded(scope.kind, scope.version)
        }
        bytes += Array("}\n".utf8)
        return bytes
    }

    static func bookmark(_ revision: Int, endsInitialEvents: Bool, _ scope: WatchScope) -> [UInt8] {
        var metadata = JSONObject([("resourceVersion", .string(String(revision)))])
        if endsInitialEvents {
            metadata["annotations"] = ["k8s.io/initial-events-end": "true"]
        }
        let object = JSONValue.object(
            JSONObject([
                ("kind", .string(scope.kind.kind)),
                ("apiVersion", .string(scope.version.apiVersion)),
                ("metadata", .object(metadata)),
            ]))
        let event: JSONValue = ["type": "BOOKMARK", "object": object]
        return event.bytes + [0x0A]
    }

    static func error(_ error: StatusError) -> [UInt8] {
        let event: JSONValue = ["type": "ERROR", "object": error.body]
        return event.bytes + [0x0A]
    }
}

/// Lines of one change: many watches want the same.
struct LineCache {
    private var type = ""
    private var apiVersion = ""
    private var revision = -1
    private var bytes: [UInt8] = []

    mutating func line(_ type: String, _ object: StoredObject, _ scope: WatchScope) -> [UInt8] {
        guard !scope.isTable else { return Watcher.line(type, object, scope) }
        if self.type == type, apiVersion == scope.version.apiVersion, revision == object.revision {
            return bytes
        }
        bytes = Watcher.line(type, object, scope)
        self.type = type
        apiVersion = scope.version.apiVersion
        revision = object.revision
        return bytes
    }
}
