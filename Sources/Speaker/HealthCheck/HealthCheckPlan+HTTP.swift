import Kubernetes

extension HealthCheckPlan {
    /// How the node does, whatever endpoints there are. Unless all is well nobody new should come.
    struct Standing: Equatable, Sendable {
        /// Whether the node's own data plane is in step.
        var isHealthy = true
        /// Whether the node hands over what it has. Its endpoints go on serving who is there; new
        /// clients would only have to leave again.
        var isDraining = false
    }
}

extension HealthCheckPlan.Answer {
    /// The whole response to a request whose head is `head`; `nil` as long as the head is not
    /// complete. The path is not looked at, as other implementations do not.
    func response(
        to head: some Collection<UInt8>, _ standing: HealthCheckPlan.Standing = .init()
    ) -> [UInt8]? {
        guard Self.isComplete(head) else { return nil }
        let line = String(decoding: head.prefix { $0 != 0x0d && $0 != 0x0a }, as: UTF8.self)
        let words = line.split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            return Self.message("400 Bad Request", body: "")
        }
        guard words[0] == "GET" || words[0] == "HEAD" else {
            return Self.message("405 Method Not Allowed", headers: ["Allow: GET, HEAD"], body: "")
        }
        let isUp = standing.isHealthy && !standing.isDraining && localEndpoints > 0
        return Self.message(
            isUp ? "200 OK" : "503 Service Unavailable",
            headers: [
                "Content-Type: application/json",
                "X-Load-Balancing-Endpoint-Weight: \(standing.isDraining ? 0 : localEndpoints)",
            ], body: body(standing), isHead: words[0] == "HEAD")
    }

    /// What is said to a head that is too long.
    static var tooLong: [UInt8] { message("431 Request Header Fields Too Large", body: "") }

    /// A head ends with an empty line (RFC 9112 §2.1); a line may end without a carriage return
    /// (§2.2).
    private static func isComplete(_ head: some Collection<UInt8>) -> Bool {
        var newlines = 0
        for byte in head {
            switch byte {
            case 0x0a: newlines += 1
            case 0x0d: continue
            default: newlines = 0
            }
            if newlines == 2 { return true }
        }
        return false
    }

    /// What kube-proxy says, and beside it that the node is drained.
    private func body(_ standing: HealthCheckPlan.Standing) -> String {
        "{\"service\":{\"namespace\":\(Self.quoted(service.namespace)),"
            + "\"name\":\(Self.quoted(service.name))},\"localEndpoints\":\(localEndpoints),"
            + "\"serviceProxyHealthy\":\(standing.isHealthy)"
            + (standing.isDraining ? ",\"nodeDraining\":true" : "") + "}\n"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func message(
        _ status: String, headers: [String] = [], body: String, isHead: Bool = false
    ) -> [UInt8] {
        let lines =
            ["HTTP/1.1 " + status] + headers + [
                "X-Content-Type-Options: nosniff", "Content-Length: \(body.utf8.count)",
                "Connection: close", "", "",
            ]
        return Array((lines.joined(separator: "\r\n") + (isHead ? "" : body)).utf8)
    }
}
