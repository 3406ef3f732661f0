import NetworkTypes

extension StatusObjects {
    /// The request was carried out.
    mutating func succeed(_ number: Int, _ body: [UInt8], at now: Instant) {
        guard let purpose = finish(number) else { return }
        switch purpose {
        case .look(let kind): take(body, of: kind, at: now)
        case .read(let item):
            guard let object = Self.fields(body) else { return rest(item.kind, .strange, at: now) }
            known[item] = value(of: object, item.kind)
            settle(item)
        case .create(let item):
            known[item] = .blank
            settle(item, inFront: true)
        case .write(let item, let value):
            known[item] = value
            settle(item)
        case .delete(let item):
            known[item] = nil
            settle(item)
        }
    }

    /// The request was not carried out, or nobody knows.
    mutating func fail(_ number: Int, _ failure: APIFailure, at now: Instant) {
        guard let purpose = finish(number) else { return }
        switch failure.code {
        case 400?, 403?, 404?, 405?, 409?, 410?, 413?, 422?: refuse(purpose, failure, at: now)
        default:
            // The server is away, or busy, or does not know us at present. What it did of it, a
            // second try finds out.
            pause.extend(at: now, asked: failure.retryAfterSeconds)
            if let item = purpose.item { enqueue(item, inFront: true) }
        }
    }

    /// The server said no to this request in particular.
    private mutating func refuse(
        _ purpose: Request.Purpose, _ failure: APIFailure, at now: Instant
    ) {
        pause.reset()
        switch (purpose, failure.code) {
        case (.look(.configuration), 404?):
            look(over: .configuration)
        case (.look(let kind), 410?):
            // A page of a list that has become too old: from the beginning.
            kinds[kind]?.continueToken = nil
            forget(kind)
        case (.create(let item), 409?):
            // There is one already; what it says has to be seen.
            known[item] = .unseen
            enqueue(item, inFront: true)
        case (.write(let item, _), 409?): enqueue(item, inFront: true)
        case (.write(let item, _), 404?), (.read(let item), 404?), (.delete(let item), 404?):
            known[item] = nil
            enqueue(item, inFront: true)
        case (.write(let item, let value), 400?), (.write(let item, let value), 413?),
            (.write(let item, let value), 422?):
            known[item] = .refused(value)
            let trouble = Trouble(
                rule: "\(name(of: item)) was refused: \(failure.summary)",
                remedy: "install the CustomResourceDefinitions that belong to this version",
                isOfWriting: true)
            kinds[item.kind]?.trouble = trouble
        default:
            rest(purpose.kind, .refused(purpose, failure), at: now)
        }
    }

    private mutating func finish(_ number: Int) -> Request.Purpose? {
        guard let present = request, present.number == number else { return nil }
        request = nil
        return present.purpose
    }

    /// Goes on with an object after a step, unless it is right.
    private mutating func settle(_ item: Item, inFront: Bool = false) {
        pause.reset()
        enqueue(item, inFront: inFront)
        let kind = item.kind
        guard kinds[kind]?.trouble?.isOfWriting == true else { return }
        let isRefused = known.contains { entry in
            if case .refused = entry.value { entry.key.kind == kind } else { false }
        }
        if !isRefused { kinds[kind]?.trouble = nil }
    }

    // MARK: Looking

    /// Why a kind is left alone for a while.
    private enum Reason {
        case strange
        case refused(Request.Purpose, APIFailure)
    }

    /// Leaves a kind alone for a while; then its objects are looked at again.
    private mutating func rest(_ kind: Kind, _ reason: Reason, at now: Instant) {
        forget(kind)
        var state = KindState()
        // To look again costs every node a list.
        let rests = Self.kindRests + spread * 8
        state.rests = now + rests + jitter.moment(within: rests / 2)
        state.trouble = trouble(of: kind, reason)
        kinds[kind] = state
    }

    private func trouble(of kind: Kind, _ reason: Reason) -> Trouble {
        guard case .refused(let purpose, let failure) = reason else {
            return Trouble(
                rule: "an answer is not what the API documents", remedy: "it is tried again")
        }
        let isOfWriting = purpose.isOfWriting
        return switch failure.code {
        case 403?:
            Trouble(
                rule: failure.summary,
                remedy: "allow \(purpose.verb) on \(purpose.target) in namespace \(namespace)",
                isOfWriting: isOfWriting)
        case 404?:
            Trouble(
                rule: "the server does not know \(kind.resource): \(failure.summary)",
                remedy: "install the CustomResourceDefinitions; nothing else depends on it",
                isOfWriting: isOfWriting)
        default:
            Trouble(
                rule: failure.summary, remedy: "it is tried again", isOfWriting: isOfWriting)
        }
    }

    /// Forgets what the server has. What is under way is none of it: it comes before the look.
    mutating func lookAgain() {
        pause.reset()
        for kind in kinds.keys {
            forget(kind)
            kinds[kind] = KindState(trouble: kinds[kind]?.trouble)
        }
    }

    private mutating func forget(_ kind: Kind) {
        known = known.filter { $0.key.kind != kind }
    }

    private mutating func take(_ body: [UInt8], of kind: Kind, at now: Instant) {
        pause.reset()
        guard let fields = Self.fields(body) else { return rest(kind, .strange, at: now) }
        guard kind != .configuration else {
            known[Item(kind: kind, subject: .process)] = value(of: fields, kind)
            return look(over: kind)
        }
        for node in fields.list("items") {
            guard let object = Fields(node), let item = item(of: object, kind) else { continue }
            known[item] = value(of: object, kind)
        }
        let token = fields.fields("metadata")?["continue"] ?? ""
        kinds[kind]?.continueToken = token.isEmpty ? nil : token
        if token.isEmpty { look(over: kind) }
    }

    /// All objects of a kind are known now.
    private mutating func look(over kind: Kind) {
        let trouble = kinds[kind]?.trouble
        kinds[kind] = KindState(
            isSeen: true, trouble: trouble?.isOfWriting == true ? trouble : nil)
        enqueueDifferences()
    }

    // MARK: Reading

    private static func fields(_ body: [UInt8]) -> Fields? {
        // What is no JSON is told of as strange; the reason in detail helps nobody.
        guard let node = try? JSONDocument.node(body, pruning: pruning) else { return nil }
        return Fields(node)
    }

    private static let pruning = JSONPruning(fields: [.init("managedFields", nil)])

    private func item(of object: Fields, _ kind: Kind) -> Item? {
        guard let metadata = object.fields("metadata"), let name = metadata["name"] else {
            return nil
        }
        let labels = metadata.fields("labels")
        guard labels?[StatusLabel.node] == nodeLabel else { return nil }
        if let service = labels?[StatusLabel.serviceName],
            let space = labels?[StatusLabel.serviceNamespace]
        {
            let item = Item(
                kind: kind, subject: .service(ObjectName(namespace: space, service)))
            if self.name(of: item).name == name { return item }
        }
        return Item(kind: kind, subject: .stray(name: name))
    }

    private func value(of object: Fields, _ kind: Kind) -> Value {
        guard let status = object.fields("status") else { return .blank }
        switch kind {
        case .layer2:
            return .names(status.list("interfaces").compactMap { Fields($0)?["name"] }.sorted())
        case .announcement:
            return .names(status.texts("peers").sorted())
        case .configuration:
            guard let result = status["result"] else { return .blank }
            let condition = status.list("conditions").compactMap { Fields($0) }
                .first { $0["type"] == "Valid" }
            return .verdict(
                isValid: result == "Valid", summary: status["errorSummary"] ?? "",
                since: condition?["lastTransitionTime"] ?? "")
        }
    }
}

extension StatusObjects.Request.Purpose {
    var item: StatusObjects.Item? {
        switch self {
        case .look: nil
        case .read(let item), .create(let item), .write(let item, _), .delete(let item): item
        }
    }

    var kind: StatusObjects.Kind {
        switch self {
        case .look(let kind): kind
        case .read(let item), .create(let item), .write(let item, _), .delete(let item): item.kind
        }
    }

    fileprivate var isOfWriting: Bool {
        switch self {
        case .look, .read: false
        case .create, .write, .delete: true
        }
    }

    /// As RBAC has it.
    fileprivate var verb: String {
        switch self {
        case .look(.configuration), .read: "get"
        case .look: "list"
        case .create: "create"
        case .write: "patch"
        case .delete: "delete"
        }
    }

    /// What the verb is needed on, as RBAC has it.
    fileprivate var target: String {
        if case .write = self {
            "\(kind.resource.plural)/status.\(kind.resource.group)"
        } else {
            "\(kind.resource)"
        }
    }
}

extension Fields {
    /// The texts in a list.
    func texts(_ key: String) -> [String] { list(key).compactMap { $0.scalar?.string } }
}
