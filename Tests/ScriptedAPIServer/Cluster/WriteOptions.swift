/// How strictly fields that a schema does not know are taken.
package enum FieldValidation: String, Sendable {
    case ignore = "Ignore"
    case warn = "Warn"
    case strict = "Strict"
}

/// Who writes, and how.
package struct WriteOptions: Sendable {
    package var manager: String
    package var fieldValidation: FieldValidation
    package var isApply = false
    package var isForced = false

    package init(manager: String = "test", fieldValidation: FieldValidation = .warn) {
        self.manager = manager
        self.fieldValidation = fieldValidation
    }
}

/// What came of a write.
struct WriteResult: Sendable {
    var object: StoredObject
    var isCreated = false
    var warnings: [String] = []
}

/// Where an object is, or where it is going to be.
struct ObjectPlace: Sendable {
    var kind: ResourceKind
    var version: ResourceKind.Version
    var namespace: String
    var name: String
    var subresource = ""
}

/// What a deletion insists on.
package struct DeletionPreconditions: Sendable {
    package var uid: String?
    package var resourceVersion: String?

    package init(uid: String? = nil, resourceVersion: String? = nil) {
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}
