import Kubernetes
import NetworkTypes

/// Speakers and controllers of a whole cluster, as far as they ask the API server for something,
/// and that server, on one virtual clock.
///
/// The machines are the real ones. The server is only what decides on their requests: whether it is
/// there, what it still knows of the past, what it can do in a second. It sends no bookmarks, so a
/// watch resumes from where it stood at its last event: that is the worst case after a restart.
final class RequestRateWorld {
    struct Settings {
        var speakers: Int
        var controllers = 2
        var services = 10_000
        var seed: UInt64 = 1
        /// Whether the server knows `sendInitialEvents`.
        var knowsStreamingLists = true
        /// What the server answers in a second; the rest is 429, again in 1 s.
        var capacity = Int.max
        /// Whether speakers keep Leases of their own.
        var hasFences = false
        /// Whether speakers write status objects.
        var hasStatuses = false
    }

    enum Kind: String, CaseIterable {
        case watch, list, lease, allocation, status, refused, tooMany
    }

    static let tick: Duration = .milliseconds(10)
    static let latency: Duration = .milliseconds(5)
    static let speakerResources: [APIResource] =
        [.services, .endpointSlices, .nodes, .secrets] + APIResource.configuration
    static let controllerResources: [APIResource] =
        [.services, .namespaces, .nodes, .secrets] + APIResource.configuration

    let settings: Settings
    private(set) var now = Instant(nanoseconds: 0)
    private var jobs: [[() -> Void]] = [[]]
    private(set) var arrivals: [Kind: [Int]] = [:]
    private(set) var followers: [RateFollower] = []
    private(set) var writers: [any RateActor] = []
    private(set) var statuses: [RateStatuses] = []
    /// The version of the whole store.
    var version = 1000
    /// What happened up to this version the server cannot tell any more.
    var forgotten = 0
    var isDown = false
    let leases = RateLeases()

    init(_ settings: Settings) {
        self.settings = settings
        var seed = settings.seed << 20
        let spread = ListWatch.spread(followers: settings.speakers + settings.controllers)
        func follow(_ resources: [APIResource]) {
            let process = resources.map { resource in
                var watched = ListWatch.Settings(resource: resource)
                watched.spread = spread
                seed += 1
                return RateFollower(self, ListWatch(watched, seed: seed))
            }
            for follower in process { follower.siblings = process }
            followers += process
        }
        for number in 0..<settings.controllers {
            follow(Self.controllerResources)
            writers.append(RateElection(self, LeaderElection(identity: "controller-\(number)")))
        }
        for number in 0..<settings.speakers {
            follow(Self.speakerResources)
            if settings.hasFences { writers.append(RateFence(self, FenceKeeper())) }
            guard settings.hasStatuses else { continue }
            seed += 1
            let machine = StatusObjects(
                role: .speaker(node: "node-\(number)", uid: ""), namespace: "metallb-system",
                manager: "martlet-speaker", seed: seed)
            statuses.append(RateStatuses(self, machine))
        }
        // A rollout takes a while; what all do at the same moment is another story.
        for (number, follower) in followers.enumerated() {
            schedule(after: .milliseconds(number % 1000 * 10)) { follower.start() }
        }
        for (number, writer) in writers.enumerated() {
            schedule(after: .milliseconds(number * 37 % 10_000)) { writer.start() }
        }
    }

    // MARK: Time

    func schedule(after delay: Duration, _ job: @escaping () -> Void) {
        let due = (now - Instant(nanoseconds: 0) + delay).wholeNanoseconds
        let tick = Self.tick.wholeNanoseconds
        let index = max(Int((due + tick - 1) / tick), present)
        while jobs.count <= index { jobs.append([]) }
        jobs[index].append(job)
    }

    private var present = 0

    func run(for duration: Duration) {
        let end = now + duration
        while now < end {
            while jobs.count <= present { jobs.append([]) }
            var number = 0
            while number < jobs[present].count {
                jobs[present][number]()
                number += 1
            }
            jobs[present] = []
            present += 1
            now = now + Self.tick
        }
    }

    var second: Int { Int(now.nanoseconds / 1_000_000_000) }

    /// Requests of these kinds in each second of the past so many.
    func rates(of kinds: [Kind], last seconds: Int) -> [Int] {
        (max(second - seconds, 0)..<second).map { second in
            kinds.reduce(0) { sum, kind in
                let counts = arrivals[kind] ?? []
                return sum + (second < counts.count ? counts[second] : 0)
            }
        }
    }

    func total(of kind: Kind) -> Int { arrivals[kind]?.reduce(0, +) ?? 0 }

    private func count(_ kind: Kind) {
        var counts = arrivals.removeValue(forKey: kind) ?? []
        while counts.count <= second { counts.append(0) }
        counts[second] += 1
        arrivals[kind] = counts
    }

    // MARK: The server

    private var answeredIn = (second: -1, count: 0)

    /// A request on its way there and back.
    func ask(_ kind: Kind, _ answer: @escaping (APIFailure?) -> Void) {
        schedule(after: Self.latency) { [unowned self] in
            answer(decide(kind))
        }
    }

    private func decide(_ kind: Kind) -> APIFailure? {
        guard !isDown else {
            count(.refused)
            return .transport("connection refused")
        }
        if answeredIn.second != second { answeredIn = (second, 0) }
        guard answeredIn.count < settings.capacity else {
            count(.tooMany)
            return .status(
                APIStatus(
                    code: 429, reason: "TooManyRequests", message: "", retryAfterSeconds: 1))
        }
        answeredIn.count += 1
        count(kind)
        return nil
    }

    /// All connections break.
    func breakConnections() { for follower in followers { follower.lose() } }

    /// How many follow what they should.
    var followed: Int { followers.count { $0.isOpen } }

    /// Something changes in the store, and all who watch the resource are told.
    func change(_ resource: APIResource) {
        version += 1
        for follower in followers where follower.machine.settings.resource == resource {
            follower.tell(.eventReceived(resourceVersion: "\(version)"))
        }
    }

    /// What happens elsewhere in the cluster meanwhile.
    func passVersions(_ count: Int) { version += count }
}
