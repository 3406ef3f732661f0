import Foundation
import Testing

@testable import ClusterSource

@Suite struct KubeconfigTests {
    let folder: TemporaryFolder
    let good = """
        apiVersion: v1
        kind: Config
        preferences: {}
        current-context: lab
        clusters:
        - name: lab
          cluster:
            server: https://192.0.2.10:6443
            certificate-authority-data: \(Data("pem".utf8).base64EncodedString())
        users:
        - name: admin
          user:
            token: 12345
        contexts:
        - name: lab
          context: {cluster: lab, user: admin, namespace: web}
        - name: bare
          context: {cluster: lab}
        """

    init() throws { folder = try TemporaryFolder() }

    private func access(
        _ text: String, context: String? = nil
    ) throws -> ClusterAccess {
        try .kubeconfig(paths: [try folder.write(text, to: "config")], context: context)
    }

    private func complaint(_ text: String, context: String? = nil) throws -> ClusterAccessError {
        let path = try folder.write(text, to: "config")
        return try #require(throws: ClusterAccessError.self) {
            _ = try ClusterAccess.kubeconfig(paths: [path], context: context)
        }
    }

    @Test func `the current context says server, authority, user and namespace`() throws {
        let access = try access(good)
        #expect(access.server.description == "https://192.0.2.10:6443")
        #expect(access.trust == .authorities(.bytes(Array("pem".utf8))))
        #expect(access.authorization == .token("12345"))
        #expect(access.namespace == "web")
        #expect("\(access)" == "https://192.0.2.10:6443 (context lab)")
    }

    @Test func `a context can be chosen, and one without a user is nobody`() throws {
        let access = try access(good, context: "bare")
        #expect(access.authorization == .none)
        #expect(access.namespace == "default")
    }

    @Test func `a context that is not there is refused with those that are`() throws {
        let error = try complaint(good, context: "prod")
        #expect(error.context == "prod")
        #expect(error.file == folder.path("config"))
        #expect(error.remedy.contains("bare, lab"))
    }

    @Test func `of several files the first that names something counts as a whole`() throws {
        let first = try folder.write(
            """
            users:
            - name: admin
              user: {username: root, password: secret}
            """, to: "first")
        let second = try folder.write(good, to: "second")
        let access = try ClusterAccess.kubeconfig(
            paths: [folder.path("missing"), first, second])
        #expect(access.authorization == .password(user: "root", password: "secret"))
        #expect(access.origin == .kubeconfig(context: "lab", files: [first, second]))
    }

    @Test func `when no file exists the message names them and the way out`() throws {
        let error = try #require(throws: ClusterAccessError.self) {
            _ = try ClusterAccess.kubeconfig(paths: ["/nowhere/a", "/nowhere/b"])
        }
        #expect("\(error)".contains("/nowhere/a, /nowhere/b"))
        #expect("\(error)".contains("--kubeconfig"))
    }

    @Test func `paths are relative to the file that has them`() throws {
        try FileManager.default.createDirectory(
            atPath: folder.path("pki"), withIntermediateDirectories: true)
        for name in ["ca.crt", "me.crt", "me.key"] { try folder.write("x", to: "pki/" + name) }
        let access = try access(
            """
            current-context: a
            clusters:
            - name: a
              cluster: {server: 'https://api.example.com', certificate-authority: pki/ca.crt}
            users:
            - name: a
              user: {client-certificate: pki/me.crt, client-key: pki/me.key, tokenFile: token}
            contexts:
            - name: a
              context: {cluster: a, user: a}
            """)
        #expect(access.trust == .authorities(.file(folder.path("pki/ca.crt"))))
        #expect(access.identity?.key == .file(folder.path("pki/me.key")))
        #expect(access.authorization == .tokenFile(folder.path("token"), initial: nil))
    }

    @Test func `an exec plugin keeps arguments, variables and hint`() throws {
        let access = try access(
            good.replacingOccurrences(
                of: "    token: 12345",
                with: """
                        exec:
                          apiVersion: client.authentication.k8s.io/v1
                          command: ./get-token
                          args: [--cluster, lab]
                          env: [{name: REGION, value: eu}]
                          installHint: install get-token
                          interactiveMode: IfAvailable
                          provideClusterInfo: true
                    """))
        guard case .plugin(let plugin) = access.authorization else {
            Issue.record("no plugin: \(access.authorization)")
            return
        }
        #expect(plugin.command == folder.path("./get-token"))
        #expect(plugin.version == .v1)
        #expect(plugin.arguments == ["--cluster", "lab"])
        #expect(plugin.environment == ["REGION": "eu"])
        #expect(plugin.installHint == "install get-token")
        #expect(plugin.clusterInfo?.server == "https://192.0.2.10:6443")
        #expect(plugin.clusterInfo?.authorityData == Array("pem".utf8))
    }

    static let mistakes: [(from: String, to: String, field: String, says: String)] = [
        ("https://192.0.2.10:6443", "192.0.2.10", "clusters[lab].cluster.server", "https://"),
        ("cluster: lab, user", "cluster: lib, user", "contexts[lab].context.cluster", "\"lib\""),
        ("user: admin,", "user: bob,", "contexts[lab].context.user", "admin"),
        (
            "token: 12345", "auth-provider: {name: gcp}", "users[admin].user.auth-provider",
            "exec plugin"
        ),
        (
            "token: 12345", "client-certificate-data: eA==",
            "users[admin].user.client-key-data", "without a key"
        ),
        (
            "token: 12345", "client-certificate: gone.crt",
            "users[admin].user.client-certificate", "no such file"
        ),
        (
            "token: 12345", "exec: {command: x, apiVersion: client.authentication.k8s.io/v1alpha1}",
            "users[admin].user.exec.apiVersion", "v1beta1"
        ),
        (
            "token: 12345",
            "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, "
                + "interactiveMode: Always}",
            "users[admin].user.exec.interactiveMode", "Never"
        ),
        ("token: 12345", "{token: a, username: b}", "users[admin].user.username", "remove one"),
        ("token: 12345", "as-groups: [a]", "users[admin].user.as", "name the user"),
        (
            "certificate-authority-data: ", "certificate-authority-data: '*'#",
            "clusters[lab].cluster.certificate-authority-data", "base64"
        ),
        (
            "    server: ", "    insecure-skip-tls-verify: true\n    server: ",
            "clusters[lab].cluster.insecure-skip-tls-verify", "remove"
        ),
        (
            "    server: ", "    proxy-url: http://192.0.2.9\n    server: ",
            "clusters[lab].cluster.tls-server-name", "kubernetes"
        ),
        (
            "    server: ", "    proxy-url: https://u:hush@192.0.2.9\n    server: ",
            "clusters[lab].cluster.proxy-url", "http://HOST:PORT"
        ),
    ]

    @Test(arguments: mistakes.indices)
    func `a mistake is told with file, context, field and way out`(_ index: Int) throws {
        let mistake = Self.mistakes[index]
        let error = try complaint(good.replacingOccurrences(of: mistake.from, with: mistake.to))
        #expect(error.file == folder.path("config"))
        #expect(error.context == "lab")
        #expect(error.field == mistake.field)
        #expect("\(error)".contains(mistake.says), "\(error)")
        #expect(!"\(error)".contains("hush"))
    }

    @Test func `a value of the wrong kind is told with its place`() throws {
        let error = try complaint(
            good.replacingOccurrences(of: "token: 12345", with: "exec: {args: 5}"))
        #expect(error.field == "users[0].user.exec.args")
        #expect(try complaint("a: [").file == folder.path("config"))
    }

    @Test func `a file that kubectl wrote for another tool's context is no hindrance`() throws {
        let access = try access(
            good + """

                extensions:
                - name: minikube.sigs.k8s.io
                  extension: {last-update: never}
                """)
        #expect(access.namespace == "web")
    }

    @Test func `the files are those of KUBECONFIG or the one in the home folder`() {
        #expect(ClusterAccess.kubeconfigPaths(environment: ["KUBECONFIG": "a::b"]) == ["a", "b"])
        #expect(
            ClusterAccess.kubeconfigPaths(environment: ["HOME": "/home/x"]) == [
                "/home/x/.kube/config"
            ])
    }

    @Test func `a proxy may have a user`() throws {
        let proxy = try #require(ClusterAccess.Proxy("http://u%40x:p%3A@192.0.2.9:3128/"))
        #expect(proxy.host == "192.0.2.9")
        #expect(proxy.port == 3128)
        #expect(proxy.user == "u@x")
        #expect(proxy.password == "p:")
        #expect(ClusterAccess.Proxy("socks5://[2001:db8::1]")?.port == 1080)
        #expect(ClusterAccess.Proxy("ftp://192.0.2.9") == nil)
    }
}

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("https://192.0.2.1:6443", "https://192.0.2.1:6443"),
        ("HTTPS://api.example.com", "https://api.example.com"),
        ("https://[2001:db8::1]:6443/", "https://[2001:db8::1]:6443"),
        ("http://127.0.0.1:8080/k8s/clusters/c-1/", "http://127.0.0.1:8080/k8s/clusters/c-1"),
    ])
    func `a URL is taken apart and put together again`(_ url: String, _ again: String) {
        #expect(ServerAddress(url)?.description == again)
    }

    @Test(arguments: [
        "", "192.0.2.1:6443", "https://", "https://:6443", "https://a:0", "https://a:b",
        "https://a b", "https://a/?x", "https://user@a", "https://2001:db8::1", "ftp://a",
        "https://[192.0.2.1", "https://a\r\nx: y",
    ])
    func `what is no URL of a server is refused`(_ url: String) {
        #expect(ServerAddress(url) == nil)
    }

    @Test func `a query is encoded so that the server sees what was meant`() {
        let request = APIRequest(
            path: "/api/v1/services",
            query: [("labelSelector", "a=b,!c"), ("continue", "x+y/z= &")])
        #expect(
            request.target
                == "/api/v1/services?labelSelector=a%3Db%2C%21c&continue=x%2By%2Fz%3D%20%26")
        #expect(request.answerBound == APIRequest.ordinaryBound)
        #expect(APIRequest(path: "/x", query: [("limit", "5")]).answerBound == 64 << 20)
    }
}

@Suite struct InClusterTests {
    let environment = ["KUBERNETES_SERVICE_HOST": "2001:db8::1", "KUBERNETES_SERVICE_PORT": "443"]

    @Test func `a pod finds its server, token, authority and namespace`() throws {
        let folder = try TemporaryFolder()
        for (name, text) in [("token", "t"), ("ca.crt", "c"), ("namespace", "metallb-system\n")] {
            try folder.write(text, to: name)
        }
        let access = try ClusterAccess.inCluster(environment: environment, folder: folder.root)
        #expect(access.server.description == "https://[2001:db8::1]")
        #expect(access.authorization == .tokenFile(folder.path("token"), initial: nil))
        #expect(access.trust == .authorities(.file(folder.path("ca.crt"))))
        #expect(access.namespace == "metallb-system")
    }

    @Test func `outside of a pod the message says so`() throws {
        let error = try #require(throws: ClusterAccessError.self) {
            _ = try ClusterAccess.inCluster(environment: [:])
        }
        #expect("\(error)".contains("--kubeconfig"))
    }

    @Test func `a pod without a token is told how to get one`() throws {
        let folder = try TemporaryFolder()
        let error = try #require(throws: ClusterAccessError.self) {
            _ = try ClusterAccess.inCluster(environment: environment, folder: folder.root)
        }
        #expect(error.file == folder.path("token"))
        #expect("\(error)".contains("automountServiceAccountToken"))
    }
}
