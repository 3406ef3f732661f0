import Kubernetes
import NetworkTypes

/// One follower and one server, and between them everything that goes wrong, from a seed.
struct ListWatchWalk {
    /// Numbers from a seed (SplitMix64).
    struct Dice {
        var state: UInt64

        mutating func below(_ bound: Int) -> Int {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
            return Int((mixed ^ mixed >> 31) % UInt64(max(bound, 1)))
        }

        mutating func oneIn(_ number: Int) -> Bool { below(number) == 0 }
    }

    enum Request {
        case none
        case page(ListQuery)
        case unopened(WatchQuery)
        case watch(position: UInt64, opening: String)
    }

    var dice: Dice
    var server = ListWatchServer()
    var machine: ListWatch
    var mirror = ObjectMirror(resource: .services)
    var now = Instant(nanoseconds: 0)
    var request = Request.none
    var lines = WatchLines()
    var isFaulty = true
    let knowsStreaming: Bool
    var staleLists = 0
    /// Answers to our own writes that are still on their way.
    var answers: [APIObject] = []
    /// What a reader of the changes believes.
    var belief: [String: UInt64] = [:]
    /// The youngest version that was ever told of each name.
    var told: [String: UInt64] = [:]
    var violations: [String] = []
    /// What happened, to see that a walk sees everything.
    var counts: [String: Int] = [:]

    init(seed: UInt64) {
        dice = Dice(state: seed)
        var settings = ListWatch.Settings(resource: .services)
        settings.pageSize = 1 + dice.below(4)
        settings.spread = .milliseconds(dice.below(3) * 500)
        settings.usesStreamingLists = !dice.oneIn(4)
        knowsStreaming = dice.oneIn(2)
        machine = ListWatch(settings, seed: seed)
        for number in 0..<dice.below(12) { server.write("s\(number)") }
        tell(.started(floor: nil))
    }

    mutating func count(_ what: String) { counts[what, default: 0] += 1 }

    mutating func run(steps: Int) {
        for _ in 0..<steps {
            disturb()
            step()
        }
        isFaulty = false
        for _ in 0..<200 where !isDone { step() }
        // What our own writes brought comes last of all, long overtaken.
        for answer in answers { take(mirror.accept(written: answer)) }
        let known = Dictionary(
            uniqueKeysWithValues: belief.keys.compactMap { name in
                mirror.version(of: ListWatchServer.reference(name).name).map { (name, $0) }
            })
        if belief != server.state || known != server.state.mapValues({ "\($0)" })
            || mirror.count != server.state.count
        {
            violations.append("the truth is \(server.state), believed is \(belief)")
        }
    }

    private var isDone: Bool {
        if case .watch(let position, let opening) = request, opening.isEmpty {
            return position == server.version && machine.phase == .watching
        }
        return false
    }

    // MARK: What the world does

    private mutating func disturb() {
        for _ in 0..<dice.below(3) {
            let name = "s\(dice.below(14))"
            switch dice.below(8) {
            case 0, 1: server.delete(name)
            case 2:
                answers.append(server.write(name))
                count("own write")
            case 3: server.passTime(1 + dice.below(5))
            default: server.write(name)
            }
        }
        if !answers.isEmpty, dice.oneIn(3) {
            take(mirror.accept(written: answers.remove(at: dice.below(answers.count))))
        }
        if dice.oneIn(12) {
            server.compact(upTo: server.version - UInt64(dice.below(8)))
            count("compaction")
        }
    }

    private mutating func step() {
        switch request {
        case .none: passTime(to: machine.nextDeadline)
        case .page(let query): answer(query)
        case .unopened(let query): open(query)
        case .watch(let position, let opening): stream(from: position, opening)
        }
    }

    private mutating func passTime(to deadline: Instant?) {
        guard let deadline else {
            violations.append("nothing is under way and no deadline is set")
            return
        }
        now = max(now, deadline)
        tell(.deadlineReached)
    }

    // MARK: Answers

    /// A failure of a whole request, now and then.
    private mutating func fault() -> APIFailure? {
        guard isFaulty, dice.oneIn(5) else { return nil }
        count("failed request")
        let codes = [401, 403, 404, 410, 429, 429, 500, 503, 504]
        switch dice.below(4) {
        case 0: return .transport("reset")
        case 1: return .timeout("no answer")
        default:
            let code = codes[dice.below(codes.count)]
            return .status(
                APIStatus(
                    code: code, reason: code == 410 ? "Expired" : "", message: "",
                    retryAfterSeconds: code == 429 && dice.oneIn(2) ? dice.below(4) : nil))
        }
    }

    private mutating func answer(_ query: ListQuery) {
        if let failure = fault() { return fail(failure) }
        let token = (query.continueToken ?? "\(listVersion()):0").split(separator: ":")
        guard token.count == 2, let version = UInt64(token[0]), let start = Int(token[1]),
            let page = server.page(at: version, from: start, limit: query.limit)
        else {
            count("410 in pages")
            return fail(.status(APIStatus(code: 410, reason: "Expired", message: "")))
        }
        request = .none
        take(mirror.accept(page))
        tell(
            .pageReceived(
                resourceVersion: page.resourceVersion, continueToken: page.continueToken,
                count: page.objects.count))
    }

    /// The version of a new list: now and then that of a server that lags, but not for ever.
    private mutating func listVersion() -> UInt64 {
        guard isFaulty, staleLists < 2, dice.oneIn(4) else {
            staleLists = 0
            return server.version
        }
        staleLists += 1
        count("stale list")
        return max(server.compacted + 1, server.version - UInt64(dice.below(10)))
    }

    private mutating func open(_ query: WatchQuery) {
        if let failure = fault() { return fail(failure) }
        lines = WatchLines()
        guard query.sendsInitialEvents else {
            let position = query.resourceVersion.flatMap(UInt64.init) ?? 0
            guard position >= server.compacted else {
                count("410 of a watch")
                if dice.oneIn(2) {
                    return fail(.status(APIStatus(code: 410, reason: "Expired", message: "")))
                }
                request = .watch(position: server.version, opening: "X - 0\n")
                return tell(.watchOpened)
            }
            request = .watch(position: position, opening: "")
            return tell(.watchOpened)
        }
        guard knowsStreaming else {
            return fail(.status(APIStatus(code: 422, reason: "Invalid", message: "")))
        }
        count("streaming list")
        let version = listVersion()
        let objects = server.state(at: version).sorted { $0.key < $1.key }.map {
            ListWatchServer.line(.init(version: $0.value, name: $0.key, isDeletion: false))
        }
        request = .watch(
            position: version,
            opening: objects.joined()
                + ListWatchServer.bookmark(version, endsInitialEvents: true))
        tell(.watchOpened)
    }

    /// Sends what has happened since the position, in pieces, twice, late, or cut off.
    private mutating func stream(from position: UInt64, _ opening: String) {
        now = now + .milliseconds(dice.below(20_000))
        var entries = server.log.filter { $0.version > position }
        if isFaulty, !server.log.isEmpty, dice.oneIn(3) {
            entries.insert(
                server.log[dice.below(server.log.count)], at: dice.below(entries.count + 1))
            count("stale event")
        }
        if isFaulty, let entry = entries.first, dice.oneIn(4) {
            entries.insert(entry, at: 1 + dice.below(entries.count))
            count("duplicate")
        }
        var text = opening + entries.map { ListWatchServer.line($0) }.joined()
        if dice.oneIn(2) || !isFaulty { text += ListWatchServer.bookmark(server.version) }
        var bytes = Array(text.utf8)
        let isCut = isFaulty && dice.oneIn(6)
        if isCut { bytes.removeLast(dice.below(bytes.count + 1)) }
        request = .watch(position: server.version, opening: "")
        while !bytes.isEmpty {
            let piece = Array(bytes.prefix(1 + dice.below(40)))
            bytes.removeFirst(piece.count)
            guard receive(piece) else { return }
        }
        guard case .watch = request else { return }
        if isCut {
            count("cut")
            lines.hasHalfLine || dice.oneIn(2) ? fail(.transport("cut")) : end()
        } else if isFaulty, dice.oneIn(15) {
            end()
        } else if let deadline = machine.nextDeadline, now >= deadline {
            tell(.deadlineReached)
        }
    }

    private mutating func end() {
        request = .none
        tell(.watchEnded)
    }

    /// Takes in a piece; false when the watch is over.
    private mutating func receive(_ piece: [UInt8]) -> Bool {
        do {
            for line in try lines.append(piece) {
                let event = try ListWatchServer.event(line)
                take(mirror.accept(event))
                switch event {
                case .changed(let object):
                    tell(.eventReceived(resourceVersion: object.resourceVersion))
                case .deleted(_, let version): tell(.eventReceived(resourceVersion: version))
                case .bookmark(let version, let ends):
                    tell(.bookmarkReceived(resourceVersion: version, endsInitialEvents: ends))
                case .failed(let status): fail(.status(status))
                }
                guard case .watch = request else { return false }
            }
            return true
        } catch {
            fail(error)
            return false
        }
    }

    // MARK: The follower

    private mutating func fail(_ failure: APIFailure) {
        request = .none
        tell(.failed(failure))
    }

    private mutating func tell(_ event: ListWatch.Event) {
        for action in machine.handle(event, at: now) {
            switch action {
            case .list(let query): request = .page(query)
            case .watch(let query): request = .unopened(query)
            case .close: request = .none
            case .beginReplacing: mirror.beginReplacing()
            case .finishReplacing(let version):
                count("list")
                take(mirror.finishReplacing(at: version))
            case .abandonReplacing: mirror.abandonReplacing()
            case .refreshCredentials, .troubled, .recovered: break
            }
        }
    }

    private mutating func take(_ changes: [ObjectMirror.Change]) {
        for (reference, object) in changes {
            let name = reference.name.name
            guard let object, let version = UInt64(object.resourceVersion) else {
                if belief.removeValue(forKey: name) == nil {
                    violations.append("\(name) is deleted, but was not there")
                }
                continue
            }
            if version <= told[name] ?? 0 {
                violations.append("\(name) goes back from \(told[name] ?? 0) to \(version)")
            }
            told[name] = version
            belief[name] = version
        }
    }
}
