import Kubernetes
import NetworkTypes
import Testing

@Suite("List and watch: failures")
struct ListWatchFailureTests {
    @Test func `a dropped watch is resumed at once, then after longer and longer waits`() {
        var story = ListWatchCase.watching()
        #expect(story.tell(.failed(.transport("reset"))).watch?.resourceVersion == "100")
        var waits: [Duration] = []
        for _ in 0..<9 {
            story.tell(.failed(.transport("refused")))
            waits.append(story.patience ?? .zero)
            #expect(story.machine.phase == .waiting)
            story.wait()
        }
        let bounds: [Double] = [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]
        for (wait, bound) in zip(waits, bounds) {
            #expect(wait >= .seconds(bound / 2) && wait <= .seconds(bound))
        }
    }

    @Test func `nodes that lose the server together do not come back together`() {
        let spread = ListWatch.spread(followers: 5000)
        #expect(spread == .seconds(10))
        #expect(ListWatch.spread(followers: 3) == .milliseconds(6))
        var buckets = [Int](repeating: 0, count: 10)
        for seed in 0..<1000 {
            var story = ListWatchCase.watching(seed: UInt64(seed)) { $0.spread = spread }
            story.tell(.watchEnded, after: .seconds(20))
            let wait = story.patience ?? .zero
            #expect(wait < spread)
            buckets[Int(wait / .seconds(1))] += 1
        }
        #expect(buckets.allSatisfy { (60...140).contains($0) }, "\(buckets)")
    }

    @Test func `when the server has answered somebody else, nobody waits out a back-off`() {
        var story = ListWatchCase.watching()
        for _ in 0..<8 {
            story.tell(.failed(.transport("refused")))
            story.wait()
        }
        story.tell(.failed(.transport("refused")))
        #expect((story.patience ?? .zero) > .seconds(10))
        #expect(story.tell(.serverReached) == [])
        #expect((story.patience ?? .zero) <= .milliseconds(100))
        #expect(story.wait().watch != nil)
        var refused = ListWatchCase.watching()
        refused.fail(403, "Forbidden")
        let patience = refused.patience
        refused.tell(.serverReached)
        #expect(refused.patience == patience, "it was the server that said no")
    }

    @Test func `410 after the server was away is answered without a further back-off`() {
        var story = ListWatchCase.watching()
        for _ in 0..<8 {
            story.tell(.failed(.transport("refused")))
            story.wait()
        }
        #expect(story.fail(410, "Expired").watch?.sendsInitialEvents == true)
        story.tell(.watchOpened)
        story.tell(.bookmarkReceived(resourceVersion: "200", endsInitialEvents: true))
        #expect(story.fail(410, "Expired").watch == nil, "410 upon 410 is")
    }

    @Test func `a minute of health, or ten events, and a failure is a first one again`() {
        for heals in [true, false] {
            var story = ListWatchCase.watching()
            for _ in 0..<6 {
                story.tell(.failed(.transport("refused")))
                story.wait()
            }
            story.tell(.watchOpened)
            if heals {
                for version in 101...110 {
                    story.tell(.eventReceived(resourceVersion: "\(version)"))
                }
            } else {
                story.now = story.now + .seconds(60)
            }
            #expect(story.tell(.failed(.transport("reset"))).watch != nil)
        }
        var ill = ListWatchCase.watching()
        for _ in 0..<6 {
            ill.tell(.failed(.transport("refused")))
            ill.wait()
        }
        ill.tell(.watchOpened)
        #expect(ill.tell(.failed(.transport("reset")), after: .seconds(1)).watch == nil)
    }

    @Test func `a proxy that ends every idle watch after a while costs no silence`() {
        var story = ListWatchCase.watching()
        for _ in 0..<20 {
            #expect(story.tell(.watchEnded, after: .seconds(30)).watch != nil)
            story.tell(.watchOpened)
        }
        #expect(story.machine.trouble == nil)
    }

    @Test("Retry-After is kept, and a little more", arguments: [429, 503])
    func retryAfter(code: Int) {
        let waits: [Duration] = (0..<100).compactMap { seed in
            var story = ListWatchCase.watching(seed: UInt64(seed))
            story.fail(code, "TooManyRequests", retryAfter: 20)
            return story.patience
        }
        #expect(waits.count == 100)
        #expect(waits.allSatisfy { $0 >= .seconds(20) && $0 <= .seconds(25) })
        #expect(Set(waits).count > 90)
    }

    @Test func `nonsense in Retry-After neither traps nor silences for long`() {
        for seconds in [Int.min, -1, 0, Int.max] {
            var story = ListWatchCase.watching()
            story.fail(429, retryAfter: seconds)
            #expect((story.patience ?? .zero) <= .seconds(375))
        }
    }

    @Test func `what is forbidden is said with verb and remedy, and asked for every 30 seconds`() {
        var story = ListWatchCase(.ipAddressPools) {
            $0.namespace = "metallb-system"
            $0.usesStreamingLists = false
        }
        story.tell(.started(floor: nil))
        let problem = story.fail(403, "Forbidden", "not allowed").trouble?.problem
        #expect(problem?.rule.contains("cannot list ipaddresspools.metallb.io") == true)
        #expect(problem?.rule.contains("namespace metallb-system") == true)
        #expect(problem?.remedy.contains("grant the verbs list and watch") == true)
        #expect((story.patience ?? .zero) <= .seconds(2))
        story.wait()
        #expect(story.fail(403, "Forbidden", "not allowed").trouble == nil, "said once")
        for _ in 0..<5 {
            #expect((27.0...33.0).contains((story.patience ?? .zero) / .seconds(1)))
            story.wait()
            story.fail(403, "Forbidden", "not allowed")
        }
        story.wait()
        story.tell(.pageReceived(resourceVersion: "3", continueToken: nil, count: 0))
        #expect(story.tell(.watchOpened) == [.recovered])
        #expect(story.machine.trouble == nil)
    }

    @Test func `a kind that is not installed is said so, and followed once it is`() {
        var story = ListWatchCase(.bgpPeers)
        story.tell(.started(floor: nil))
        let problem = story.fail(404, "NotFound", "could not find the resource").trouble?.problem
        #expect(problem?.remedy.contains("CustomResourceDefinitions") == true)
        story.wait()
        story.tell(.watchOpened)
        #expect(
            story.tell(.bookmarkReceived(resourceVersion: "3", endsInitialEvents: true))
                == [.finishReplacing(resourceVersion: "3"), .recovered])
        var core = ListWatchCase(.endpointSlices)
        core.tell(.started(floor: nil))
        let remedy = core.fail(404).trouble?.problem.remedy
        #expect(remedy?.contains("discovery.k8s.io/v1 EndpointSlice") == true)
    }

    @Test func `401 asks for fresh credentials before it tries again`() {
        var story = ListWatchCase.watching()
        let actions = story.fail(401, "Unauthorized")
        #expect(actions.prefix(2) == [.close, .refreshCredentials])
        #expect(actions.watch?.resourceVersion == "100")
        #expect(actions.trouble == nil)
        let again = story.fail(401, "Unauthorized")
        #expect(again.contains(.refreshCredentials))
        #expect(again.trouble != nil)
        #expect(again.watch == nil)
    }

    @Test func `a watch that is silent beyond its own end is dropped`() throws {
        var story = ListWatchCase.watching { $0.usesStreamingLists = false }
        let machine = story.machine
        let patience = try #require(story.patience)
        #expect(patience >= .seconds(320) && patience <= .seconds(610))
        let actions = story.wait()
        #expect(actions.first == .close)
        #expect(actions.watch?.resourceVersion == "100")
        #expect(machine.phase == .watching)
    }

    @Test func `a watch whose bookmarks stop coming is dropped after three minutes`() {
        var story = ListWatchCase.watching()
        for minute in 1...3 {
            story.tell(
                .bookmarkReceived(resourceVersion: "10\(minute)", endsInitialEvents: false),
                after: .seconds(60))
        }
        #expect(story.patience == .seconds(180))
        #expect(story.wait().first == .close)
    }

    @Test func `a server that never begins to answer is given up after a minute`() {
        var story = ListWatchCase()
        story.tell(.started(floor: nil))
        #expect(story.patience == .seconds(60))
        #expect(story.wait().prefix(2) == [.close, .abandonReplacing])
        var pages = ListWatchCase { $0.usesStreamingLists = false }
        pages.tell(.started(floor: nil))
        #expect(pages.wait().first == .close)
    }

    @Test func `an event that can never be read leads to a new list`() {
        var story = ListWatchCase.watching()
        var actions: [ListWatch.Action] = []
        for _ in 0..<3 {
            #expect(actions.watch?.sendsInitialEvents != true)
            actions = story.tell(.failed(.malformed("no JSON")))
            if actions.watch == nil { actions = story.wait() }
            story.tell(.watchOpened)
        }
        #expect(actions.watch?.sendsInitialEvents == true)
    }

    @Test func `trouble with the connection is told from the second failure on`() {
        var story = ListWatchCase.watching()
        #expect(story.tell(.failed(.transport("reset"))).trouble == nil)
        #expect(story.tell(.failed(.transport("refused"))).trouble != nil)
        story.wait()
        #expect(story.tell(.failed(.transport("refused"))).trouble == nil)
        story.wait()
        #expect(story.tell(.watchOpened) == [.recovered])
    }

    @Test func `whatever fails in whatever state, something is under way or a deadline is set`() {
        let failures: [APIFailure] =
            [400, 401, 403, 404, 405, 409, 410, 415, 422, 429, 500, 502, 503, 504].map {
                .status(APIStatus(code: $0, reason: "", message: ""))
            } + [.transport(""), .timeout(""), .credentials(""), .malformed("")]
        for streams in [true, false] {
            for first in failures {
                for second in failures {
                    var story = ListWatchCase { $0.usesStreamingLists = streams }
                    story.tell(.started(floor: nil))
                    story.tell(.failed(first))
                    if story.machine.phase == .waiting { story.wait() }
                    story.tell(.failed(second))
                    let wait = story.patience ?? .seconds(-1)
                    #expect(wait > .zero && wait <= .seconds(400), "\(first) \(second)")
                }
            }
        }
    }
}
