import Kubernetes
import LinuxNetwork
import NetworkTypes

/// A machine that asks a server for things, each request under a number.
protocol RequestingMachine: Sendable {
    associatedtype Event: Sendable

    /// Takes note of what happened and answers what to ask for.
    mutating func requests(after event: Event, at now: Instant) -> [(Int, ObjectRequest)]
    /// When a deadline is to be told.
    var nextDeadline: Instant? { get }
    /// What people should know of what does not work.
    var problems: [Problem] { get }

    static func answered(_ number: Int, _ body: [UInt8]) -> Event
    static func failed(_ number: Int, _ failure: APIFailure) -> Event
    static var deadlineReached: Event { get }
}

/// Carries out what such a machine asks for.
actor RequestRunner<Machine: RequestingMachine> {
    private(set) var machine: Machine
    private let sender: RequestSender
    private let kind: RequestBudget.Class
    private let permit: WritingPermit?
    private let note: @Sendable ([Problem]) async -> Void
    private let alarm = Alarm()
    private var waiting: [(Int, ObjectRequest)] = []
    private var noted: [Problem] = []

    /// - Parameters:
    ///   - permit: without which nothing is sent; `nil` to send whenever there is something.
    ///   - note: told ``RequestingMachine/problems`` whenever they are others.
    init(
        _ machine: Machine, kind: RequestBudget.Class, sender: RequestSender,
        by permit: WritingPermit? = nil, note: @escaping @Sendable ([Problem]) async -> Void
    ) {
        self.machine = machine
        self.kind = kind
        self.sender = sender
        self.permit = permit
        self.note = note
    }

    /// Tells the machine.
    func tell(_ event: Machine.Event) {
        let requests = machine.requests(after: event, at: MonotonicClock.now())
        waiting += requests
        // Also without a request: the next deadline may be another one now.
        alarm.ring()
    }

    /// Sends requests, one after the other, until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            if machine.problems != noted {
                noted = machine.problems
                await note(noted)
            } else if !waiting.isEmpty {
                let (number, request) = waiting.removeFirst()
                tell(await send(number, request))
            } else if let deadline = machine.nextDeadline, deadline <= MonotonicClock.now() {
                tell(Machine.deadlineReached)
            } else {
                await alarm.wait(until: machine.nextDeadline)
            }
        }
    }

    private func send(_ number: Int, _ request: ObjectRequest) async -> Machine.Event {
        do throws(APIFailure) {
            let answer =
                if let permit { try await sender.send(request, kind, by: permit) } else {
                    try await sender.send(request, kind)
                }
            return Machine.answered(number, answer.body)
        } catch {
            return Machine.failed(number, error)
        }
    }
}

/// Sends requests for objects as the budget admits them.
struct RequestSender: Sendable {
    let client: APIClient
    let gate: RequestGate

    /// How long a write may take. It is less than what a leader stops before its Lease ends.
    static let patience = Duration.seconds(4)

    func send(
        _ request: ObjectRequest, _ kind: RequestBudget.Class
    ) async throws(APIFailure) -> APIResponse {
        let prepared = APIRequest(request, timeout: Self.patience)
        if kind == .lease {
            let answer = try await client.send(prepared)
            await gate.noteServerReached()
            return answer
        }
        return try await gate.pass(kind) { () throws(APIFailure) in
            try await client.send(prepared)
        }
    }

    /// The same for what only the controller with the Lease may write. It is looked at last,
    /// because the wait for a turn may be long.
    func send(
        _ request: ObjectRequest, _ kind: RequestBudget.Class, by permit: WritingPermit
    ) async throws(APIFailure) -> APIResponse {
        let answer = try await gate.pass(kind) { () throws(APIFailure) -> APIResponse? in
            guard permit.mayWrite else { return nil }
            return try await client.send(APIRequest(request, timeout: Self.patience))
        }
        guard let answer else {
            throw .transport("the Lease is held by \(permit.leader) now")
        }
        return answer
    }
}

extension APIRequest {
    /// A request for objects as one to send.
    init(_ request: ObjectRequest, timeout: Duration) {
        let query = request.query.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        self.init(
            method: request.method, path: request.path, query: query,
            contentType: request.contentType, body: request.body, timeout: timeout)
    }
}

extension WallTime {
    /// What people's clocks show now.
    static func now() -> WallTime {
        WallTime(nanosecondsSince1970: WallClock.nanosecondsSince1970())
    }
}

extension EventRecorder: RequestingMachine {
    mutating func requests(after event: Event, at now: Instant) -> [(Int, ObjectRequest)] {
        handle(event, at: now, time: .now()).map { action in
            switch action {
            case .send(let number, let request): (number, request)
            }
        }
    }

    static func answered(_ number: Int, _ body: [UInt8]) -> Event { .answered(number) }
    static func failed(_ number: Int, _ failure: APIFailure) -> Event { .failed(number, failure) }
    static var deadlineReached: Event { .deadlineReached }
}

extension StatusObjects: RequestingMachine {
    mutating func requests(after event: Event, at now: Instant) -> [(Int, ObjectRequest)] {
        handle(event, at: now, time: .now()).map { action in
            switch action {
            case .send(let number, let request): (number, request)
            }
        }
    }
    static func answered(_ number: Int, _ body: [UInt8]) -> Event { .answered(number, body) }
    static func failed(_ number: Int, _ failure: APIFailure) -> Event { .failed(number, failure) }
    static var deadlineReached: Event { .deadlineReached }
}
