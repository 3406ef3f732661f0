import ScriptedAPIServer
import Testing

/// Custom kinds by their schema, and server-side apply.
@Suite struct CustomKindTests {
    private let cluster: Cluster

    init() throws {
        cluster = Cluster()
        try cluster.apply(yaml: Sample.widgets)
    }

    private func refusal(_ spec: JSONValue) -> StatusError? {
        do throws(StatusError) {
            try cluster.create(Sample.widget("x", spec))
            return nil
        } catch { return error }
    }

    @Test("defaults are filled in and unknown fields pruned")
    func fillsAndPrunes() throws {
        let widget = try cluster.create(Sample.widget("a", ["size": 3, "odd": 1]))
        #expect(widget["spec"] == ["size": 3, "color": "red"])
        #expect(widget["metadata", "generation"] == 1)
    }

    @Test("strict field validation names the unknown field")
    func strict() {
        #expect(throws: StatusError.self) {
            try cluster.create(
                Sample.widget("a", ["size": 3, "odd": 1]),
                options: WriteOptions(fieldValidation: .strict))
        }
    }

    @Test(
        "what the schema forbids is refused with the field in the message",
        arguments: [
            ([:], "spec.size: Required value"), (["size": 0], "greater than or equal to 1"),
            (["size": 11], "less than or equal to 10"),
            (["size": "x"], "must be of type integer"),
            (["size": 1, "color": "blue"], "supported values: \"red\", \"green\""),
            (["size": 1, "code": "A"], "should match"),
            (["size": 1, "code": "abcde"], "may not be more than 4"),
            (["size": 1, "tags": ["a", "a"]], "spec.tags[1]: Duplicate value"),
            (["size": 1, "parts": [["id": "a"], ["id": "a"]]], "spec.parts[1]: Duplicate value"),
        ] as [(JSONValue, String)])
    func validation(spec: JSONValue, text: String) {
        let error = refusal(spec)
        #expect(error?.code == 422)
        #expect(error?.message.contains(text) == true, "\(error?.message ?? "accepted")")
    }

    @Test("status is written through its subresource only, and that writes nothing else")
    func statusSubresource() throws {
        try cluster.create(Sample.widget("a"))
        let main = try cluster.patch(
            "widgets.example.org", "a", ["spec": ["size": 4], "status": ["state": "x"]])
        #expect(main["status"] == nil)
        #expect(main["metadata", "generation"] == 2)
        let status = try cluster.patch(
            "widgets.example.org", "a",
            [
                "spec": ["size": 5], "status": ["state": "y"],
                "metadata": ["labels": ["a": "b"]],
            ], subresource: "status")
        #expect(status["status", "state"] == "y")
        #expect(status["spec", "size"] == 4)
        #expect(status["metadata", "labels"] == nil)
        #expect(status["metadata", "generation"] == 2)
    }

    @Test("a schema that is not structural is refused")
    func structural() throws {
        let broken = Sample.widgets.replacing("code: {type: string", with: "code: {kind: string")
            .replacing("widgets", with: "gadgets")
        #expect(throws: StatusError.self) { try Cluster().apply(yaml: broken) }
    }

    @Test("CEL rules are kept for whoever evaluates them")
    func rules() {
        #expect(cluster.rules(of: "widgets.example.org").map(\.rule) == ["self.size > 0"])
    }

    @Test("an applied field that another manager owns is a conflict unless forced")
    func applyConflicts() throws {
        try cluster.patch(
            "widgets.example.org", "a", Sample.widget("a"), as: .apply,
            options: WriteOptions(manager: "one"))
        let wish = Sample.widget("a", ["size": 5])
        var other = WriteOptions(manager: "two")
        let error = #expect(throws: StatusError.self) {
            try cluster.patch("widgets.example.org", "a", wish, as: .apply, options: other)
        }
        #expect(error?.code == 409)
        #expect(error?.message.contains("conflict with \"one\"") == true)
        other.isForced = true
        let forced = try cluster.patch("widgets.example.org", "a", wish, as: .apply, options: other)
        #expect(forced["spec", "size"] == 5)
    }

    @Test("what an applier no longer wants goes, what others wrote stays")
    func applyRemoves() throws {
        let options = WriteOptions(manager: "one")
        func apply(_ spec: JSONValue) throws -> JSONValue {
            try cluster.patch(
                "widgets.example.org", "a", Sample.widget("a", spec), as: .apply, options: options)
        }
        _ = try apply(["size": 1, "code": "a", "parts": [["id": "x", "text": "1"]]])
        try cluster.patch("widgets.example.org", "a", ["spec": ["tags": ["t"]]])
        let after = try apply(["size": 1, "parts": [["id": "y"]]])
        #expect(after["spec", "code"] == nil)
        #expect(after["spec", "parts"] == [["id": "y"]])
        #expect(after["spec", "tags"] == ["t"])
    }

    @Test("a definition that is deleted takes its objects with it")
    func definitionGone() throws {
        try cluster.create(Sample.widget("a"))
        try cluster.delete("customresourcedefinitions.apiextensions.k8s.io", "widgets.example.org")
        #expect(throws: StatusError.self) { try cluster.list("widgets.example.org") }
    }
}
