import Kubernetes
import NetworkTypes

/// Something in a world of requests that has a machine.
protocol RateActor: AnyObject {
    var world: RequestRateWorld { get }
    var deadline: Instant? { get }
    /// For when a wake-up is set.
    var armed: Instant? { get set }
    func start()
    func wake()
}

extension RateActor {
    /// Sets a wake-up for the machine's deadline, unless there is one that is early enough.
    func arm() {
        guard let deadline, armed.map({ deadline < $0 }) ?? true else { return }
        armed = deadline
        world.schedule(after: deadline - world.now) { [unowned self] in
            guard armed == deadline else { return }
            armed = nil
            wake()
            arm()
        }
    }
}

/// One follower of one resource.
final class RateFollower: RateActor {
    unowned let world: RequestRateWorld
    private(set) var machine: ListWatch
    var armed: Instant?
    /// Counts requests, so that what belongs to one that was dropped does nothing.
    private var request = 0
    private(set) var isOpen = false

    /// Those of the same process.
    var siblings: [RateFollower] = []

    init(_ world: RequestRateWorld, _ machine: ListWatch) {
        self.world = world
        self.machine = machine
    }

    var deadline: Instant? { machine.nextDeadline }
    func start() { tell(.started(floor: nil)) }
    func wake() { tell(.deadlineReached) }

    /// The connection breaks.
    func lose() {
        guard isOpen else { return }
        isOpen = false
        request += 1
        tell(.failed(.transport("connection reset")))
    }

    func tell(_ event: ListWatch.Event) {
        for action in machine.handle(event, at: world.now) {
            switch action {
            case .list(let query): ask(query)
            case .watch(let query): ask(query)
            case .close:
                request += 1
                isOpen = false
            default: break
            }
        }
        arm()
    }

    /// Tells what comes of the present request, if it still is that.
    private func tell(_ event: ListWatch.Event, of number: Int) {
        if number == request { tell(event) }
    }

    private func ask(_ query: ListQuery) {
        request += 1
        let number = request
        world.ask(.list) { [unowned self] failure in
            if let failure { return tell(.failed(failure), of: number) }
            let read = (query.continueToken.flatMap { Int($0) } ?? 0) + query.limit
            let isBig = [.services, .endpointSlices].contains(machine.settings.resource)
            let isLast = !isBig || read >= world.settings.services
            tell(
                .pageReceived(
                    resourceVersion: "\(world.version)",
                    continueToken: isLast ? nil : "\(read)", count: query.limit), of: number)
        }
    }

    private func ask(_ query: WatchQuery) {
        request += 1
        let number = request
        isOpen = false
        world.ask(.watch) { [unowned self] failure in
            guard number == request else { return }
            if let failure { return tell(.failed(failure)) }
            if query.sendsInitialEvents {
                guard world.settings.knowsStreamingLists else {
                    return tell(
                        .failed(.status(APIStatus(code: 422, reason: "Invalid", message: ""))))
                }
            } else if let version = query.resourceVersion.flatMap({ Int($0) }),
                version < world.forgotten
            {
                return tell(
                    .failed(.status(APIStatus(code: 410, reason: "Expired", message: ""))))
            }
            isOpen = true
            tell(.watchOpened)
            for sibling in siblings where sibling !== self { sibling.tell(.serverReached) }
            if query.sendsInitialEvents {
                world.schedule(after: .milliseconds(50)) { [unowned self] in
                    tell(
                        .bookmarkReceived(
                            resourceVersion: "\(world.version)", endsInitialEvents: true),
                        of: number)
                }
            }
            world.schedule(after: .seconds(query.timeoutSeconds)) { [unowned self] in
                guard number == request else { return }
                isOpen = false
                tell(.watchEnded)
            }
        }
    }
}

/// The Leases of a world.
final class RateLeases {
    var controller: LeaseRecord?
    var version = 0
}

/// A controller's part in the election.
final class RateElection: RateActor {
    unowned let world: RequestRateWorld
    private(set) var machine: LeaderElection
    var armed: Instant?

    init(_ world: RequestRateWorld, _ machine: LeaderElection) {
        self.world = world
        self.machine = machine
    }

    var deadline: Instant? { machine.nextDeadline }
    func start() { tell(.started) }
    func wake() { tell(.deadlineReached) }

    private func tell(_ event: LeaderElection.Event) {
        for action in machine.handle(event, at: world.now) {
            switch action {
            case .read: ask { .observed($0.controller) }
            case .create(let record):
                let sentAt = world.now
                ask { Self.store(record, in: $0, over: nil, sentAt: sentAt) }
            case .update(let record):
                let sentAt = world.now
                ask { Self.store(record, in: $0, over: record.resourceVersion, sentAt: sentAt) }
            case .lead, .stepDown: break
            }
        }
        arm()
    }

    private func ask(_ answer: @escaping (RateLeases) -> LeaderElection.Event) {
        world.ask(.lease) { [unowned self] failure in
            tell(failure.map { .failed($0) } ?? answer(world.leases))
        }
    }

    private static func store(
        _ record: LeaseRecord, in leases: RateLeases, over version: String?, sentAt: Instant
    ) -> LeaderElection.Event {
        guard leases.controller?.resourceVersion == version else {
            return .failed(.status(APIStatus(code: 409, reason: "Conflict", message: "")))
        }
        leases.version += 1
        var stored = record
        stored.resourceVersion = "\(leases.version)"
        leases.controller = stored
        return .renewed(stored, sentAt: sentAt)
    }
}

/// A speaker's Lease with `--fencing lease`.
final class RateFence: RateActor {
    unowned let world: RequestRateWorld
    private var machine: FenceKeeper
    var armed: Instant?

    init(_ world: RequestRateWorld, _ machine: FenceKeeper) {
        self.world = world
        self.machine = machine
    }

    var deadline: Instant? { machine.nextDeadline }
    func start() { tell(.started) }
    func wake() { tell(.deadlineReached) }

    private func tell(_ event: FenceKeeper.Event) {
        for case .renew in machine.handle(event, at: world.now) {
            let sentAt = world.now
            world.ask(.lease) { [unowned self] failure in
                tell(failure == nil ? .renewed(sentAt: sentAt) : .failed)
            }
        }
        arm()
    }
}

/// A speaker's status objects.
final class RateStatuses: RateActor {
    unowned let world: RequestRateWorld
    private(set) var machine: StatusObjects
    var armed: Instant?

    init(_ world: RequestRateWorld, _ machine: StatusObjects) {
        self.world = world
        self.machine = machine
    }

    var deadline: Instant? { machine.nextDeadline }
    func start() {}
    func wake() { tell(.deadlineReached) }

    func tell(_ event: StatusObjects.Event) {
        let time = WallTime(
            nanosecondsSince1970: 1_800_000_000_000_000_000 + UInt64(world.now.nanoseconds))
        for action in machine.handle(event, at: world.now, time: time) {
            guard case .send(let number, let request) = action else { continue }
            world.ask(.status) { [unowned self] failure in
                // A first look finds nothing; what is written is as it was wanted.
                let isFirstLook = request.method == "GET" && request.query.isEmpty
                if let failure {
                    tell(.failed(number, failure))
                } else if isFirstLook {
                    let status = APIStatus(code: 404, reason: "NotFound", message: "")
                    tell(.failed(number, .status(status)))
                } else {
                    tell(.answered(number, Array(#"{"items":[],"metadata":{}}"#.utf8)))
                }
            }
        }
        arm()
    }
}
