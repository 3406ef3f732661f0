import Kubernetes
import Testing

@Suite struct ServiceStatusReadingTests {
    private func item(_ status: String) -> String {
        """
        {"metadata":{"name":"l2-x","namespace":"metallb-system","managedFields":[{"manager":"m"}],
        "labels":{"metallb.io/node":"node-a"}},"spec":{},"status":\(status)}
        """
    }

    private func list(_ items: String..., token: String = "") -> [UInt8] {
        Array(
            """
            {"kind":"ServiceL2StatusList","apiVersion":"metallb.io/v1beta1",
            "metadata":{"continue":"\(token)","resourceVersion":"9"},
            "items":[\(items.joined(separator: ","))]}
            """.utf8)
    }

    private let web = ObjectName(namespace: "default", "web")

    @Test("a status says which node answers for which Service on which interfaces")
    func layer2() throws {
        let page = try ServiceStatusReading(
            json: list(
                item(
                    """
                    {"node":"node-a","serviceName":"web","serviceNamespace":"default",
                    "interfaces":[{"name":"eth1"},{"name":"eth0"}]}
                    """), token: "t"))
        #expect(page.records == [.init(node: "node-a", service: web, names: ["eth0", "eth1"])])
        #expect(page.continueToken == "t")
    }

    @Test("a status says which peers were told")
    func peers() throws {
        let page = try ServiceStatusReading(
            json: list(
                item(
                    """
                    {"node":"node-a","serviceName":"web","serviceNamespace":"default",
                    "peers":["tor-1"]}
                    """)))
        #expect(page.records == [.init(node: "node-a", service: web, names: ["tor-1"])])
        #expect(page.continueToken == nil)
    }

    @Test(
        "an object that says nothing yet is no statement, and takes none of the others away",
        arguments: ["{}", "null", "7", #"{"node":"node-a"}"#, #"{"node":"","serviceName":"web"}"#])
    func silent(_ status: String) throws {
        let said = #"{"node":"b","serviceName":"web","serviceNamespace":"default"}"#
        let page = try ServiceStatusReading(json: list(item(status), item(said)))
        #expect(page.records == [.init(node: "b", service: web, names: [])])
    }

    @Test("what is no list is not taken for an empty one", arguments: ["{}", "[]", "x", ""])
    func noList(_ text: String) {
        #expect(throws: APIFailure.self) { try ServiceStatusReading(json: Array(text.utf8)) }
        #expect(throws: APIFailure.self) {
            try ConfigurationStateReading(json: Array(text.utf8))
        }
    }

    @Test("a ConfigurationState says how its process finds the configuration; without a status, no")
    func verdicts() throws {
        let text = """
            {"metadata":{},"items":[
            {"metadata":{"name":"controller"},"status":{"result":"Invalid","errorSummary":"a\\nb"}},
            {"metadata":{"name":"speaker-node-a"}}]}
            """
        let page = try ConfigurationStateReading(json: Array(text.utf8))
        #expect(
            page.verdicts == [
                .init(process: "controller", result: "Invalid", summary: "a\nb"),
                .init(process: "speaker-node-a", result: "Unknown", summary: ""),
            ])
    }

    @Test("a list that is cut anywhere is a failure, and no shorter list")
    func truncation() {
        let whole = list(
            item(#"{"node":"b","serviceName":"web","serviceNamespace":"default"}"#))
        for length in whole.indices {
            #expect(throws: APIFailure.self) {
                try ServiceStatusReading(json: Array(whole[..<length]))
            }
        }
    }
}
