import NetworkTypes
import Testing

@testable import Kubernetes

/// A recorder with a clock, and the requests it made.
private struct Bench {
    var recorder: EventRecorder
    var now = Instant(nanoseconds: 0)
    var sent: [(number: Int, request: ObjectRequest)] = []

    init(queueLimit: Int = 4096) {
        recorder = EventRecorder(
            manager: "martlet-controller", instance: "pod-1", seed: 7, queueLimit: queueLimit)
    }

    private var time: WallTime {
        WallTime(
            nanosecondsSince1970: 1_767_323_045_000_000_000 + UInt64(now.nanoseconds))
    }

    mutating func handle(_ event: EventRecorder.Event) {
        for case .send(let number, let request) in recorder.handle(event, at: now, time: time) {
            sent.append((number, request))
        }
    }

    mutating func tell(_ note: String = "assigned", of service: String = "web") {
        handle(
            .told(
                .init(
                    service: ObjectName(namespace: "shop", service), uid: "u-\(service)",
                    isWarning: false, reason: "IPAllocated", note: note)))
    }

    /// Answers the last request.
    mutating func answer() { if let last = sent.last { handle(.answered(last.number)) } }

    mutating func fail(_ code: Int, _ message: String = "", retryAfter: Int? = nil) {
        guard let last = sent.last else { return }
        handle(
            .failed(
                last.number,
                .status(
                    APIStatus(
                        code: code, reason: "", message: message,
                        retryAfterSeconds: retryAfter))))
    }

    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let due = recorder.nextDeadline, due <= end {
            now = max(now, due)
            let count = sent.count
            handle(.deadlineReached)
            if sent.count > count { answer() }
        }
        now = end
    }

    var body: String {
        sent.last.map { String(decoding: $0.request.body ?? [], as: UTF8.self) } ?? ""
    }
}

@Suite("Events")
struct EventRecorderTests {
    @Test("what happened becomes an Event beside the Service, at once")
    func create() {
        var bench = Bench()
        bench.tell()
        #expect(bench.sent.count == 1)
        let request = bench.sent[0].request
        #expect(request.method == "POST")
        #expect(request.path == "/apis/events.k8s.io/v1/namespaces/shop/events")
        #expect(
            bench.body.hasPrefix(
                #"{"apiVersion":"events.k8s.io/v1","kind":"Event","metadata":{"name":"web."#))
        let expected: [String] = [
            #""eventTime":"2026-01-02T03:04:05.000000Z","#,
            #""reportingController":"martlet.dev/controller","reportingInstance":"pod-1","#,
            #""action":"Allocate","reason":"IPAllocated","#,
            #""regarding":{"apiVersion":"v1","kind":"Service","namespace":"shop","name":"web","#,
            #""uid":"u-web"},"note":"assigned","type":"Normal"}"#,
        ]
        #expect(bench.body.hasSuffix(expected.joined()))
    }

    @Test("the first repeat makes a series, later ones are said together after five minutes")
    func series() {
        var bench = Bench()
        bench.tell()
        bench.answer()
        bench.now = bench.now + .seconds(10)
        bench.tell()
        #expect(bench.sent.count == 2)
        #expect(bench.sent[1].request.method == "PATCH")
        #expect(
            bench.body
                == #"{"series":{"count":2,"lastObservedTime":"2026-01-02T03:04:15.000000Z"}}"#)
        bench.answer()
        for _ in 0..<50 {
            bench.pass(.seconds(1))
            bench.tell()
        }
        #expect(bench.sent.count == 2)
        bench.pass(.seconds(300))
        #expect(bench.sent.count == 3)
        #expect(bench.body.contains(#""count":52"#))
    }

    @Test("repeats while the first word is on its way come with the series")
    func overlap() {
        var bench = Bench()
        bench.tell()
        bench.tell()
        bench.tell()
        #expect(bench.sent.count == 1)
        bench.answer()
        #expect(bench.sent.count == 2)
        #expect(bench.body.contains(#""count":3"#))
    }

    @Test("after six minutes of silence the same word makes a new Event")
    func finished() {
        var bench = Bench()
        bench.tell()
        bench.answer()
        bench.pass(.seconds(361))
        #expect(bench.recorder.nextDeadline == nil)
        bench.tell()
        #expect(bench.sent.map(\.request.method) == ["POST", "POST"])
        #expect(bench.sent[0].request.body != bench.sent[1].request.body)
    }

    @Test("an object has 25 Events at once, and one more every five minutes")
    func budget() {
        var bench = Bench()
        for index in 0..<40 {
            bench.tell("note \(index)")
            bench.answer()
        }
        #expect(bench.sent.count == 25)
        #expect(bench.recorder.lost == 15)
        bench.tell("other", of: "db")
        bench.answer()
        #expect(bench.sent.count == 26)
        bench.pass(.seconds(301))
        bench.tell("late 1")
        bench.answer()
        bench.tell("late 2")
        #expect(bench.sent.count == 27)
    }

    @Test("a full queue loses its oldest, and says how many")
    func bounded() {
        var bench = Bench(queueLimit: 10)
        for index in 0..<31 { bench.tell(of: "s\(index)") }
        #expect(bench.sent.count == 1)
        #expect(bench.recorder.waitingCount == 10)
        #expect(bench.recorder.lost == 20)
        while bench.recorder.waitingCount > 0 { bench.answer() }
        #expect(bench.sent.count == 11)
        #expect(bench.body.contains("\"name\":\"s30\""))
    }

    @Test("no more than 1,024 Events are remembered for their series")
    func remembered() {
        var bench = Bench()
        for index in 0..<3000 {
            bench.tell(of: "s\(index)")
            bench.answer()
            #expect(bench.recorder.entries.count <= EventRecorder.knownLimit + 1)
        }
        bench.tell(of: "s2999")
        #expect(bench.sent.last?.request.method == "PATCH")
        bench.answer()
        bench.tell(of: "s0")
        #expect(bench.sent.last?.request.method == "POST")
    }

    @Test("a server that is away is tried again, later each time, and nothing is lost")
    func away() {
        var bench = Bench()
        bench.tell()
        var waits: [Duration] = []
        for _ in 0..<8 {
            let number = bench.sent.count
            bench.handle(.failed(bench.sent[number - 1].number, .transport("connection refused")))
            let due = bench.recorder.nextDeadline
            #expect(due != nil && bench.sent.count == number)
            waits.append((due ?? bench.now) - bench.now)
            bench.now = due ?? bench.now
            bench.handle(.deadlineReached)
            #expect(bench.sent.count == number + 1)
        }
        #expect(waits[5] > waits[1])
        #expect(waits.allSatisfy { $0 <= .seconds(30) })
        #expect(bench.recorder.trouble?.contains("connection refused") == true)
        #expect(bench.recorder.problems.isEmpty, "that the server is away, others say")
        bench.answer()
        #expect(bench.recorder.trouble == nil)
        #expect(bench.recorder.lost == 0)
        // It is one Event, however often it was tried.
        #expect(Set(bench.sent.map(\.request.body)).count == 1)
    }

    @Test("a server that asks for a pause has it")
    func pause() throws {
        var bench = Bench()
        bench.tell()
        bench.fail(429, retryAfter: 12)
        let due = try #require(bench.recorder.nextDeadline)
        #expect(due - bench.now >= .seconds(12))
        bench.tell(of: "db")
        #expect(bench.sent.count == 1)
    }

    @Test("an Event that is there already was written by the try before")
    func alreadyThere() {
        var bench = Bench()
        bench.tell()
        bench.fail(409)
        #expect(bench.sent.count == 1)
        bench.tell()
        #expect(bench.sent.last?.request.method == "PATCH")
    }

    @Test("an Event whose time on the server is over is followed by a new one")
    func expired() {
        var bench = Bench()
        bench.tell()
        bench.answer()
        bench.tell()
        bench.fail(404)
        #expect(bench.sent.map(\.request.method) == ["POST", "PATCH", "POST"])
        bench.answer()
        #expect(bench.recorder.lost == 0)
    }

    @Test("a namespace that is going away costs its own Events only")
    func terminating() {
        var bench = Bench()
        bench.tell()
        bench.tell(of: "db")
        bench.fail(403, "namespace shop is being terminated")
        #expect(bench.sent.count == 2)
        #expect(bench.recorder.lost == 1)
        #expect(bench.recorder.trouble == nil)
    }

    @Test("a missing permission is told with the verbs to allow")
    func forbidden() {
        var bench = Bench()
        bench.tell()
        bench.fail(403, "events.events.k8s.io is forbidden")
        #expect(bench.recorder.trouble?.contains("verbs create and patch") == true)
        #expect(
            bench.recorder.problems.map(\.remedy)
                == ["allow the verbs create and patch on events.events.k8s.io"])
        // One that is never allowed is dropped at last, and does not stand in the way.
        for _ in 0..<20 {
            guard let due = bench.recorder.nextDeadline, bench.recorder.waitingCount > 0 else {
                break
            }
            bench.now = due
            bench.handle(.deadlineReached)
            bench.fail(403, "events.events.k8s.io is forbidden")
        }
        #expect(bench.recorder.waitingCount == 0)
        #expect(bench.recorder.lost == 1)
    }

    @Test("long words are cut to what the API takes")
    func long() {
        let tiding = EventRecorder.Tiding(
            service: ObjectName(namespace: "shop", "web"), uid: "", isWarning: true,
            reason: "announceFailed", note: String(repeating: "é", count: 2000))
        #expect(tiding.note.utf8.count <= 1024)
        #expect(tiding.action == "Announce")
    }

    @Test("an hour of a thousand noisy Services keeps tables small and requests few")
    func noisy() {
        var bench = Bench()
        for minute in 0..<60 {
            for index in 0..<1000 {
                bench.tell(of: "s\(index)")
                if bench.sent.count > 0 { bench.answer() }
            }
            _ = minute
            bench.pass(.seconds(60))
        }
        // A create, a first repeat, and one every five minutes for each.
        #expect(bench.sent.count <= 1000 * (2 + 13))
        #expect(bench.recorder.entries.count <= EventRecorder.knownLimit + 1)
        #expect(bench.recorder.idle.count <= 4 * (2 * EventRecorder.knownLimit + 1))
    }
}
