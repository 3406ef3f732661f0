import Kubernetes
import Testing

@Suite struct LeaseRecordTests {
    let name = ObjectName(namespace: "metallb-system", "martlet-controller")

    func text(_ bytes: [UInt8]?) -> String { String(decoding: bytes ?? [], as: UTF8.self) }

    @Test("a Lease as client-go writes it is read")
    func reading() throws {
        let record = try LeaseRecord(
            json: Array(
                """
                {"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"x",
                "namespace":"metallb-system","resourceVersion":"4711","uid":"u",
                "managedFields":[{"manager":"m"}]},"spec":{"holderIdentity":"pod-1_ab",
                "leaseDurationSeconds":15,"acquireTime":"2026-01-02T03:04:05.000001Z",
                "renewTime":"2026-01-02T03:05:05.000001Z","leaseTransitions":3}}
                """.utf8))
        #expect(
            record
                == LeaseRecord(
                    holder: "pod-1_ab", durationSeconds: 15,
                    acquireTime: "2026-01-02T03:04:05.000001Z",
                    renewTime: "2026-01-02T03:05:05.000001Z", transitions: 3,
                    resourceVersion: "4711"))
        #expect(record.duration == .seconds(15))
        #expect(!record.isReleased)
    }

    @Test("a Lease without a holder is released, whether the name is empty, null or absent")
    func released() throws {
        for spec in [#"{"holderIdentity":""}"#, #"{"holderIdentity":null}"#, "{}", "null"] {
            let record = try LeaseRecord(
                json: Array(
                    #"{"metadata":{"name":"x","resourceVersion":"1"},"spec":\#(spec)}"#.utf8))
            #expect(record.isReleased, "\(spec)")
            #expect(record.duration >= .seconds(1))
        }
    }

    @Test("a duration that nobody can wait for is read as an hour")
    func longest() {
        #expect(LeaseRecord(holder: "a", durationSeconds: .max).duration == .seconds(3600))
        #expect(LeaseRecord(holder: "a", durationSeconds: -5).duration == .seconds(1))
    }

    @Test("what is no Lease is a failure and not a guess")
    func malformed() {
        for json in ["", "{", "[]", "{}", #"{"metadata":{"name":"x"}}"#] {
            #expect(throws: APIFailure.self, "\(json)") {
                try LeaseRecord(json: Array(json.utf8))
            }
        }
    }

    @Test("of a list, what cannot be read is left out")
    func list() throws {
        let records = try LeaseRecord.list(
            json: Array(
                """
                {"items":[{"metadata":{"name":"a","resourceVersion":"1"},
                "spec":{"holderIdentity":"a"}},{"metadata":{"name":"b"}}]}
                """.utf8))
        #expect(records.mapValues(\.holder) == ["a": "a"])
    }

    @Test("a watch tells of a Lease as it is, and of one that was deleted as no more than that")
    func watch() throws {
        func line(_ type: String) throws -> LeaseRecord.Notice? {
            try LeaseRecord.notice(
                watchLine: Array(
                    """
                    {"type":"\(type)","object":{"metadata":{"name":"x","resourceVersion":"8"},
                    "spec":{"holderIdentity":"other","leaseDurationSeconds":15}}}
                    """.utf8))
        }
        let record = LeaseRecord(holder: "other", durationSeconds: 15, resourceVersion: "8")
        #expect(try line("ADDED") == .stored(record))
        #expect(try line("MODIFIED") == .stored(record))
        #expect(try line("DELETED") == .deleted(record))
        #expect(try line("BOOKMARK") == nil)
    }

    @Test("a change names the version that it builds on, and nothing that it does not own")
    func change() {
        let request = LeaseRecord(
            holder: "me", durationSeconds: 15, transitions: 4, resourceVersion: "17"
        ).stamped(WallTime(nanosecondsSince1970: 1_767_323_045_678_901_234))
            .change(name, manager: "martlet-controller")
        #expect(request.method == "PATCH")
        #expect(request.contentType == "application/merge-patch+json")
        #expect(
            request.path
                == "/apis/coordination.k8s.io/v1/namespaces/metallb-system/leases/"
                + "martlet-controller")
        let expected =
            #"{"metadata":{"resourceVersion":"17"},"spec":{"holderIdentity":"me","#
            + #""leaseDurationSeconds":15,"acquireTime":"2026-01-02T03:04:05.678901Z","#
            + #""renewTime":"2026-01-02T03:04:05.678901Z","leaseTransitions":4}}"#
        #expect(text(request.body) == expected)
    }

    @Test("a release takes the holder out")
    func release() {
        let body = LeaseRecord(holder: "", durationSeconds: 1, resourceVersion: "9")
            .change(name, manager: "m").body
        #expect(text(body).contains(#""holderIdentity":null"#))
    }

    @Test("a Lease that is created can be read back as it was meant")
    func creation() throws {
        let request = LeaseRecord(holder: "me", durationSeconds: 10).stamped(
            WallTime(nanosecondsSince1970: 0)
        ).creation(name, manager: "m")
        #expect(request.method == "POST")
        let sent = text(request.body).replacing(
            #""name":"martlet-controller","#,
            with: #""name":"martlet-controller","resourceVersion":"1","#)
        let record = try LeaseRecord(json: Array(sent.utf8))
        #expect(record.holder == "me")
        #expect(record.durationSeconds == 10)
        #expect(record.acquireTime == "1970-01-01T00:00:00.000000Z")
    }
}
