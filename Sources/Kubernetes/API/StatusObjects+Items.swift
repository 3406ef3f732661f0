import NetworkTypes

extension StatusObjects {
    /// A kind of object that is kept.
    enum Kind: Int, CaseIterable, Sendable {
        case configuration
        case layer2
        case announcement

        var resource: APIResource {
            switch self {
            case .configuration: .configurationStates
            case .layer2: .serviceL2Statuses
            case .announcement: .serviceBGPStatuses
            }
        }
    }

    /// Where we stand with a kind.
    struct KindState: Sendable {
        /// Whether our objects on the server are known.
        var isSeen = false
        /// The page to ask for next, while looking.
        var continueToken: String?
        /// Until when it is left alone.
        var rests: Instant?
        /// Why it cannot be read or written.
        var trouble: Trouble?
    }

    /// What does not work, and the way out.
    struct Trouble: Sendable {
        var rule: String
        var remedy: String
        /// Whether only a write that works is the end of it.
        var isOfWriting = false
    }

    /// One object.
    struct Item: Hashable, Sendable {
        enum Subject: Hashable, Sendable {
            /// The process itself.
            case process
            /// What is so with a Service.
            case service(ObjectName)
            /// An object that bears our node's label and another name than we give: what another
            /// program left behind.
            case stray(name: String)
        }

        var kind: Kind
        var subject: Subject
    }

    /// What an object says.
    enum Value: Equatable, Sendable {
        /// Nothing yet: it was made, and its status is to come.
        case blank
        /// There is one, and what it says is not known.
        case unseen
        /// Interfaces or peers, in order.
        case names([String])
        /// About the configuration; since when is the server's to keep while `isValid` stays.
        case verdict(isValid: Bool, summary: String, since: String)
        /// The server refused this value; it is not offered again.
        indirect case refused(Value)

        /// Whether it says the same to people.
        func says(_ other: Value) -> Bool {
            switch (self, other) {
            case (.verdict(let left, let text, _), .verdict(let right, let other, _)):
                left == right && text == other
            case (.refused(let value), _): value.says(other)
            default: self == other
            }
        }
    }

    // MARK: What should be

    mutating func want(_ news: Content) {
        let old = content
        content = news
        guard let old else { return enqueueDifferences() }
        if old.problems != news.problems { enqueue(Item(kind: .configuration, subject: .process)) }
        enqueue(.layer2, old.interfaces, news.interfaces)
        enqueue(.announcement, old.peers, news.peers)
    }

    private mutating func enqueue(
        _ kind: Kind, _ old: [ObjectName: Set<String>], _ new: [ObjectName: Set<String>]
    ) {
        for (service, names) in new where old[service] != names {
            enqueue(Item(kind: kind, subject: .service(service)))
        }
        for service in old.keys where new[service] == nil {
            enqueue(Item(kind: kind, subject: .service(service)))
        }
    }

    mutating func size(nodes: Int, services: Int) {
        self.nodes = max(1, nodes)
        self.services = services
        let (count, isMuch) = self.nodes.multipliedReportingOverflow(by: max(0, services))
        // Not on and off again with every Service around the limit.
        let limit =
            keepsAnnouncements ? Self.announcementLimit : Self.announcementLimit / 4 * 3
        let keeps = !isMuch && count <= limit
        guard keeps != keepsAnnouncements else { return }
        keepsAnnouncements = keeps
        enqueueDifferences()
    }

    /// Looks at everything that is there or should be.
    mutating func enqueueDifferences() {
        guard let content else { return }
        enqueue(Item(kind: .configuration, subject: .process))
        for service in content.interfaces.keys {
            enqueue(Item(kind: .layer2, subject: .service(service)))
        }
        for service in content.peers.keys {
            enqueue(Item(kind: .announcement, subject: .service(service)))
        }
        for item in known.keys { enqueue(item) }
    }

    /// Has an object looked at, unless it is right already, or its kind is still to be looked at:
    /// that looks at all.
    mutating func enqueue(_ item: Item, inFront: Bool = false) {
        guard kinds[item.kind]?.isSeen == true, !isRight(item) else { return }
        guard queued.insert(item).inserted else { return }
        if inFront { work.prepend(item) } else { work.append(item) }
    }

    func isRight(_ item: Item) -> Bool {
        switch (known[item], desired(item)) {
        case (nil, nil): true
        case (let known?, let desired?): known.says(desired)
        default: false
        }
    }

    /// What an object should say; `nil` when there should be none.
    func desired(_ item: Item) -> Value? {
        guard let content else { return known[item] }
        switch item.subject {
        case .stray: return nil
        case .process:
            let summary = Self.summary(of: content.problems)
            return .verdict(isValid: summary.isEmpty, summary: summary, since: "")
        case .service(let service):
            let isAnnouncement = item.kind == .announcement
            if isAnnouncement, !keepsAnnouncements { return nil }
            let names = isAnnouncement ? content.peers[service] : content.interfaces[service]
            guard let names, !names.isEmpty else { return nil }
            // The bounds of the schemas.
            return .names(Array(names.sorted().prefix(isAnnouncement ? 1024 : 256)))
        }
    }

    /// The errors in a few lines; empty when there are none.
    static func summary(of problems: [Problem]) -> String {
        let lines = Set(
            problems.filter { $0.severity == .error }.map { problem in
                let subject = [problem.object, problem.field].filter { !$0.isEmpty }
                return (subject + ["\(problem.rule); \(problem.remedy)"])
                    .joined(separator: ": ")
            }
        ).sorted()
        let limit = 20
        let more = lines.count > limit ? ["and \(lines.count - limit) more"] : []
        return (lines.prefix(limit) + more).joined(separator: "\n").cut(toBytes: 8192)
    }
}
