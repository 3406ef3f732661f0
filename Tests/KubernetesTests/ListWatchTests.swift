import Kubernetes
import NetworkTypes
import Testing

@Suite("List and watch")
struct ListWatchTests {
    @Test func `a streaming list comes first, and becomes the watch`() throws {
        var story = ListWatchCase()
        let start = story.tell(.started(floor: nil))
        let query = try #require(start.watch)
        #expect(start == [.beginReplacing, .watch(query)])
        #expect(query.path == "/api/v1/services")
        #expect(query.items.value(of: "watch") == "true")
        #expect(query.items.value(of: "sendInitialEvents") == "true")
        #expect(query.items.value(of: "resourceVersionMatch") == "NotOlderThan")
        #expect(query.items.value(of: "allowWatchBookmarks") == "true")
        #expect(query.items.value(of: "resourceVersion") == nil)
        #expect(story.tell(.watchOpened) == [])
        #expect(story.tell(.eventReceived(resourceVersion: "70")) == [])
        #expect(
            story.tell(.bookmarkReceived(resourceVersion: "80", endsInitialEvents: false)) == [])
        #expect(!story.machine.isSynced)
        #expect(
            story.tell(.bookmarkReceived(resourceVersion: "100", endsInitialEvents: true))
                == [.finishReplacing(resourceVersion: "100")])
        #expect(story.machine.isSynced)
        #expect(story.machine.phase == .watching)
        #expect(story.machine.resourceVersion == "100")
    }

    @Test(
        "a server that does not know streaming lists is asked for pages",
        arguments: [400, 415, 422, 501])
    func pages(code: Int) throws {
        var story = ListWatchCase()
        story.tell(.started(floor: nil))
        let fallback = story.fail(code, "Invalid", "sendInitialEvents: Forbidden")
        let first = try #require(fallback.page)
        #expect(fallback == [.close, .abandonReplacing, .beginReplacing, .list(first)])
        #expect(first.items.map(\.0) == ["limit"])
        #expect(first.items.value(of: "limit") == "500")
        let second = story.tell(
            .pageReceived(resourceVersion: "100", continueToken: "next", count: 500))
        #expect(second.page?.items.value(of: "continue") == "next")
        let last = story.tell(.pageReceived(resourceVersion: "100", continueToken: nil, count: 9))
        let watch = try #require(last.watch)
        #expect(last == [.finishReplacing(resourceVersion: "100"), .watch(watch)])
        #expect(watch.items.value(of: "resourceVersion") == "100")
        #expect(watch.items.value(of: "sendInitialEvents") == nil)
        #expect(watch.items.value(of: "resourceVersionMatch") == nil)
    }

    @Test func `a streaming list is not tried again for an hour, and then it is`() {
        var story = ListWatchCase()
        story.tell(.started(floor: nil))
        story.fail(422)
        story.tell(.pageReceived(resourceVersion: "100", continueToken: nil, count: 1))
        story.tell(.watchOpened)
        #expect(story.fail(410, "Expired", after: .seconds(600)).page != nil)
        story.tell(.pageReceived(resourceVersion: "200", continueToken: nil, count: 1))
        story.tell(.watchOpened)
        let query = story.fail(410, "Expired", after: .seconds(3600)).watch
        #expect(query?.sendsInitialEvents == true)
    }

    @Test func `a server that takes a streaming list for a plain watch is found out`() {
        var story = ListWatchCase()
        story.tell(.started(floor: nil))
        story.tell(.watchOpened)
        story.tell(.eventReceived(resourceVersion: "70"))
        #expect(story.patience == .seconds(30))
        let actions = story.wait()
        #expect(actions.prefix(3) == [.close, .abandonReplacing, .beginReplacing])
        #expect(actions.page != nil)
    }

    @Test func `selectors, namespace and page size are in every request`() {
        var story = ListWatchCase(.secrets) {
            $0.namespace = "metallb-system"
            $0.labelSelector = "a=b"
            $0.fieldSelector = "type=kubernetes.io/basic-auth"
            $0.pageSize = 50
        }
        let stream = story.tell(.started(floor: nil)).watch
        let page = story.fail(422).page
        let watch = story.tell(
            .pageReceived(resourceVersion: "100", continueToken: nil, count: 1)
        ).watch
        for items in [stream?.items, page?.items, watch?.items] {
            #expect(items?.value(of: "labelSelector") == "a=b")
            #expect(items?.value(of: "fieldSelector") == "type=kubernetes.io/basic-auth")
        }
        #expect(page?.items.value(of: "limit") == "50")
        #expect(page?.path == "/api/v1/namespaces/metallb-system/secrets")
        #expect(watch?.path == page?.path)
    }

    @Test func `watches end at different times between 290 and 580 seconds`() {
        let times = (0..<500).compactMap { seed in
            var story = ListWatchCase(seed: UInt64(seed))
            return story.tell(.started(floor: nil)).watch?.timeoutSeconds
        }
        #expect(times.count == 500)
        #expect(times.allSatisfy { (290...580).contains($0) })
        #expect(Set(times).count > 150)
    }

    @Test func `a watch that ends in its time goes on from the last version at once`() {
        var story = ListWatchCase.watching()
        story.tell(.eventReceived(resourceVersion: "120"), after: .seconds(100))
        story.tell(.bookmarkReceived(resourceVersion: "140", endsInitialEvents: false))
        let actions = story.tell(.watchEnded, after: .seconds(480))
        #expect(actions.count == 1)
        #expect(actions.watch?.resourceVersion == "140")
        #expect(actions.watch?.sendsInitialEvents == false)
    }

    @Test func `an event that comes twice or late does not take the watch back`() {
        var story = ListWatchCase.watching()
        story.tell(.eventReceived(resourceVersion: "120"))
        story.tell(.eventReceived(resourceVersion: "110"))
        #expect(story.machine.resourceVersion == "120")
        #expect(story.tell(.failed(.transport("reset"))).watch?.resourceVersion == "120")
    }

    @Test func `versions that are no numbers are taken as they come`() {
        var story = ListWatchCase.watching()
        story.tell(.eventReceived(resourceVersion: "b7-e"))
        #expect(story.machine.resourceVersion == "b7-e")
        story.tell(.eventReceived(resourceVersion: "a2-f"))
        #expect(story.tell(.failed(.transport("reset"))).watch?.resourceVersion == "a2-f")
    }

    @Test func `after 410 all is read anew, and nothing older than what was seen`() throws {
        var story = ListWatchCase.watching()
        story.tell(.eventReceived(resourceVersion: "120"))
        let actions = story.fail(410, "Expired", "too old resource version")
        let query = try #require(actions.watch)
        #expect(actions == [.close, .beginReplacing, .watch(query)])
        #expect(query.sendsInitialEvents)
        #expect(query.items.value(of: "resourceVersion") == "120")
    }

    @Test func `410 in the middle of pages begins anew without the token, with larger pages`() {
        var story = ListWatchCase { $0.usesStreamingLists = false }
        story.tell(.started(floor: nil))
        story.tell(.pageReceived(resourceVersion: "100", continueToken: "next", count: 500))
        let actions = story.fail(410, "Expired")
        #expect(actions.prefix(2) == [.abandonReplacing, .beginReplacing])
        #expect(actions.page?.continueToken == nil)
        #expect(actions.page?.limit == 2000)
    }

    @Test func `a page that fails for another reason is asked for again, not all before it`() {
        var story = ListWatchCase { $0.usesStreamingLists = false }
        story.tell(.started(floor: nil))
        story.tell(.pageReceived(resourceVersion: "100", continueToken: "next", count: 500))
        let again = story.fail(500, "InternalError")
        #expect(again.page?.continueToken == "next")
        #expect(again.count == 1)
        story.fail(500, "InternalError")
        #expect(story.wait().page?.continueToken == "next")
    }

    @Test func `a list that is older than what was seen is thrown away three times`() {
        var story = ListWatchCase.watching { $0.usesStreamingLists = false }
        story.tell(.eventReceived(resourceVersion: "120"))
        var actions = story.fail(410, "Expired")
        for _ in 0..<3 {
            #expect(actions.page != nil)
            actions = story.tell(
                .pageReceived(resourceVersion: "90", continueToken: nil, count: 1))
            #expect(actions.first == .abandonReplacing)
            #expect(!actions.contains(.finishReplacing(resourceVersion: "90")))
            if actions.page == nil { actions = story.wait() }
        }
        #expect(story.machine.trouble?.problem.rule.contains("older than 120") == true)
        actions = story.tell(.pageReceived(resourceVersion: "91", continueToken: nil, count: 1))
        #expect(actions.first == .finishReplacing(resourceVersion: "91"))
        #expect(actions.watch?.resourceVersion == "91")
    }

    @Test func `a server whose store was restored from a copy is followed again`() {
        var story = ListWatchCase.watching()
        story.tell(.eventReceived(resourceVersion: "1000"))
        var actions = story.tell(
            .bookmarkReceived(resourceVersion: "400", endsInitialEvents: false))
        #expect(actions.watch?.resourceVersion == "1000")
        story.fail(504, "Timeout", "Too large resource version: 1000, current: 400")
        for _ in 0..<3 {
            actions = story.wait()
            #expect(actions.watch?.sendsInitialEvents == true)
            #expect(actions.watch?.resourceVersion == nil)
            story.tell(.watchOpened)
            story.tell(.bookmarkReceived(resourceVersion: "400", endsInitialEvents: true))
        }
        story.wait()
        story.tell(.watchOpened)
        #expect(
            story.tell(.bookmarkReceived(resourceVersion: "401", endsInitialEvents: true))
                .contains(.finishReplacing(resourceVersion: "401")))
        #expect(story.machine.resourceVersion == "401")
        #expect(story.machine.trouble == nil)
    }

    @Test func `what an earlier process has seen is the least that a first list must know`() {
        var story = ListWatchCase()
        #expect(story.tell(.started(floor: "77")).watch?.resourceVersion == "77")
        story.tell(.watchOpened)
        #expect(
            story.tell(.bookmarkReceived(resourceVersion: "60", endsInitialEvents: true))
                .contains(.abandonReplacing))
        #expect(!story.machine.isSynced)
    }

    @Test func `events that do not fit change nothing`() {
        var story = ListWatchCase.watching()
        let machine = story.machine
        #expect(
            story.tell(.pageReceived(resourceVersion: "5", continueToken: nil, count: 0)) == [])
        #expect(story.tell(.started(floor: "9")) == [])
        #expect(story.tell(.watchOpened) == [])
        #expect(story.tell(.deadlineReached) == [])
        #expect(story.machine == machine)
        var idle = ListWatchCase()
        #expect(idle.tell(.watchEnded) == [])
        #expect(idle.fail(500) == [])
        #expect(idle.machine.phase == .idle)
    }
}
