import Kubernetes
import Testing

@Suite struct ObjectDecoderPageTests {
    @Test func `a page holds its objects, its version and what the next one is asked with`() throws
    {
        let bare = ServerObjectText.service
            .replacing("\"kind\":\"Service\",\"apiVersion\":\"v1\",", with: "")
        let page = try ObjectDecoder(resource: .services).page(
            ServerObjectText.page(
                of: .services, [bare, bare.replacing("\"name\":\"web\"", with: "\"name\":\"api\"")])
        )
        #expect(page.objects.map(\.reference.name.name) == ["web", "api"])
        #expect(page.objects.allSatisfy { $0.service != nil })
        #expect(page.resourceVersion == "5000")
        #expect(page.continueToken == "more")
    }

    @Test(arguments: [
        #"{"items":[],"metadata":{"resourceVersion":"1","continue":""}}"#,
        #"{"items":null,"metadata":{"resourceVersion":"1"}}"#,
        #"{"metadata":{"resourceVersion":"1"},"items": [ ] }"#,
    ])
    func `the last page of nothing is empty and has no successor`(text: String) throws {
        let page = try ObjectDecoder(resource: .nodes).page(Array(text.utf8))
        #expect(page.objects.isEmpty)
        #expect(page.continueToken == nil)
        #expect(page.resourceVersion == "1")
    }

    @Test func `one broken object harms no other of its page`() throws {
        let broken = ServerObjectText.service
            .replacing("\"type\":\"LoadBalancer\"", with: "\"type\":7")
            .replacing("\"name\":\"web\"", with: "\"name\":\"api\"")
        let page = try ObjectDecoder(resource: .services).page(
            ServerObjectText.page(of: .services, [broken, ServerObjectText.service]))
        #expect(page.objects.map(\.isRefused) == [true, false])
    }

    @Test(arguments: [
        #"{"kind":"Status","status":"Failure","code":403}"#, #"{"items":{}}"#, #"{"items":[{}]}"#,
        #"{"items":[null]}"#, #"{"items":[]"#,
    ])
    func `what is not a list is a failure, never an empty list`(text: String) {
        #expect(throws: APIFailure.self) {
            try ObjectDecoder(resource: .services).page(Array(text.utf8))
        }
    }

    @Test func `lines of a watch are told apart`() throws {
        let decoder = ObjectDecoder(resource: .services)
        for type in ["ADDED", "MODIFIED"] {
            let event = try decoder.watchEvent(
                ServerObjectText.event(type, ServerObjectText.service))
            guard case .changed(let object) = event else {
                Issue.record("\(event)")
                continue
            }
            #expect(object.service?.name.name == "web")
        }
        let gone = try decoder.watchEvent(
            ServerObjectText.event("DELETED", ServerObjectText.service))
        guard case .deleted(let reference, let version) = gone else {
            Issue.record("\(gone)")
            return
        }
        #expect(reference.description == "Service shop/web")
        #expect(version == "4711")
    }

    @Test(arguments: [false, true])
    func `a bookmark says where the watch stands`(endsInitialEvents: Bool) throws {
        let annotation =
            endsInitialEvents ? #","annotations":{"k8s.io/initial-events-end":"true"}"# : ""
        let object =
            #"{"kind":"Service","apiVersion":"v1","metadata":{"resourceVersion":"6000","#
            + #""creationTimestamp":null\#(annotation)},"spec":{},"status":{"loadBalancer":{}}}"#
        let event = try ObjectDecoder(resource: .services).watchEvent(
            ServerObjectText.event("BOOKMARK", object))
        guard case .bookmark("6000", endsInitialEvents) = event else {
            Issue.record("\(event)")
            return
        }
    }

    @Test func `an error in a watch is the server's status`() throws {
        let object =
            #"{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","#
            + #""message":"too old resource version: 1 (2)","reason":"Expired","code":410}"#
        let event = try ObjectDecoder(resource: .nodes).watchEvent(
            ServerObjectText.event("ERROR", object))
        guard case .failed(let status) = event else {
            Issue.record("\(event)")
            return
        }
        #expect(APIFailure.status(status).isExpired)
        #expect(status.message == "too old resource version: 1 (2)")
    }

    @Test func `type and object come in either order`() throws {
        let text = #"{"object":\#(ServerObjectText.node),"type":"ADDED"}"#
        guard
            case .changed(let object) = try ObjectDecoder(resource: .nodes)
                .watchEvent(Array(text.utf8))
        else {
            Issue.record("not changed")
            return
        }
        #expect(object.node?.ready == true)
    }

    @Test func `a status is read, and what a proxy says in its stead is shown`() {
        let body =
            #"{"kind":"Status","status":"Failure","message":"slow down","reason":"#
            + #""TooManyRequests","details":{"retryAfterSeconds":3},"code":429}"#
        #expect(
            ObjectDecoder.status(Array(body.utf8), code: 429)
                == APIStatus(
                    code: 429, reason: "TooManyRequests", message: "slow down",
                    retryAfterSeconds: 3))
        #expect(
            ObjectDecoder.status(Array("<html>\n502".utf8), code: 502)
                == APIStatus(code: 502, reason: "", message: "<html>"))
        #expect(ObjectDecoder.status([], code: 500).code == 500)
        #expect(ObjectDecoder.status([0xff, 0xfe], code: 500).reason.isEmpty)
    }
}
