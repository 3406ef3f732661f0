import AsyncHTTPClient
import NIOSSL
import ScriptedAPIServer
import Testing

/// Who may what.
@Suite struct AccessTests {
    private static let roles = """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRole
        metadata: {name: reader}
        rules:
        - {apiGroups: [""], resources: [services], verbs: [get, list]}
        - {apiGroups: [""], resources: [services/status], verbs: [patch]}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: reader}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
        subjects: [{kind: ServiceAccount, name: agent, namespace: team}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: one, namespace: team}
        rules:
        - {apiGroups: [""], resources: [secrets], resourceNames: [mine], verbs: [get, list]}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: one, namespace: team}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one}
        subjects: [{kind: ServiceAccount, name: agent, namespace: team}]
        """
    private static let agent = ServerUser.serviceAccount("team", "agent")

    @Test("without a token, or with one that is revoked, the answer is 401")
    func unauthorized() async throws {
        try await ServerClient.with { server, client async throws in
            var stranger = client
            stranger.token = nil
            #expect(try await stranger.get("/api/v1/services").code == 401)
            #expect(try await client.get("/api/v1/services").code == 200)
            server.tokens.revoke(client.token ?? "")
            #expect(try await client.get("/api/v1/services").code == 401)
        }
    }

    @Test("roles grant by verb, resource, subresource, namespace and name, and nothing more")
    func roles() async throws {
        try await ServerClient.with(user: Self.agent) { server, client async throws in
            try server.cluster.apply(yaml: Self.roles)
            try server.cluster.create(Sample.service("a"))
            #expect(try await client.get("/api/v1/services").code == 200)
            let path = "\(Sample.services)/a"
            #expect(try await client.patch("\(path)/status", Sample.ingress).code == 200)
            #expect(try await client.patch(path, ["metadata": [:]]).code == 403)
            #expect(try await client.send("DELETE", path).code == 403)
            #expect(try await client.get("/api/v1/services?watch=1").code == 403)
            #expect(try await client.get("/api/v1/namespaces/team/secrets/mine").code == 404)
            #expect(try await client.get("/api/v1/namespaces/team/secrets/other").code == 403)
            // A list of what a field selector names is a list of that one.
            let secrets = "/api/v1/namespaces/team/secrets"
            let mine = "\(secrets)?fieldSelector=metadata.name%3Dmine"
            #expect(try await client.get(mine).code == 200)
            #expect(try await client.get("\(mine)s").code == 403)
            #expect(try await client.get("/api/v1/namespaces/default/secrets/mine").code == 403)
            #expect(try await client.get("/api/v1/namespaces/team/secrets").code == 403)
        }
    }

    @Test("a refusal reads as a server's")
    func refusalText() async throws {
        try await ServerClient.with(user: Self.agent) { server, client async throws in
            try server.cluster.apply(yaml: Self.roles)
            let user = "User \"system:serviceaccount:team:agent\""
            #expect(
                try await client.get("/apis/discovery.k8s.io/v1/endpointslices").message
                    == "endpointslices.discovery.k8s.io is forbidden: \(user) cannot list resource "
                    + "\"endpointslices\" in API group \"discovery.k8s.io\" at the cluster scope")
            #expect(
                try await client.get("/api/v1/namespaces/team/configmaps/x").message
                    == "configmaps \"x\" is forbidden: \(user) cannot get resource \"configmaps\" "
                    + "in API group \"\" in the namespace \"team\"")
        }
    }

    @Test("a right that is taken away is gone with the next request")
    func revokedRole() async throws {
        try await ServerClient.with(user: Self.agent) { server, client async throws in
            try server.cluster.apply(yaml: Self.roles)
            #expect(try await client.get("/api/v1/services").code == 200)
            try server.cluster.delete("clusterrolebindings.rbac.authorization.k8s.io", "reader")
            #expect(try await client.get("/api/v1/services").code == 403)
        }
    }

    @Test("a client certificate names the user and the groups")
    func clientCertificate() async throws {
        let certificates = try ServerCertificates.make()
        var settings = ServerSettings()
        settings.certificates = certificates
        let pair = try certificates.client(ServerUser(name: "jane", groups: ["system:masters"]))
        try await ServerClient.with(settings) { server, _ async throws in
            var configuration = ServerClient.configuration(certificates)
            configuration.tlsConfiguration?.certificateChain =
                try NIOSSLCertificate.fromPEMBytes(Array(pair.certificate.utf8))
                .map { .certificate($0) }
            configuration.tlsConfiguration?.privateKey = .privateKey(
                try NIOSSLPrivateKey(bytes: Array(pair.key.utf8), format: .pem))
            let client = HTTPClient(configuration: configuration)
            let answer = try await ServerClient(client: client, url: server.url, token: nil)
                .get("/api/v1/secrets")
            try await client.shutdown()
            #expect(answer.code == 200)
            #expect(answer.isHTTP2)
            #expect(server.requests.count(user: "jane", verb: "list", resource: "secrets") == 1)
        }
    }
}
