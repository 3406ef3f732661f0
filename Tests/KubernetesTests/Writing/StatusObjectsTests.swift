import NetworkTypes
import Testing

@testable import Kubernetes

/// A machine, a clock, and a server that keeps what it is told.
private struct Bench {
    var machine: StatusObjects
    var server = ToyServer()
    var now = Instant(nanoseconds: 0)
    var requests: [(at: Instant, request: ObjectRequest)] = []
    private var waiting: (Int, ObjectRequest)?

    init(
        _ role: StatusObjects.Role = .speaker(node: "n1", uid: "u-n1"), nodes: Int = 3,
        services: Int = 10, seed: UInt64 = 1
    ) {
        machine = StatusObjects(
            role: role, namespace: "metallb-system", manager: "martlet-speaker", seed: seed)
        handle(.sized(nodes: nodes, services: services))
    }

    mutating func handle(_ event: StatusObjects.Event) {
        let time = WallTime(
            nanosecondsSince1970: 1_767_323_045_000_000_000 + UInt64(now.nanoseconds))
        for case .send(let number, let request) in machine.handle(event, at: now, time: time) {
            #expect(waiting == nil, "two requests at a time")
            requests.append((now, request))
            waiting = (number, request)
        }
    }

    /// Lets the server work and time pass until nothing is due any more, or the time is over.
    mutating func settle(within limit: Duration = .seconds(600)) {
        let end = now + limit
        while true {
            if let (number, request) = waiting {
                waiting = nil
                now = now + .milliseconds(3)
                switch server.answer(request) {
                case .success(let body): handle(.answered(number, body))
                case .failure(let failure): handle(.failed(number, failure))
                }
            } else if let due = machine.nextDeadline, due <= end {
                now = max(now, due)
                handle(.deadlineReached)
            } else {
                return
            }
        }
    }

    mutating func want(
        _ interfaces: [String: Set<String>] = [:], peers: [String: Set<String>] = [:],
        problems: [Problem] = []
    ) {
        func named(_ table: [String: Set<String>]) -> [ObjectName: Set<String>] {
            Dictionary(
                uniqueKeysWithValues: table.map { (ObjectName(namespace: "shop", $0), $1) })
        }
        handle(
            .wanted(
                .init(interfaces: named(interfaces), peers: named(peers), problems: problems)))
    }
}

/// As much of an API server as these objects need.
private struct ToyServer {
    struct Object: Equatable {
        var name: String
        var frame: String
        var status: String?
    }

    var objects: [String: [String: Object]] = [:]
    /// What goes wrong with the next requests: a failure, and whether the request is carried out.
    var faults: [(APIFailure, carriedOut: Bool)] = []
    /// Answers to every request for a resource.
    var refusals: [String: Int] = [:]

    mutating func answer(_ request: ObjectRequest) -> Result<[UInt8], APIFailure> {
        if let code = refusals[request.resource.plural] { return .failure(Self.status(code)) }
        let fault = faults.isEmpty ? nil : faults.removeFirst()
        if let fault, !fault.carriedOut { return .failure(fault.0) }
        let result = carryOut(request)
        return fault.map { .failure($0.0) } ?? result
    }

    private mutating func carryOut(_ request: ObjectRequest) -> Result<[UInt8], APIFailure> {
        let plural = request.resource.plural
        let parts = request.path.split(separator: "/").map(String.init)
        let rest = parts.drop { $0 != plural }.dropFirst()
        let body = String(decoding: request.body ?? [], as: UTF8.self)
        switch (request.method, rest.first) {
        case ("GET", nil):
            let items = (objects[plural] ?? [:]).values.sorted { $0.name < $1.name }
                .map(Self.text).joined(separator: ",")
            return .success(Array(#"{"metadata":{},"items":[\#(items)]}"#.utf8))
        case ("GET", let name?):
            guard let object = objects[plural]?[name] else { return .failure(Self.status(404)) }
            return .success(Array(Self.text(object).utf8))
        case ("POST", _):
            let node = try? JSONDocument.node(request.body ?? [])
            guard let name = node.flatMap({ Fields($0) })?.fields("metadata")?["name"] else {
                return .failure(Self.status(400))
            }
            guard objects[plural]?[name] == nil else { return .failure(Self.status(409)) }
            objects[plural, default: [:]][name] = Object(name: name, frame: body)
            return .success(Array(body.utf8))
        case ("PATCH", let name?):
            #expect(rest.last == "status")
            guard objects[plural]?[name] != nil else { return .failure(Self.status(404)) }
            objects[plural]?[name]?.status = body
            return .success(Array("{}".utf8))
        case ("DELETE", let name?):
            guard objects[plural]?.removeValue(forKey: name) != nil else {
                return .failure(Self.status(404))
            }
            return .success(Array("{}".utf8))
        default: return .failure(Self.status(405))
        }
    }

    static func status(_ code: Int, retryAfter: Int? = nil) -> APIFailure {
        .status(
            APIStatus(
                code: code, reason: "", message: "no", retryAfterSeconds: retryAfter))
    }

    /// Both halves of an object as one.
    private static func text(_ object: Object) -> String {
        guard let status = object.status else { return object.frame }
        return object.frame.dropLast() + "," + status.dropFirst()
    }

    /// The status of each object of a kind, by the Service it is about.
    func said(_ resource: APIResource) -> [String: [String]] {
        var said: [String: [String]] = [:]
        for object in (objects[resource.plural] ?? [:]).values {
            guard let status = object.status,
                let fields = (try? JSONDocument.node(Array(status.utf8)))
                    .flatMap({ Fields($0) })?.fields("status")
            else {
                said["?" + object.name] = []
                continue
            }
            said[fields["serviceName"] ?? "?"] =
                fields.list("interfaces").compactMap { Fields($0)?["name"] }
                + fields.texts("peers")
        }
        return said
    }

    var verdict: Fields? {
        guard let object = objects["configurationstates"]?.values.first, let text = object.status,
            let node = try? JSONDocument.node(Array(text.utf8))
        else { return nil }
        return Fields(node)?.fields("status")
    }
}

@Suite("Status objects")
struct StatusObjectsTests {
    private static let fault = Problem(
        .error, object: "IPAddressPool metallb-system/main", field: "spec.addresses[0]",
        rule: "overlaps pool other", remedy: "take it out of one")

    @Test("what is so on the wire comes to be on the server, and goes with it")
    func follows() {
        var bench = Bench()
        bench.want(["web": ["eth1", "eth0"], "db": ["eth0"]], peers: ["web": ["tor-1"]])
        bench.settle()
        #expect(
            bench.server.said(.serviceL2Statuses) == ["web": ["eth0", "eth1"], "db": ["eth0"]])
        #expect(bench.server.said(.serviceBGPStatuses) == ["web": ["tor-1"]])
        bench.want(["db": ["eth1"]])
        bench.settle()
        #expect(bench.server.said(.serviceL2Statuses) == ["db": ["eth1"]])
        #expect(bench.server.said(.serviceBGPStatuses) == [:])
        #expect(bench.machine.nextDeadline == nil)
    }

    @Test("an object bears the labels that people select by, and belongs to its Node")
    func frame() throws {
        var bench = Bench()
        bench.want(["web": ["eth0"]])
        bench.settle()
        let object = try #require(bench.server.objects["servicel2statuses"]?.values.first)
        #expect(object.name.hasPrefix("l2-") && object.name.utf8.count == 19)
        #expect(
            object.frame.contains(
                #""labels":{"metallb.io/node":"n1","metallb.io/service-name":"web","#
                    + #""metallb.io/service-namespace":"shop"},"ownerReferences":["#
                    + #"{"apiVersion":"v1","kind":"Node","name":"n1","uid":"u-n1"}]"#))
        #expect(
            bench.server.objects["configurationstates"]?.keys.sorted() == ["speaker-n1"])
    }

    @Test("what a former process wrote is kept where right, and put right where not")
    func restart() {
        var first = Bench()
        first.want(["web": ["eth0"], "db": ["eth0"], "old": ["eth0"]])
        first.settle()
        var second = Bench()
        second.server = first.server
        // And what another program left, which bears our node's label.
        second.server.objects["servicel2statuses"]?["l2-x7k2p"] = .init(
            name: "l2-x7k2p",
            frame: #"{"metadata":{"name":"l2-x7k2p","labels":{"metallb.io/node":"n1"}}}"#)
        // And of another node, which a server's selector would have left out.
        second.server.objects["servicel2statuses"]?["l2-other"] = .init(
            name: "l2-other",
            frame: #"{"metadata":{"name":"l2-other","labels":{"metallb.io/node":"n2"}}}"#)
        second.want(["web": ["eth0"], "db": ["eth1"]])
        second.settle()
        #expect(
            second.server.said(.serviceL2Statuses)
                == ["web": ["eth0"], "db": ["eth1"], "?l2-other": []])
        let writes = second.requests.filter { $0.request.method != "GET" }
        #expect(writes.map(\.request.method).sorted() == ["DELETE", "DELETE", "PATCH"])
    }

    @Test("the configuration's verdict names each error once, and since when it is so")
    func verdict() {
        var bench = Bench(.controller)
        bench.want()
        bench.settle()
        #expect(bench.server.verdict?["result"] == "Valid")
        bench.now = bench.now + .seconds(100)
        let warning = Problem(.warning, object: "BGPPeer a", rule: "r", remedy: "x")
        bench.want(problems: [Self.fault, Self.fault, warning])
        bench.settle()
        let summary =
            "IPAddressPool metallb-system/main: spec.addresses[0]: overlaps pool other; "
            + "take it out of one"
        #expect(bench.server.verdict?["result"] == "Invalid")
        #expect(bench.server.verdict?["errorSummary"] == summary)
        let since = bench.server.verdict?.list("conditions").first.flatMap { Fields($0) }
        #expect(since?["status"] == "False")
        let first = since?["lastTransitionTime"]
        // Another error changes the text, not since when the configuration is wrong.
        var other = Self.fault
        other.rule = "is empty"
        bench.now = bench.now + .seconds(100)
        bench.want(problems: [other])
        bench.settle()
        let later = bench.server.verdict?.list("conditions").first.flatMap { Fields($0) }
        #expect(later?["lastTransitionTime"] == first && first != nil)
        #expect(bench.requests.allSatisfy { $0.request.resource == .configurationStates })
    }

    @Test("a node makes five requests a second at the most, and thousands make few each")
    func paced() {
        for (nodes, expected) in [(3, Duration.milliseconds(200)), (5000, .seconds(18))] {
            var bench = Bench(nodes: nodes, services: 1)
            bench.want(
                Dictionary(uniqueKeysWithValues: (0..<30).map { ("s\($0)", ["eth0"]) }))
            bench.settle(within: .seconds(3600))
            #expect(bench.server.said(.serviceL2Statuses).count == 30)
            let gaps = zip(bench.requests, bench.requests.dropFirst()).map { $1.at - $0.at }
            #expect(gaps.allSatisfy { $0 >= expected })
        }
    }

    @Test("a change that concerns every node at once is spread over time")
    func spread() {
        let firsts = (0..<UInt64(200)).map { seed in
            var bench = Bench(nodes: 2000, services: 1, seed: seed)
            bench.want()
            bench.settle(within: .seconds(20))
            return bench.requests[0].at.nanoseconds
        }
        // 2,000 nodes take ten seconds for a request each.
        #expect((firsts.max() ?? 0) > 9_000_000_000)
        #expect(firsts.count { $0 < 1_000_000_000 } < 40)
    }

    @Test("ServiceBGPStatus is given up where nodes × Services are too many, and comes back")
    func tooMany() {
        var bench = Bench(nodes: 100, services: 200)
        bench.want(peers: ["web": ["tor-1"]])
        bench.settle()
        #expect(bench.server.said(.serviceBGPStatuses) == ["web": ["tor-1"]])
        #expect(bench.machine.problems.isEmpty)
        bench.handle(.sized(nodes: 100, services: 201))
        bench.settle()
        #expect(bench.server.said(.serviceBGPStatuses) == [:])
        #expect(bench.machine.problems.map(\.severity) == [.notice])
        bench.handle(.sized(nodes: 100, services: 199))
        bench.settle()
        #expect(bench.server.said(.serviceBGPStatuses) == [:])
        bench.handle(.sized(nodes: 100, services: 150))
        bench.settle()
        #expect(bench.server.said(.serviceBGPStatuses) == ["web": ["tor-1"]])
    }

    @Test("an object that somebody deleted is made again when it is to change")
    func deletedMeanwhile() {
        var bench = Bench()
        bench.want(["web": ["eth0"], "db": ["eth0"]])
        bench.settle()
        bench.server.objects["servicel2statuses"] = [:]
        bench.want(["web": ["eth1"]])
        bench.settle()
        #expect(bench.server.said(.serviceL2Statuses) == ["web": ["eth1"]])
    }

    @Test("what another wrote meanwhile is put right by one who is told to doubt it")
    func doubted() {
        var bench = Bench(.controller)
        bench.want()
        bench.settle()
        #expect(bench.server.verdict?["result"] == "Valid")
        let own = bench.server.objects
        var other = Bench(.controller)
        other.server.objects = own
        other.want(problems: [Self.fault])
        other.settle()
        #expect(other.server.verdict?["result"] == "Invalid")
        bench.server.objects = other.server.objects
        bench.want()
        bench.settle()
        #expect(bench.server.verdict?["result"] == "Invalid", "it cannot know")
        bench.handle(.doubted)
        bench.settle()
        #expect(bench.server.verdict?["result"] == "Valid")
    }

    @Test("a kind that is not installed is told of, waits, and harms no other")
    func notInstalled() {
        var bench = Bench()
        bench.server.refusals["servicebgpstatuses"] = 404
        bench.want(["web": ["eth0"]], peers: ["web": ["tor-1"]])
        bench.settle(within: .seconds(300))
        #expect(bench.server.said(.serviceL2Statuses) == ["web": ["eth0"]])
        #expect(bench.machine.problems.map(\.object) == ["servicebgpstatuses.metallb.io"])
        #expect(bench.requests.count < 20)
        bench.server.refusals = [:]
        bench.settle()
        #expect(bench.server.said(.serviceBGPStatuses) == ["web": ["tor-1"]])
        #expect(bench.machine.problems.isEmpty)
    }

    @Test("a verb that is missing is named")
    func forbidden() {
        var bench = Bench(.controller)
        bench.server.refusals["configurationstates"] = 403
        bench.want()
        bench.settle(within: .seconds(20))
        #expect(
            bench.machine.problems.map(\.remedy)
                == ["allow get on configurationstates.metallb.io in namespace metallb-system"])
    }

    @Test("a value that the server refuses is not offered again, another one is")
    func refused() {
        var bench = Bench()
        bench.want(["web": ["eth0"]])
        bench.settle()
        bench.want(["web": ["eth1"]])
        bench.server.faults = [(ToyServer.status(422), carriedOut: false)]
        bench.settle()
        let count = bench.requests.count
        #expect(bench.machine.problems.count == 1)
        bench.want(["web": ["eth1"], "db": ["eth0"]])
        bench.settle()
        #expect(bench.requests.count == count + 2)
        bench.want(["web": ["eth2"], "db": ["eth0"]])
        bench.settle()
        #expect(bench.server.said(.serviceL2Statuses)["web"] == ["eth2"])
        #expect(bench.machine.problems.isEmpty)
    }

    @Test("long names of nodes fit into labels and stay apart")
    func longNames() {
        let names = ["a", "b"].map { String(repeating: "node.", count: 40) + $0 }
        let labels = names.map { StatusLabel.shortened($0, to: StatusLabel.longest) }
        #expect(labels.allSatisfy { $0.utf8.count == 63 })
        #expect(labels[0] != labels[1])
        #expect(StatusLabel.shortened("n1", to: 63) == "n1")
        // The names must never change between versions: objects would be left behind.
        #expect(StatusLabel.hash("n1", "shop", "web") == StatusLabel.hash("n1", "shop", "web"))
        #expect(StatusLabel.hash("n1", "shop", "web") != StatusLabel.hash("n1", "shopw", "eb"))
    }

    @Test("whatever goes wrong on the way, the server ends as it should", arguments: UInt64(0)..<60)
    func faults(seed: UInt64) {
        var bench = Bench(seed: seed)
        var random = RetryPace(seed: seed &* 77 &+ 5)
        func draw(_ bound: Int) -> Int {
            Int(random.moment(within: .nanoseconds(bound)).wholeNanoseconds)
        }
        var wanted: [String: Set<String>] = [:]
        var peers: [String: Set<String>] = [:]
        for _ in 0..<40 {
            for _ in 0..<draw(4) {
                let service = "s\(draw(6))"
                wanted[service] = draw(3) == 0 ? nil : ["eth\(draw(3))"]
                peers[service] = draw(3) == 0 ? nil : ["tor-\(draw(3))"]
            }
            bench.want(wanted, peers: peers, problems: draw(4) == 0 ? [Self.fault] : [])
            let failures: [APIFailure] = [
                .timeout("no answer"), .transport("broken"), ToyServer.status(500),
                ToyServer.status(429, retryAfter: 2), ToyServer.status(503),
                .credentials("expired"),
            ]
            bench.server.faults = (0..<draw(4)).map { _ in
                (failures[draw(failures.count)], carriedOut: draw(2) == 0)
            }
            if draw(5) == 0, let name = bench.server.objects["servicel2statuses"]?.keys.min() {
                // Somebody deletes one; it is seen when it changes.
                bench.server.objects["servicel2statuses"]?[name] = nil
                let touched = Set(wanted.keys)
                for service in touched { wanted[service]?.insert("eth\(9)") }
                bench.want(wanted, peers: peers)
            }
            bench.settle(within: .seconds(draw(40)))
        }
        bench.server.faults = []
        for service in wanted.keys { wanted[service] = ["last"] }
        bench.want(wanted, peers: peers)
        bench.settle()
        let expected = wanted.mapValues { $0.sorted() }
        #expect(bench.server.said(.serviceL2Statuses) == expected, "seed \(seed)")
        #expect(bench.server.said(.serviceBGPStatuses) == peers.mapValues { $0.sorted() })
        #expect(bench.server.verdict?["result"] == "Valid")
        #expect(bench.machine.problems.isEmpty)
    }
}
