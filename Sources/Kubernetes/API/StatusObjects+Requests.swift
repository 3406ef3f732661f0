import NetworkTypes

extension StatusObjects {
    /// A request on its way.
    struct Request: Sendable {
        enum Purpose: Sendable {
            /// To see which of our objects there are.
            case look(Kind)
            /// To see one of them again.
            case read(Item)
            case create(Item)
            case write(Item, Value)
            case delete(Item)
        }

        var number: Int
        var purpose: Purpose
    }

    /// The next request, if there is something to do and the time has come.
    mutating func next(at now: Instant, _ time: WallTime) -> Action? {
        guard request == nil, content != nil, pause.allows(now) else { return nil }
        for kind in Kind.allCases where kinds[kind]?.rests.map({ $0 <= now }) == true {
            kinds[kind]?.rests = nil
        }
        let unseen = Kind.allCases.first { kind in
            kinds[kind].map { !$0.isSeen && $0.rests == nil } ?? false
        }
        while let item = work.first, isRight(item) || kinds[item.kind]?.isSeen != true {
            work.removeFirst()
            queued.remove(item)
        }
        guard unseen != nil || !work.isEmpty else {
            isQuiet = true
            return nil
        }
        if isQuiet {
            isQuiet = false
            notBefore = max(notBefore, now + jitter.moment(within: spread))
        }
        guard notBefore <= now else { return nil }
        let share = spread * 3 / 4 + jitter.moment(within: spread / 2)
        notBefore = now + max(Self.interval, share)
        if let unseen { return look(unseen) }
        guard let item = work.removeFirst() else { return nil }
        queued.remove(item)
        return change(item, time)
    }

    /// How long all nodes together need for a request each.
    var spread: Duration { min(Self.share * nodes, Self.longestSpread) }

    private mutating func send(_ purpose: Request.Purpose, _ request: ObjectRequest) -> Action {
        requestCount += 1
        self.request = Request(number: requestCount, purpose: purpose)
        return .send(requestCount, request)
    }

    private mutating func look(_ kind: Kind) -> Action {
        if kind == .configuration {
            let item = Item(kind: kind, subject: .process)
            return send(.look(kind), .get(kind.resource, name(of: item)))
        }
        return send(
            .look(kind),
            .list(
                kind.resource, in: namespace, labels: "\(StatusLabel.node)=\(nodeLabel)",
                limit: 500, continueToken: kinds[kind]?.continueToken))
    }

    /// Makes an object what it should be, or brings it one step nearer.
    private mutating func change(_ item: Item, _ time: WallTime) -> Action {
        let resource = item.kind.resource
        let name = name(of: item)
        guard var value = desired(item) else {
            return send(.delete(item), .delete(resource, name))
        }
        if known[item] == .unseen { return send(.read(item), .get(resource, name)) }
        guard let present = known[item] else {
            return send(
                .create(item),
                .create(resource, in: namespace, body: frame(of: item), manager: manager))
        }
        if case .verdict(let isValid, let summary, _) = value {
            value = .verdict(
                isValid: isValid, summary: summary,
                since: present.since(ofVerdict: isValid) ?? time.seconds)
        }
        return send(
            .write(item, value),
            .patch(
                resource, name, subresource: "status", .merge, body: status(of: item, value),
                manager: manager))
    }

    // MARK: Bodies

    /// The name is made of what the object is about, so that nobody has to remember it.
    func name(of item: Item) -> ObjectName {
        switch (item.subject, role) {
        case (.stray(let name), _): ObjectName(namespace: namespace, name)
        case (.process, .controller): ObjectName(namespace: namespace, "controller")
        case (.process, .speaker(let node, _)):
            ObjectName(
                namespace: namespace, "speaker-" + StatusLabel.shortened(node, to: 245))
        case (.service(let service), _):
            ObjectName(
                namespace: namespace,
                (item.kind == .layer2 ? "l2-" : "bgp-")
                    + StatusLabel.hash(node, service.namespace, service.name))
        }
    }

    private var node: String {
        if case .speaker(let node, _) = role { node } else { "" }
    }

    var nodeLabel: String { StatusLabel.shortened(node, to: StatusLabel.longest) }

    /// An object without its status, which a create cannot carry.
    private func frame(of item: Item) -> [UInt8] {
        JSONWriter.object { object in
            object.member("apiVersion", item.kind.resource.apiVersion)
            object.member("kind", item.kind.resource.kind)
            object.member("metadata") { metadata in
                let name = name(of: item)
                metadata.member("name", name.name)
                metadata.member("namespace", name.namespace)
                metadata.member("labels") { labels in
                    if case .service(let service) = item.subject {
                        labels.member(StatusLabel.node, nodeLabel)
                        labels.member(StatusLabel.serviceName, service.name)
                        labels.member(StatusLabel.serviceNamespace, service.namespace)
                    } else {
                        let isController = role == .controller
                        labels.member(
                            StatusLabel.component, isController ? "controller" : "speaker")
                        if !isController { labels.member(StatusLabel.nodeName, nodeLabel) }
                    }
                }
                guard case .speaker(let node, let uid) = role, !uid.isEmpty else { return }
                metadata.name("ownerReferences")
                metadata.array([uid]) { list, uid in
                    list.object {
                        $0.member("apiVersion", "v1")
                        $0.member("kind", "Node")
                        $0.member("name", node)
                        $0.member("uid", uid)
                    }
                }
            }
        }
    }

    private func status(of item: Item, _ value: Value) -> [UInt8] {
        JSONWriter.object { object in
            object.member("status") { status in
                switch (value, item.subject) {
                case (.names(let names), .service(let service)):
                    status.member("node", node)
                    status.member("serviceName", service.name)
                    status.member("serviceNamespace", service.namespace)
                    if item.kind == .announcement {
                        status.member("peers", names)
                    } else {
                        status.name("interfaces")
                        status.array(names) { list, name in
                            list.object { $0.member("name", name) }
                        }
                    }
                case (.verdict(let isValid, let summary, let since), _):
                    status.member("result", isValid ? "Valid" : "Invalid")
                    status.member("errorSummary", summary)
                    status.name("conditions")
                    status.array([isValid]) { list, isValid in
                        list.write(
                            .init(
                                type: "Valid", isTrue: isValid,
                                reason: isValid ? "ConfigurationValid" : "ConfigurationInvalid",
                                message: summary, lastTransitionTime: since))
                    }
                default: break
                }
            }
        }
    }
}

extension StatusObjects.Value {
    /// Since when the configuration is right, or wrong, as the object says; `nil` when it says
    /// otherwise or nothing.
    fileprivate func since(ofVerdict isValid: Bool) -> String? {
        switch self {
        case .verdict(isValid, _, let since) where !since.isEmpty: since
        case .refused(let value): value.since(ofVerdict: isValid)
        default: nil
        }
    }
}
