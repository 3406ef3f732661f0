import NetworkTypes
import Testing

@testable import Kubernetes

@Suite("What is written into objects")
struct PatchBodyTests {
    private static let condition = APIObjectStatus.Condition(
        type: ServicePatch.addressAssigned, isTrue: true, reason: "IPAllocated",
        message: "192.0.2.10 from pool \"main\"", lastTransitionTime: "2026-01-02T03:04:05Z")

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("one write gives a Service its addresses, its pool's name and its condition")
    func assign() throws {
        let addresses = try ["192.0.2.10", "2001:db8::10"].map { try #require(IPAddress($0)) }
        let body = ServicePatch.assign(
            addresses, pool: "main",
            ports: [.init(name: "http", port: 80), .init(protocol: .udp, port: 53)],
            condition: Self.condition, uid: "u-1", resourceVersion: "42")
        let ports = #""ports":[{"port":80,"protocol":"TCP"},{"port":53,"protocol":"UDP"}]"#
        let expected: [String] = [
            #"{"metadata":{"uid":"u-1","resourceVersion":"42","annotations":"#,
            #"{"metallb.io/ip-allocated-from-pool":"main"}},"status":{"loadBalancer":"#,
            #"{"ingress":[{"ip":"192.0.2.10","ipMode":"VIP",\#(ports)},"#,
            #"{"ip":"2001:db8::10","ipMode":"VIP",\#(ports)}]},"conditions":["#,
            #"{"type":"martlet.dev/AddressAssigned","status":"True","#,
            #""reason":"IPAllocated","message":"192.0.2.10 from pool \"main\"","#,
            #""lastTransitionTime":"2026-01-02T03:04:05Z"}]}}"#,
        ]
        #expect(Self.text(body) == expected.joined())
    }

    @Test("to clear a Service removes addresses and annotation, and nothing of others")
    func clear() {
        let body = ServicePatch.clear(uid: "u-1", resourceVersion: "42")
        let expected: [String] = [
            #"{"metadata":{"uid":"u-1","resourceVersion":"42","annotations":"#,
            #"{"metallb.io/ip-allocated-from-pool":null}},"#,
            #""status":{"loadBalancer":{"ingress":null}}}"#,
        ]
        #expect(Self.text(body) == expected.joined())
    }

    @Test("what is not ours any more loses our condition, and no other")
    func forgetting() {
        let ended = #"{"$patch":"delete","type":"martlet.dev/AddressAssigned"}"#
        let metadata = #""metadata":{"uid":"u-1","resourceVersion":"42""#
        let alone = ServicePatch.forget(
            [ServicePatch.addressAssigned], uid: "u-1", resourceVersion: "42")
        #expect(
            Self.text(alone) == "{\(metadata)},\"status\":{\"conditions\":[\(ended)]}}")
        let clear = ServicePatch.clear(
            forgetting: [ServicePatch.addressAssigned], uid: "u-1", resourceVersion: "42")
        #expect(
            Self.text(clear).hasSuffix(
                #""status":{"loadBalancer":{"ingress":null},"conditions":[\#(ended)]}}"#))
    }

    @Test("a condition alone touches neither addresses nor annotations")
    func conditionAlone() {
        let body = Self.text(
            ServicePatch.condition(Self.condition, uid: "u-1", resourceVersion: "42"))
        #expect(body.hasPrefix(#"{"metadata":{"uid":"u-1","resourceVersion":"42"},"status":"#))
        #expect(!body.contains("loadBalancer") && !body.contains("annotations"))
    }

    @Test("a condition's message stays within the API's bound, and whole characters")
    func longMessage() {
        var condition = Self.condition
        condition.message = String(repeating: "ü", count: 20_000)
        let body = ServicePatch.condition(condition, uid: "", resourceVersion: "")
        #expect(body.count < 33_200)
        #expect(Self.text(body).contains("ü…\""))
        #expect("abc".cut(toBytes: 3) == "abc")
        #expect("abcd".cut(toBytes: 3) == "…")
    }

    @Test("texts of any kind come back from JSON as they were")
    func strings() throws {
        let odd = "a\"\\/\u{8}\u{1f}\n\t\u{7f}é\u{1F426}\u{2028}"
        let body = JSONWriter.object { $0.member(odd, [odd, ""]) }
        let fields = try #require(Fields(try JSONDocument.node(body)))
        #expect(fields.texts(odd) == [odd, ""])
    }

    @Test("a pool's status has figures and reservations, and null where there are none")
    func pool() {
        let kept = APIObjectStatus.Reservation(
            service: ObjectName(namespace: "shop", "web"), addresses: ["192.0.2.7"],
            until: "2026-01-02T03:04:05Z")
        let body = PoolStatusPatch.body(
            assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 9, availableIPv6: .max,
            reservations: [kept], resourceVersion: "7")
        let expected: [String] = [
            #"{"metadata":{"resourceVersion":"7"},"status":{"assignedIPv4":1,"#,
            #""assignedIPv6":0,"availableIPv4":9,"availableIPv6":9223372036854775807,"#,
            #""reservations":[{"namespace":"shop","name":"web","#,
            #""addresses":["192.0.2.7"],"until":"2026-01-02T03:04:05Z"}]}}"#,
        ]
        #expect(Self.text(body) == expected.joined())
        let none = PoolStatusPatch.body(
            assignedIPv4: 0, assignedIPv6: 0, availableIPv4: 0, availableIPv6: 0)
        #expect(Self.text(none).hasSuffix(#""reservations":null}}"#))
    }

    @Test(
        "Secrets carry their data in base64, as in RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(text: String, encoded: String) {
        #expect(GossipSecret.base64(Array(text.utf8)) == encoded)
        let body = Self.text(
            GossipSecret.body(namespace: "metallb-system", keys: Array(text.utf8)))
        #expect(body.hasSuffix(#""data":{"gossip.keys":"\#(encoded)"}}"#))
    }

    @Test(
        "moments are told in UTC, leap days and year's ends included",
        arguments: [
            (0, "1970-01-01T00:00:00Z"), (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"), (951_868_800, "2000-03-01T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"), (1_767_323_045, "2026-01-02T03:04:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ])
    func times(seconds: UInt64, text: String) {
        let time = WallTime(nanosecondsSince1970: seconds * 1_000_000_000 + 7_999)
        #expect(time.seconds == text)
        #expect(time.microseconds == text.dropLast() + ".000007Z")
    }

    @Test("requests name the narrow subresource and who writes")
    func requests() {
        let name = ObjectName(namespace: "shop", "web")
        let request = ObjectRequest.patch(
            .services, name, subresource: ServicePatch.subresource, .strategicMerge, body: [],
            manager: "martlet-controller")
        #expect(request.method == "PATCH")
        #expect(request.path == "/api/v1/namespaces/shop/services/web/status")
        #expect(request.query == ["fieldManager": "martlet-controller"])
        #expect(request.contentType == "application/strategic-merge-patch+json")
    }
}
