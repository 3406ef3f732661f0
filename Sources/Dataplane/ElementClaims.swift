import NetworkTypes

/// Who wants which of the elements that Services share, and who has it.
///
/// The first that wants an element has it, until it wants it no more; then the next in line has it.
/// In a table that a former process made, who had an entrance there counts as the first.
struct ElementClaims: Sendable {
    private struct Claim: Sendable {
        /// What the element leads to.
        var holder: SetElement.Value
        /// What it would lead to for the others, in the order in which they came.
        var waiting: [SetElement.Value] = []
    }

    private var claims: [SetElement.Key: Claim] = [:]
    /// What the change that is going on has touched, and what it led to before; `nil` is nowhere.
    private var touched: [SetElement.Key: SetElement.Value?] = [:]
    /// Entrances that somebody waits for.
    private var contested: Set<SetElement.Key> = []
    /// The chains that entrances led to before this process began.
    private var inherited: [SetElement.Key: String]

    init(inherited: [SetElement.Key: String]) { self.inherited = inherited }

    /// All that is in the sets.
    var elements: [SetElement] { claims.map { SetElement($0.key, $0.value.holder) } }

    /// What an element leads to.
    func holder(of key: SetElement.Key) -> SetElement.Value? { claims[key]?.holder }

    /// What it led to before the change that is going on.
    func formerHolder(of key: SetElement.Key) -> SetElement.Value? {
        touched[key] ?? claims[key]?.holder
    }

    /// Lets several want an element each. Those that had it in the former table come first.
    mutating func claim(_ newcomers: [SetElement]) {
        guard !inherited.isEmpty else {
            for element in newcomers { claim(element) }
            return
        }
        for element in newcomers where isInherited(element) { claim(element) }
        for element in newcomers where !isInherited(element) { claim(element) }
    }

    private func isInherited(_ element: SetElement) -> Bool {
        guard let chain = inherited[element.key], let owner = element.value.owner else {
            return false
        }
        // The Service may have changed meanwhile, so that the entrance leads to another of its
        // chains.
        return owner == SetElement.Value.goto(chain).owner
    }

    /// From now on nobody comes first for what a former process did.
    mutating func forgetInheritance() { inherited = [:] }

    mutating func claim(_ element: SetElement) {
        touch(element.key)
        if claims[element.key] == nil {
            claims[element.key] = Claim(holder: element.value)
        } else {
            claims[element.key]?.waiting.append(element.value)
            note(element.key)
        }
    }

    mutating func release(_ element: SetElement) {
        guard var claim = claims[element.key] else { return }
        touch(element.key)
        if let place = claim.waiting.firstIndex(of: element.value) {
            claim.waiting.remove(at: place)
        } else if claim.holder == element.value {
            guard !claim.waiting.isEmpty else {
                claims[element.key] = nil
                contested.remove(element.key)
                return
            }
            claim.holder = claim.waiting.removeFirst()
        }
        claims[element.key] = claim
        note(element.key)
    }

    /// What only leads elsewhere keeps its place among those who want it.
    mutating func exchange(_ former: SetElement, for successor: SetElement) {
        guard var claim = claims[former.key] else { return }
        touch(former.key)
        if let place = claim.waiting.firstIndex(of: former.value) {
            claim.waiting[place] = successor.value
        } else if claim.holder == former.value {
            claim.holder = successor.value
        }
        claims[former.key] = claim
    }

    private mutating func touch(_ key: SetElement.Key) {
        if touched[key] == nil { touched[key] = .some(claims[key]?.holder) }
    }

    /// Remembers whether somebody waits for an entrance. What many may have at once is none.
    private mutating func note(_ key: SetElement.Key) {
        guard key.isEntrance else { return }
        if claims[key]?.waiting.isEmpty ?? true {
            contested.remove(key)
        } else {
            contested.insert(key)
        }
    }

    /// Ends a change: what it has come to.
    mutating func settle() -> (removed: [SetElement], added: [SetElement]) {
        var (removed, added): ([SetElement], [SetElement]) = ([], [])
        for (key, former) in touched {
            let holder = claims[key]?.holder
            guard holder != former else { continue }
            if let former { removed.append(SetElement(key, former)) }
            if let holder { added.append(SetElement(key, holder)) }
        }
        touched = [:]
        return (removed, added)
    }

    /// Entrances that somebody waits for.
    var clashes: [SetElement.Key: Ruleset.Clash] {
        var clashes: [SetElement.Key: Ruleset.Clash] = [:]
        for key in contested {
            guard let claim = claims[key], let holder = claim.holder.owner else { continue }
            clashes[key] = Ruleset.Clash(
                holder: String(holder),
                waiting: claim.waiting.compactMap { $0.owner.map(String.init) })
        }
        return clashes
    }
}

extension Ruleset {
    /// An entrance that several Service ports want. Each is named as its
    /// ``ServiceChain/Identity`` is: `namespace/service/port/protocol`.
    public struct Clash: Hashable, Sendable {
        /// Who has it.
        public let holder: String
        /// Who gets it next, and after that.
        public let waiting: [String]
    }
}

extension SetElement.Key {
    /// Whether traffic for one Service port comes in here.
    var isEntrance: Bool {
        switch self {
        case .frontend, .nodePort: true
        default: false
        }
    }

    /// The element by which traffic comes in at a frontend.
    init(_ frontend: ServiceChain.Frontend, _ transport: ServiceChain.Transport) {
        switch frontend {
        case .loadBalancer(let address, let port), .clusterIP(let address, let port),
            .externalIP(let address, let port):
            self = .frontend(address, transport, port: port)
        case .nodePort(let family, let port):
            self = .nodePort(family, transport, port: port)
        }
    }
}

extension SetElement.Value {
    /// The Service port whose chain this leads to; its name begins with the role and a slash.
    var owner: Substring? {
        guard case .goto(let chain) = self, let slash = chain.utf8.firstIndex(of: UInt8(ascii: "/"))
        else { return nil }
        return chain[chain.utf8.index(after: slash)...]
    }
}

extension SetElement.Key: CustomStringConvertible {
    /// In words: "203.0.113.10 port 80/tcp", "node port 32000/tcp (IPv4)".
    public var description: String {
        switch self {
        case .frontend(let address, let transport, let port),
            .traffic(let address, let transport, let port):
            "\(address) port \(port)/\(transport)"
        case .nodePort(let family, let transport, let port),
            .nodePortTraffic(let family, let transport, let port):
            "node port \(port)/\(transport) (IPv\(family.rawValue))"
        case .address(let address), .hairpin(let address): "\(address)"
        case .slot(_, let number): "slot \(number)"
        case .choice(_, let chain, let number), .living(_, let chain, let number):
            "number \(number) of \(chain)"
        }
    }
}
