import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOSSL
import ScriptedAPIServer

/// A client that knows nothing but HTTP and JSON.
struct ServerClient: Sendable {
    struct Answer: Sendable {
        var code: Int
        var body: JSONValue
        var headers: [(String, String)]
        var isHTTP2: Bool

        var items: [JSONValue] { body["items"]?.array ?? [] }
        var names: [String] { items.compactMap { $0["metadata", "name"]?.string } }
        var message: String { body["message"]?.string ?? "" }
        var version: String { body["metadata", "resourceVersion"]?.string ?? "" }
    }

    let client: HTTPClient
    let url: String
    var token: String?

    /// Calls `body` with a started server and a client of it.
    static func with(
        _ settings: ServerSettings = ServerSettings(), user: ServerUser = .admin,
        _ body: (ScriptedAPIServer, ServerClient) async throws -> Void
    ) async throws {
        let server = ScriptedAPIServer(settings)
        try await server.start()
        let client = HTTPClient(configuration: configuration(settings.certificates))
        do {
            try await body(
                server,
                ServerClient(client: client, url: server.url, token: server.tokens.issue(to: user)))
        } catch {
            try await client.shutdown()
            try await server.stop()
            throw error
        }
        try await client.shutdown()
        try await server.stop()
    }

    static func configuration(_ certificates: ServerCertificates?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        if let certificates,
            let roots = try? NIOSSLCertificate.fromPEMBytes(Array(certificates.authority.utf8))
        {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.trustRoots = .certificates(roots)
            configuration.tlsConfiguration = tls
        }
        return configuration
    }

    func request(
        _ method: String, _ path: String, _ body: JSONValue? = nil,
        type: String = "application/json", accept: String = "application/json"
    ) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "accept", value: accept)
        request.headers.add(name: "user-agent", value: "client-of-test/1")
        if let token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body {
            request.headers.add(name: "content-type", value: type)
            request.body = .bytes(ByteBuffer(bytes: body.bytes))
        }
        return request
    }

    @discardableResult
    func send(
        _ method: String, _ path: String, _ body: JSONValue? = nil,
        type: String = "application/json", accept: String = "application/json",
        within seconds: Int64 = 20
    ) async throws -> Answer {
        let response = try await client.execute(
            request(method, path, body, type: type, accept: accept), timeout: .seconds(seconds))
        let buffer = try await response.body.collect(upTo: 256 << 20)
        let bytes = Array(buffer.readableBytesView)
        return Answer(
            code: Int(response.status.code),
            body: (try? JSONParser.parse(bytes)) ?? .string(String(decoding: bytes, as: UTF8.self)),
            headers: response.headers.map { ($0.name, $0.value) },
            isHTTP2: response.version == .http2)
    }

    func get(_ path: String) async throws -> Answer { try await send("GET", path) }

    func patch(
        _ path: String, _ body: JSONValue, as kind: PatchKind = .merge
    ) async throws -> Answer {
        try await send("PATCH", path, body, type: kind.rawValue)
    }

    /// Reads the events of a watch until there are so many or it ends.
    func watch(
        _ path: String, _ count: Int, whileOpen: @Sendable () async throws -> Void = {}
    ) async throws -> [JSONValue] {
        try await watch(path, until: { $0.count >= count }, whileOpen: whileOpen)
    }

    /// The events of a watch up to those that are enough.
    func watch(
        _ path: String, until isEnough: ([JSONValue]) -> Bool,
        whileOpen: @Sendable () async throws -> Void = {}
    ) async throws -> [JSONValue] {
        let response = try await client.execute(request("GET", path), timeout: .seconds(20))
        try await whileOpen()
        var events: [JSONValue] = []
        var line: [UInt8] = []
        for try await part in response.body {
            for byte in part.readableBytesView {
                guard byte == 0x0A else {
                    line.append(byte)
                    continue
                }
                events.append(try JSONParser.parse(line))
                line = []
            }
            if isEnough(events) { return events }
        }
        return events
    }
}

extension JSONValue {
    var name: String { self["metadata", "name"]?.string ?? "" }
    var version: String { self["metadata", "resourceVersion"]?.string ?? "" }
}

/// Objects for tests.
enum Sample {
    static func service(_ name: String, labels: JSONValue = [:]) -> JSONValue {
        [
            "apiVersion": "v1", "kind": "Service",
            "metadata": ["name": .string(name), "namespace": "default", "labels": labels],
            "spec": [
                "type": "LoadBalancer", "selector": ["app": .string(name)],
                "ports": [["port": 80]],
            ],
        ]
    }

    static let ingress: JSONValue = [
        "status": [
            "loadBalancer": ["ingress": [["ip": "192.0.2.1", "ipMode": "VIP"]]]
        ]
    ]

    static let services = "/api/v1/namespaces/default/services"

    static let widgets = """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: widgets.example.org}
        spec:
          group: example.org
          names: {plural: widgets, kind: Widget, shortNames: [wd]}
          scope: Namespaced
          versions:
          - name: v1
            served: true
            storage: true
            subresources: {status: {}}
            additionalPrinterColumns:
            - {name: Size, type: integer, jsonPath: .spec.size}
            schema:
              openAPIV3Schema:
                type: object
                required: [spec]
                properties:
                  spec:
                    type: object
                    required: [size]
                    x-kubernetes-validations:
                    - {rule: "self.size > 0", message: "must have a size"}
                    properties:
                      size: {type: integer, minimum: 1, maximum: 10}
                      color: {type: string, enum: [red, green], default: red}
                      code: {type: string, pattern: "^[a-z]+$", maxLength: 4}
                      parts:
                        type: array
                        x-kubernetes-list-type: map
                        x-kubernetes-list-map-keys: [id]
                        items:
                          type: object
                          required: [id]
                          properties: {id: {type: string}, text: {type: string}}
                      tags:
                        type: array
                        x-kubernetes-list-type: set
                        items: {type: string}
                  status:
                    type: object
                    properties: {state: {type: string}}
        """

    static func widget(_ name: String, _ spec: JSONValue = ["size": 3]) -> JSONValue {
        [
            "apiVersion": "example.org/v1", "kind": "Widget",
            "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
        ]
    }
}
