import FoundationEssentials
import Kubernetes
import LinuxNetwork
import Logging
import NetworkTypes

/// What is known of a cluster behind an API server: takes in what followers read and what writes
/// were answered with, and makes states of it.
///
/// Nothing is shown before everything essential has been read once, or what a former process kept
/// has been taken for it (``showRestored()``). From then on trouble with the server takes nothing
/// away.
actor ClusterMirror {
    /// Who we are.
    struct Settings: Sendable {
        var node: String
        var namespace: String
        var scope: ServiceScope
        var interests: [ResourceInterest]
        /// Whether the endpoints of all Services matter, or only those of ours.
        var carriesTraffic: Bool
    }

    /// Rings when there is something new to show.
    nonisolated let changed = Doorbell()
    /// Rings when everything essential has been read once.
    nonisolated let synced = Doorbell()
    /// The same, for the election of who writes.
    nonisolated let electable = Doorbell()

    private let settings: Settings
    private let journal: ClusterJournal?
    private let gossipKeys: @Sendable ([UInt8]?) -> Void
    private let tally: RequestTally?
    private var mirrors: [ResourceInterest: ObjectMirror] = [:]
    private var assembler: ServerAssembler
    /// What the assembler made of what was taken in; `nil` when more was since. It is made when
    /// somebody asks, so that a long list is not put together anew for each piece of it.
    private var assembled: ClusterSnapshot?
    private var unsynced: Set<ResourceInterest>
    private var troubles: [ResourceInterest: (trouble: APITrouble, since: Date)] = [:]
    /// What else is wrong, by what it is about.
    private var otherProblems: [String: [Problem]] = [:]
    private var isRestoredShown = false
    private var restoredAt: Date?

    /// What Services have been given, as they say themselves.
    private var given: [ObjectName: ServiceAllocation] = [:]
    private var conditions: [ObjectName: [StatusCondition]] = [:]
    /// What pools are to say: while we allocate what we decided, else what they do say.
    private var poolStatus: [String: PoolStatus] = [:]
    /// What they do say.
    private var poolsSeen: [String: PoolStatus] = [:]
    private var speakers: [String: SpeakerRecord] = [:]
    private(set) var isLeader = false
    private var term = 0

    /// What a pool's status says, or is about to.
    struct PoolStatus: Equatable {
        var figures: PoolFigures?
        var reservations: [ObjectName: Reservation] = [:]
    }

    /// Addresses kept back for a Service that is gone.
    struct Reservation: Equatable {
        var addresses: [IPAddress]
        var until: Date
    }

    /// - Parameters:
    ///   - tally: counts what is taken in.
    ///   - gossipKeys: told the text of the key file when the Secret that holds it is read.
    init(
        settings: Settings, journal: ClusterJournal?, tally: RequestTally? = nil,
        gossipKeys: @escaping @Sendable ([UInt8]?) -> Void
    ) {
        self.settings = settings
        self.tally = tally
        self.journal = journal
        self.gossipKeys = gossipKeys
        assembler = ServerAssembler(
            configurationNamespace: settings.namespace,
            endpoints: settings.carriesTraffic ? .all : .loadBalancersOnly)
        for interest in settings.interests {
            mirrors[interest] = ObjectMirror(resource: interest.resource)
        }
        unsynced = Set(settings.interests)
    }

    /// Whether objects are to come with their text.
    nonisolated var keepsTexts: Bool { journal != nil }

    // MARK: What followers read

    func accept(_ page: ObjectPage, of interest: ResourceInterest) {
        edit(interest) { $0.accept(page) }
    }

    func accept(_ events: [WatchEvent], of interest: ResourceInterest) {
        edit(interest) { mirror in events.flatMap { mirror.accept($0) } }
    }

    /// What the server answered to a write of ours.
    func accept(written object: APIObject, of resource: APIResource) {
        guard let interest = settings.interests.first(where: { $0.resource == resource }) else {
            return
        }
        edit(interest) { $0.accept(written: object) }
    }

    /// Objects of a list that was asked for beside the followers; older ones change nothing.
    func accept(listed objects: [APIObject], of resource: APIResource) {
        guard let interest = settings.interests.first(where: { $0.resource == resource }) else {
            return
        }
        edit(interest) { mirror in objects.flatMap { mirror.accept(written: $0) } }
    }

    func beginReplacing(_ interest: ResourceInterest) { mirrors[interest]?.beginReplacing() }

    func abandonReplacing(_ interest: ResourceInterest) { mirrors[interest]?.abandonReplacing() }

    func finishReplacing(_ interest: ResourceInterest, at version: String) {
        edit(interest) { $0.finishReplacing(at: version) }
        settle(interest)
        journal?.note(version: version, of: interest.path)
    }

    private func edit(
        _ interest: ResourceInterest, _ body: (inout ObjectMirror) -> [ObjectMirror.Change]
    ) {
        guard var mirror = mirrors.removeValue(forKey: interest) else { return }
        let changes = body(&mirror)
        mirrors[interest] = mirror
        guard !changes.isEmpty else { return }
        take(changes)
        tally?.noteUpdates(
            changes.count, unreadable: changes.count { $0.1.map { $0.value == nil } ?? false })
        journal?.append(changes.filter { !Self.isGossipSecret($0.0) })
        show()
    }

    /// An interest that has been read once, or is known to be out of reach.
    private func settle(_ interest: ResourceInterest) {
        guard unsynced.remove(interest) != nil else { return }
        if isSynced {
            restoredAt = nil
            journal?.confirm(at: .now())
            synced.ring()
            electable.ring()
        }
        show()
    }

    /// Whether everything has been read once.
    var isSynced: Bool { unsynced.isEmpty }
    private var isShowing: Bool { isSynced || isRestoredShown }

    private func show() {
        if isShowing { changed.ring() }
    }

    // MARK: Trouble

    func note(_ trouble: APITrouble, of interest: ResourceInterest) {
        let since = troubles[interest]?.since ?? Date()
        troubles[interest] = (trouble, since)
        // What is refused, or does not exist, will not come by waiting: the rest goes on without.
        let isRefused = [403, 404].contains(trouble.failure.code)
        if isRefused && !interest.isEssential { settle(interest) }
        show()
    }

    func noteRecovery(of interest: ResourceInterest) {
        guard troubles.removeValue(forKey: interest) != nil else { return }
        show()
    }

    /// Something else that people should know; `nil` when it is over.
    func note(_ problem: Problem?, about subject: String) {
        note([problem].compactMap(\.self), about: subject)
    }

    /// The same for several.
    func note(_ problems: [Problem], about subject: String) {
        guard otherProblems[subject] ?? [] != problems else { return }
        otherProblems[subject] = problems.isEmpty ? nil : problems
        show()
    }

    /// The first trouble, in words, for one who waits to begin.
    var firstTrouble: Problem? {
        troubles.sorted { "\($0.key.resource)" < "\($1.key.resource)" }.first?.value.trouble.problem
    }

    // MARK: What a former process kept

    /// Takes in objects of a former process, before anything is read. They are shown only by
    /// ``showRestored()``.
    func restore(_ objects: [APIObject], from date: Date) {
        guard !objects.isEmpty else { return }
        for interest in settings.interests {
            mirrors[interest]?.restore(objects.filter { interest.covers($0.reference) })
        }
        take(objects.map { ($0.reference, $0) })
        restoredAt = date
    }

    /// The version that what was taken in of an interest is not older than.
    func floor(of interest: ResourceInterest) -> String? { mirrors[interest]?.resourceVersion }

    /// Shows what a former process kept, until the server has been read. False when there is
    /// nothing.
    func showRestored() -> Bool {
        guard restoredAt != nil, !isSynced else { return false }
        isRestoredShown = true
        show()
        return true
    }

    // MARK: Our own

    func lead(_ leads: Bool) {
        guard isLeader != leads else { return }
        isLeader = leads
        if leads {
            term += 1
            for status in poolStatus.values {
                for name in status.reservations.keys { endReservation(of: name) }
            }
        }
        show()
    }

    func publish(_ record: SpeakerRecord?) {
        speakers = record.map { [$0.node: $0] } ?? [:]
        show()
    }

    /// Whether what is shown is what is so, as far as anybody can know.
    var isCurrent: Bool { isSynced && outage == nil }

    /// What a patch of a Service is held against.
    func identity(of service: ObjectName) -> (service: Service, version: String)? {
        guard let object = snapshot.services[service],
            let interest = settings.interests.first(where: { $0.resource == .services }),
            let version = mirrors[interest]?.version(of: service)
        else { return nil }
        return (object, version)
    }

    /// What pools' statuses are to say from now on: figures and reservations as decided.
    func decide(_ edits: [PoolEdit]) -> Set<String> {
        var touched: Set<String> = []
        for edit in edits {
            switch edit {
            case .figures(let pool, let figures):
                guard poolStatus[pool]?.figures != figures else { continue }
                poolStatus[pool, default: PoolStatus()].figures = figures
                touched.insert(pool)
                if figures == nil { poolStatus[pool] = nil }
            case .reserve(let pool, let service, let reservation):
                guard poolStatus[pool]?.reservations[service] != reservation else { continue }
                poolStatus[pool, default: PoolStatus()].reservations[service] = reservation
                touched.insert(pool)
            case .forget(let service):
                for (pool, status) in poolStatus where status.reservations[service] != nil {
                    poolStatus[pool]?.reservations[service] = nil
                    touched.insert(pool)
                }
            }
        }
        if !touched.isEmpty { show() }
        return touched
    }

    enum PoolEdit: Sendable {
        case figures(String, PoolFigures?)
        case reserve(pool: String, ObjectName, Reservation)
        case forget(ObjectName)
    }

    /// The pools whose statuses do not say what was decided.
    func outdatedPools() -> [(String, PoolStatus)] {
        guard isLeader else { return [] }
        return poolStatus.filter { name, status in
            status.figures != nil && poolsSeen[name] != status
                && snapshot.configuration.pools[name] != nil
        }.sorted { $0.key < $1.key }
    }

    /// A pool's status was written. Only the figures count where a server keeps no more.
    func noteWritten(_ status: PoolStatus, ofPool name: String) { poolsSeen[name] = status }

    /// What a Service says of itself in a condition of ours.
    func condition(_ type: String, of service: ObjectName) -> StatusCondition? {
        conditions[service]?.first { $0.type == type }
    }

    /// Whether a Service says already what was decided: a state that was handed out may be some
    /// writes behind.
    func says(_ allocation: ServiceAllocation?, of service: ObjectName) -> Bool {
        let nothing = ServiceAllocation(addresses: [], pool: "")
        return (given[service] ?? nothing) == (allocation ?? nothing)
    }

    /// How many nodes the cluster has, for whatever is spread over them.
    var nodeCount: Int { snapshot.nodes.count }

    // MARK: States

    /// The state as it is; `nil` while nothing may be shown.
    func state() -> ClusterState? {
        guard isShowing else { return nil }
        var state = ClusterState()
        state.snapshot = snapshot
        let problems = troubleProblems
        let others = otherProblems.sorted { $0.key < $1.key }.flatMap(\.value)
        if !problems.isEmpty || !others.isEmpty { state.snapshot.problems += problems + others }
        state.allocations = given
        for (pool, status) in poolStatus {
            if let figures = status.figures { state.status.pools[pool] = figures }
            for (service, kept) in status.reservations where !snapshot.services.contains(service) {
                state.allocations[service] = ServiceAllocation(
                    addresses: kept.addresses, pool: pool, reservedUntil: kept.until)
            }
        }
        state.status.conditions = conditions
        state.speakers = speakers
        state.isLeader = isLeader
        state.term = term
        state.isComplete = isSynced
        state.isRestored = !isSynced
        state.lastGoodSince = restoredAt ?? outage
        return state
    }

    /// What is refused, resource by resource; a server that cannot be reached is one problem.
    private var troubleProblems: [Problem] {
        let refused = troubles.values.filter { $0.trouble.failure.code != nil }
            .map(\.trouble.problem).sorted { $0.object < $1.object }
        let unreached = troubles.filter { $0.value.trouble.failure.code == nil }
            .sorted { $0.key.path < $1.key.path }
        guard let first = unreached.first?.value.trouble.failure else { return refused }
        let since = unreached.map(\.value.since).min().map { WallTime($0).seconds } ?? ""
        return [
            Problem(
                .warning, object: "API server",
                rule: "since \(since) \(unreached.count) of \(settings.interests.count) resources "
                    + "cannot be followed: \(first.explanation)",
                remedy: "what was last known goes on working; look at the server and the way to it")
        ] + refused
    }

    /// Since when something essential cannot be followed.
    private var outage: Date? {
        troubles.filter { $0.key.isEssential }.map(\.value.since).min()
    }

    // MARK: Objects

    /// The cluster as it is after everything that was taken in.
    private var snapshot: ClusterSnapshot {
        if let assembled { return assembled }
        let made = assembler.snapshot()
        assembled = made
        return made
    }

    private func take(_ changes: [ObjectMirror.Change]) {
        assembled = nil
        assembler.apply(changes)
        for (reference, object) in changes {
            switch reference.kind {
            case "Service": takeService(reference.name, object)
            case "IPAddressPool": takePool(reference.name.name, object)
            case "Secret" where Self.isGossipSecret(reference):
                if case .secret(let secret)? = object?.value {
                    gossipKeys(secret.values[GossipSecret.key])
                }
            default: break
            }
        }
    }

    private func takeService(_ name: ObjectName, _ object: APIObject?) {
        guard let object else {
            given[name] = nil
            conditions[name] = nil
            return
        }
        guard case .service(let service)? = object.value else { return }
        guard !isForeign(service) else {
            given[name] = nil
            conditions[name] = nil
            return
        }
        let pool = service.annotation(.allocatedFromPool)
        // An address without our mark counts for a Service that is ours; others are none of ours.
        let isOurs = pool != nil || settings.scope.exclusion(of: service) == nil
        let addresses = service.ingress.map(\.address)
        given[name] =
            isOurs && (pool != nil || !addresses.isEmpty)
            ? ServiceAllocation(addresses: addresses, pool: pool ?? "") : nil
        endReservation(of: name)
        if case .service(let found) = object.status {
            let own = found.compactMap { StatusCondition($0) }
            conditions[name] = own.isEmpty ? nil : own
        } else {
            conditions[name] = nil
        }
    }

    /// Whether whatever a Service says of addresses is another controller's word.
    ///
    /// Everybody who speaks this language writes the same mark and conditions, so on a Service of
    /// another class they are taken for those of who serves that class. What we left behind on one
    /// that was ours before our eyes is ours to clear away; its address went with the change.
    private func isForeign(_ service: Service) -> Bool {
        guard case .otherClass = settings.scope.exclusion(of: service) else { return false }
        let wasOurs = given[service.name] != nil || conditions[service.name] != nil
        return !wasOurs || !service.ingress.isEmpty
    }

    /// A Service that has come back and has addresses needs none kept back.
    private func endReservation(of name: ObjectName) {
        guard isLeader, let own = given[name], !own.addresses.isEmpty else { return }
        for (pool, status) in poolStatus where status.reservations[name] != nil {
            poolStatus[pool]?.reservations[name] = nil
        }
    }

    private func takePool(_ name: String, _ object: APIObject?) {
        guard let object else {
            poolStatus[name] = nil
            poolsSeen[name] = nil
            return
        }
        let seen = PoolStatus(object.status)
        poolsSeen[name] = seen
        // While we allocate, what we decided counts: the server's word may be older.
        if !isLeader { poolStatus[name] = seen }
    }

    private static func isGossipSecret(_ reference: ManifestObject.Reference) -> Bool {
        reference.kind == "Secret" && reference.name.name == GossipSecret.name
    }
}

extension ClusterMirror.PoolStatus {
    /// What a pool's status says, as far as it is ours to read.
    fileprivate init(_ status: APIObjectStatus) {
        guard case .pool(let used4, let used6, let left4, let left6, let kept) = status else {
            return
        }
        if let used4, let used6, let left4, let left6 {
            figures = PoolFigures(
                assignedIPv4: used4, assignedIPv6: used6, availableIPv4: left4,
                availableIPv6: left6)
        }
        for reservation in kept {
            guard let until = reservation.until.rfc3339 else {
                // Somebody else's writing: without an end it reserves nothing.
                continue
            }
            reservations[reservation.service] = ClusterMirror.Reservation(
                addresses: reservation.addresses.compactMap { IPAddress($0) }, until: until)
        }
    }
}

extension String {
    /// The point in time that RFC 3339 text names, to the second; `nil` when it is none.
    fileprivate var rfc3339: Date? {
        // What is no date has no other answer than none.
        try? Date(self, strategy: .iso8601)
    }
}

extension StatusCondition {
    /// What conditions of ours are called on objects that others write to as well.
    static let prefix = "martlet.dev/"

    /// One of ours, as an object shows it.
    init?(_ condition: APIObjectStatus.Condition) {
        guard condition.type.hasPrefix(Self.prefix) else { return nil }
        self.init(
            type: String(condition.type.dropFirst(Self.prefix.count)), status: condition.isTrue,
            reason: condition.reason, message: condition.message)
        since = condition.lastTransitionTime.rfc3339
    }
}
