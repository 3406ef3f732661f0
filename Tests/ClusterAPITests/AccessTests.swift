import ClusterSource
import Foundation
import Kubernetes
import ScriptedAPIServer
import Testing

extension ClusterAPITests {
    /// Rights, credentials and definitions that are missing, and come.
    @Suite struct AccessTests {
        /// The roles without what a rule of one names.
        private func remove(
            _ resource: String, from kind: String, namespace: String, in scene: Scene
        ) throws -> JSONValue {
            let role = try #require(
                try scene.server.cluster.get(kind, namespace: namespace, Scene.account))
            let rules = (role["rules"]?.array ?? []).map { rule -> JSONValue in
                var rule = rule
                let left = (rule["resources"]?.array ?? []).filter { $0.string != resource }
                rule["resources"] = .array(left)
                return rule
            }
            try scene.server.cluster.patch(
                kind, namespace: namespace, Scene.account, ["rules": .array(rules)])
            return role["rules"] ?? []
        }

        @Test("what must be read and is forbidden is named with verb and resource, and waited for")
        func forbiddenList() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                let rules = try remove(
                    "services", from: "clusterroles", namespace: "", in: scene)
                let controller = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.eventually("the refusal is told") {
                    controller.lines.contains {
                        $0.contains("services") && $0.contains("403") && $0.contains("list")
                    }
                }
                #expect(scene.writes().isEmpty)
                try scene.server.cluster.patch(
                    "clusterroles", Scene.account, ["rules": rules])
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
                #expect(controller.problems == [])
            }
        }

        @Test("what may be missing and is forbidden is a problem, and everything else goes on")
        func forbiddenKind() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                let rules = try remove(
                    "bgppeers", from: "roles", namespace: Scene.namespace, in: scene)
                let controller = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
                let problem = try #require(
                    controller.problems.first { $0.contains("bgppeers") })
                #expect(problem.contains("forbidden"))
                #expect(problem.contains("cannot watch") || problem.contains("cannot list"))
                #expect(problem.contains("grant the verbs list and watch"))
                #expect(problem.contains(Scene.namespace))
                try scene.server.cluster.patch(
                    "roles", namespace: Scene.namespace, Scene.account, ["rules": rules])
                try await scene.eventually("the problem is over") { controller.problems == [] }
            }
        }

        @Test("a write that is forbidden is named, and made when it is allowed")
        func forbiddenWrite() async throws {
            try await Scene.play { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                let rules = try remove(
                    "services/status", from: "clusterroles", namespace: "", in: scene)
                let controller = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.eventually("the refusal is told") {
                    controller.lines.contains {
                        $0.contains("could not write status") && $0.contains("cannot patch")
                            && $0.contains("services/status")
                    }
                }
                try scene.server.cluster.patch(
                    "clusterroles", Scene.account, ["rules": rules])
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
            }
        }

        @Test("a definition that is not installed is named, and taken up when it is")
        func missingDefinition() async throws {
            try await Scene.play(lacks: ["bfdprofiles", "ipaddresspools"]) { scene in
                let controller = try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.eventually("the missing kind is told") {
                    controller.lines.contains {
                        $0.contains("ipaddresspools") && $0.contains("404")
                    }
                }
                for file in try Scene.deployed("crds") where file.name == "ipaddresspools" {
                    try scene.server.cluster.apply(yaml: file.text)
                }
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
                let problem = try #require(
                    controller.problems.first { $0.contains("bfdprofiles") })
                #expect(problem.contains("install the CustomResourceDefinitions"))
            }
        }

        @Test("a token that expires is read again from its file")
        func tokenExpiry() async throws {
            try await Scene.play { scene in
                let file = scene.folder.appending(path: "token")
                let user = ServerUser.serviceAccount(Scene.namespace, Scene.account)
                func issue() throws {
                    let token = scene.server.tokens.issue(to: user)
                    try token.write(to: file, atomically: true, encoding: .utf8)
                }
                try issue()
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                let controller = try scene.begin { access in
                    access.authorization = .tokenFile(file.path, initial: nil)
                }
                try scene.create(Sample.service("before"))
                try await scene.addresses(of: "before", become: ["192.0.2.0"])
                scene.server.tokens.revokeAll(of: user)
                try scene.create(Sample.service("meanwhile"))
                try await scene.eventually("the server refuses the old token") {
                    scene.server.requests.count(code: 401) > 0
                }
                try issue()
                try await scene.addresses(of: "meanwhile", become: ["192.0.2.1"])
                #expect(try scene.addresses(of: "before") == ["192.0.2.0"])
                #expect(controller.leads)
            }
        }

        @Test(
            "a server whose authority changes is believed once the file says so",
            arguments: [true, false])
        func authorityChange(http2: Bool) async throws {
            var settings = ServerSettings()
            let old = try ServerCertificates.make(name: "old")
            let new = try ServerCertificates.make(name: "new")
            settings.certificates = old
            settings.offersHTTP2 = http2
            try await Scene.play(settings) { scene in
                let file = scene.folder.appending(path: "ca.pem")
                try old.authority.write(to: file, atomically: true, encoding: .utf8)
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                let controller = try scene.begin { access in
                    access.trust = .authorities(.file(file.path))
                }
                try scene.create(Sample.service("before"))
                try await scene.addresses(of: "before", become: ["192.0.2.0"])
                #expect(scene.server.requests.all().allSatisfy { $0.isHTTP2 == http2 })
                scene.server.use(new)
                scene.server.dropConnections()
                try await scene.eventually("the stranger is not believed") {
                    controller.state?.lastGoodSince != nil
                }
                try scene.create(Sample.service("meanwhile"))
                try new.authority.write(to: file, atomically: true, encoding: .utf8)
                try await scene.addresses(of: "meanwhile", become: ["192.0.2.1"])
                try await scene.eventually("all is current again") {
                    controller.state?.lastGoodSince == nil && controller.problems == []
                }
                #expect(try scene.addresses(of: "before") == ["192.0.2.0"])
            }
        }

        @Test("a server that keeps no ipMode and no ports of an address is not written to again")
        func olderServer() async throws {
            var settings = ServerSettings()
            settings.streamingLists = .ignored
            settings.version = "v1.24.17"
            try await Scene.play(settings) { scene in
                try scene.create(Sample.pool("east", "192.0.2.0/24"))
                try scene.create(Sample.advertisement)
                try scene.begin()
                try scene.create(Sample.service("web"))
                try await scene.addresses(of: "web", become: ["192.0.2.0"])
                try scene.change(
                    "web", ["status": ["loadBalancer": ["ingress": [["ip": "192.0.2.0"]]]]],
                    subresource: "status")
                try scene.create(Sample.service("later"))
                try await scene.addresses(of: "later", become: ["192.0.2.1"])
                #expect(scene.writes(of: "web").count == 1)
            }
        }
    }
}
