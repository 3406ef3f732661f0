/// A page of a list of `ServiceL2Status` or `ServiceBGPStatus`, for those who look at what speakers
/// say. Whoever wrote the objects: MetalLB's have the same fields.
public struct ServiceStatusReading: Sendable, Hashable {
    /// What one node says of one Service.
    public struct Record: Sendable, Hashable {
        /// The node.
        public var node: String
        /// The Service.
        public var service: ObjectName
        /// The interfaces that it answers on, or the peers that have routes from it; in order.
        public var names: [String]

        /// Makes a record.
        public init(node: String, service: ObjectName, names: [String]) {
            self.node = node
            self.service = service
            self.names = names
        }
    }

    /// What the objects say. One without a status yet, or of nobody, says nothing.
    public var records: [Record]
    /// What to ask the next page with; `nil` for the last page.
    public var continueToken: String?

    /// Reads the body of a list.
    public init(json: [UInt8]) throws(APIFailure) {
        let list = try StatusList(json, of: "status objects of Services")
        records = list.items.compactMap { Self.record($0) }
        continueToken = list.continueToken
    }

    private static func record(_ object: Fields) -> Record? {
        // Labels are cut when names are long; the status is not.
        guard let status = object.fields("status"), let node = status["node"], !node.isEmpty,
            let name = status["serviceName"], let namespace = status["serviceNamespace"]
        else { return nil }
        let interfaces = status.list("interfaces").compactMap { Fields($0)?["name"] }
        return Record(
            node: node, service: ObjectName(namespace: namespace, name),
            names: (interfaces + status.texts("peers")).sorted())
    }
}

/// A page of a list of `ConfigurationState`: how the processes find the configuration.
public struct ConfigurationStateReading: Sendable, Hashable {
    /// What one process says.
    public struct Verdict: Sendable, Hashable {
        /// The name of the object: `controller`, `speaker-node-a`.
        public var process: String
        /// `Valid`, `Invalid` or `Unknown`.
        public var result: String
        /// The errors, one a line; empty without any.
        public var summary: String

        /// Makes a verdict.
        public init(process: String, result: String, summary: String) {
            self.process = process
            self.result = result
            self.summary = summary
        }
    }

    /// What the objects say.
    public var verdicts: [Verdict]
    /// What to ask the next page with; `nil` for the last page.
    public var continueToken: String?

    /// Reads the body of a list.
    public init(json: [UInt8]) throws(APIFailure) {
        let list = try StatusList(json, of: "ConfigurationState")
        verdicts = list.items.compactMap { object in
            guard let name = object.fields("metadata")?["name"] else { return nil }
            let status = object.fields("status")
            return Verdict(
                process: name, result: status?["result"] ?? "Unknown",
                summary: status?["errorSummary"] ?? "")
        }
        continueToken = list.continueToken
    }
}

/// A list of objects of which no more than name and status are looked at.
private struct StatusList {
    let items: [Fields]
    let continueToken: String?

    private static let pruning = JSONPruning.only([
        .init("metadata", .only("continue")),
        .init(
            "items",
            .only([.init("metadata", .only("name", "namespace")), .init("status")])),
    ])

    init(_ json: [UInt8], of what: String) throws(APIFailure) {
        let fields: Fields?
        do throws(JSONFailure) {
            fields = Fields(try JSONDocument.node(json, pruning: Self.pruning))
        } catch {
            throw .malformed("a list of \(what): \(error)")
        }
        guard let fields, fields.node("items") != nil else {
            throw .malformed("a list of \(what): the answer is not a list")
        }
        items = fields.list("items").compactMap { Fields($0) }
        let token = fields.fields("metadata")?["continue"] ?? ""
        continueToken = token.isEmpty ? nil : token
    }
}
