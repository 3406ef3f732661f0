/// Makes values of what an API server sends for one resource: objects, pages of lists, lines of a
/// watch.
///
/// - Only what Martlet uses is built at all (``JSONPruning``).
/// - The rules of objects are those of ``ManifestReader``, by the same code. From a server an
///   unknown field is never an error, because a younger server may have more of them: nothing is
///   said of it in the core kinds, a notice in those of `metallb.io`.
/// - An object that breaks a rule has no value, and its problems say why; it is still there. What
///   is not an object at all, or has no name, is a failure of the whole answer: taking it for an
///   absence would delete something.
public struct ObjectDecoder: Sendable {
    /// What the objects are.
    public let resource: APIResource
    let configurationNamespace: String
    let keepsText: Bool
    /// `nil` for kinds of which only the name and the version are read.
    let kind: KindReader?
    let pruning: JSONPruning

    /// Makes a decoder of one resource.
    ///
    /// - Parameters:
    ///   - configurationNamespace: the namespace of configuration objects that name none.
    ///   - keepsText: whether objects come with their pruned JSON text, to be stored and decoded
    ///     again.
    public init(
        resource: APIResource, configurationNamespace: String = "metallb-system",
        keepsText: Bool = false
    ) {
        self.resource = resource
        self.configurationNamespace = configurationNamespace
        self.keepsText = keepsText
        let known = KindReader.all[resource.kind]
        kind = known?.group == Substring(resource.group) ? known : nil
        pruning = JSONPruning.of(kind)
    }

    /// The object that a GET, a write, or ``APIObject/text`` brought.
    public func object(_ json: [UInt8]) throws(APIFailure) -> APIObject {
        var builder = JSONBuilder(json)
        let node: DocumentNode
        do {
            node = try builder.node(pruning)
            try builder.cursor.finish()
        } catch { throw malformed(error) }
        return try read(node)
    }

    /// One page of a list. Items need not name their kind.
    public func page(_ json: [UInt8]) throws(APIFailure) -> ObjectPage {
        var builder = JSONBuilder(json)
        var page = ObjectPage(objects: [], resourceVersion: "")
        var isList = false
        do {
            try builder.cursor.begin(.mapping)
            while let key = try builder.cursor.nextKey() {
                switch key {
                case "items":
                    isList = true
                    if try builder.cursor.skipNull() { continue }
                    try builder.cursor.begin(.list)
                    while try builder.cursor.nextElement() {
                        page.objects.append(try read(try builder.node(pruning)))
                    }
                case "metadata":
                    let metadata = Fields(try builder.node(.only("continue", "resourceVersion")))
                    page.resourceVersion = metadata?["resourceVersion"] ?? ""
                    let token = metadata?["continue"] ?? ""
                    page.continueToken = token.isEmpty ? nil : token
                default: try builder.cursor.skipValue()
                }
            }
            try builder.cursor.finish()
        } catch let failure as JSONFailure {
            throw malformed(failure)
        } catch let failure as APIFailure {
            throw failure
        } catch {
            throw .malformed("\(resource): \(error)")
        }
        guard isList else { throw .malformed("\(resource): the answer is not a list") }
        return page
    }

    /// One line of a watch.
    public func watchEvent(_ line: [UInt8]) throws(APIFailure) -> WatchEvent {
        var builder = JSONBuilder(line)
        var type: String?
        var node: DocumentNode?
        do {
            try builder.cursor.begin(.mapping)
            while let key = try builder.cursor.nextKey() {
                switch key {
                case "type": type = try builder.cursor.string()
                case "object": node = try builder.node(pruning.withStatusFields)
                default: try builder.cursor.skipValue()
                }
            }
            try builder.cursor.finish()
        } catch { throw malformed(error) }
        guard let type, let node else {
            throw .malformed("\(resource): a line of a watch without type or object")
        }
        switch type {
        case "ADDED", "MODIFIED": return .changed(try read(node))
        case "DELETED":
            let object = try read(node, isDeleted: true)
            return .deleted(object.reference, resourceVersion: object.resourceVersion)
        case "BOOKMARK":
            let metadata = Fields(node)?.fields("metadata")
            let ending = metadata?.fields("annotations")?[JSONPruning.initialEventsEnd]
            return .bookmark(
                resourceVersion: metadata?["resourceVersion"] ?? "",
                endsInitialEvents: ending == "true")
        case "ERROR": return .failed(Self.status(node, code: 500))
        default:
            throw .malformed("\(resource): a watch event of type \(FieldValue.clip(type))")
        }
    }

    func malformed(_ failure: JSONFailure) -> APIFailure { .malformed("\(resource): \(failure)") }
}
