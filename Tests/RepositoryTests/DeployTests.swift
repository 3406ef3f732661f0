import Foundation
import Testing
import Yams

/// What `kubectl apply -k deploy/kubernetes` would install.
@Suite struct DeployTests {
    static let lasting = ["admission-policy", "lease-fencing", "monitoring", "nftables-dataplane"]
    static let components = lasting + ["beside-metallb"]

    private static let canRender: Bool = {
        let environment = ProcessInfo.processInfo.environment
        if environment["CI"] == "true" { return true }
        let paths = (environment["PATH"] ?? "").split(separator: ":")
        return paths.contains { FileManager.default.isExecutableFile(atPath: "\($0)/kubectl") }
    }()

    @Test("every manifest belongs to the base or to a component")
    func nothingIsForgotten() throws {
        let all = try Kustomization(components: Self.components)
        let present = try Repository().files.filter { $0.hasPrefix(Kustomization.folder + "/") }
        #expect(Set(present) == all.files)
        let folders = present.compactMap { file -> String? in
            let parts = file.split(separator: "/")
            return parts.count > 3 && parts[2] == "components" ? String(parts[3]) : nil
        }
        #expect(Set(folders) == Set(Self.components))
    }

    @Test(
        "every object has a kind, a name of its own, our label, and a namespace where it needs one")
    func wellFormed() throws {
        let all = try Kustomization(components: Self.lasting)
        let global: Set = [
            "Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding",
            "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding",
        ]
        var seen: Set<String> = []
        for object in all.objects {
            #expect(object["apiVersion"] is String, "\(object.file)")
            #expect(seen.insert("\(object.kind) \(object.name)").inserted, "\(object.name) twice")
            #expect(
                object.namespace == (global.contains(object.kind) ? nil : "metallb-system"),
                "\(object.kind) \(object.name)")
            let labels = object["metadata", "labels"] as? [String: String]
            #expect(labels?["app.kubernetes.io/name"] == "martlet", "\(object.name)")
        }
        #expect(seen.count >= 30)
    }

    @Test(
        "kubectl renders the base, and finds the same objects",
        .enabled(if: canRender, "there is no kubectl in PATH"))
    func rendering() throws {
        let repository = try Repository()
        let kubectl = Process()
        kubectl.executableURL = URL(filePath: "/usr/bin/env")
        let folder = repository.root.appending(path: Kustomization.folder).path
        kubectl.arguments = ["kubectl", "kustomize", folder]
        let pipe = Pipe()
        kubectl.standardOutput = pipe
        try kubectl.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        kubectl.waitUntilExit()
        try #require(kubectl.terminationStatus == 0)
        let text = String(decoding: data, as: UTF8.self)
        let rendered = try Yams.load_all(yaml: text).compactMap { $0 as? [String: Any] }.map {
            Kustomization.Object(fields: $0, file: "kubectl")
        }
        let base = try Kustomization()
        #expect(
            Set(rendered.map { "\($0.kind) \($0.name)" })
                == Set(base.objects.map { "\($0.kind) \($0.name)" }))
        let version = try repository.text("Sources/martlet/Martlet.swift")
            .firstMatch(of: /version: "([0-9.]+)"/)?.1
        #expect(text.contains("image: martlet:\(try #require(version))\n"))
    }

    @Test("no role has a wildcard, and nobody writes more than status, Events and Leases")
    func rights() throws {
        let all = try Kustomization(components: Self.components)
        let roles = all.objects.filter { $0.kind.hasSuffix("Role") }
        #expect(
            roles.map { "\($0.kind) \($0.name)" }.sorted() == [
                "ClusterRole martlet-controller", "ClusterRole martlet-speaker",
                "Role martlet-controller", "Role martlet-speaker", "Role martlet-speaker-fencing",
            ])
        let reports: Set = ["configurationstates", "servicel2statuses", "servicebgpstatuses"]
        for role in roles {
            for rule in role["rules"] as? [[String: Any]] ?? [] {
                let groups = rule["apiGroups"] as? [String] ?? []
                let resources = rule["resources"] as? [String] ?? []
                let verbs = Set(rule["verbs"] as? [String] ?? [])
                #expect(!groups.isEmpty && !resources.isEmpty && !verbs.isEmpty)
                #expect(verbs.isSubset(of: ["get", "list", "watch", "create", "patch", "delete"]))
                for resource in resources {
                    #expect(!resource.contains("*") && !groups.contains("*"))
                    let mayPatch =
                        resource.hasSuffix("/status") || ["events", "leases"].contains(resource)
                    #expect(mayPatch || !verbs.contains("patch"), "\(role.name) \(resource)")
                    #expect(reports.contains(resource) || !verbs.contains("delete"))
                    if role.kind == "ClusterRole" {
                        #expect(!["secrets", "leases", "pods"].contains(resource))
                    }
                }
            }
        }
        let speaker = try #require(all["ClusterRole", "martlet-speaker"])
        #expect("\(speaker["rules"] ?? "")".contains("endpointslices"))
        #expect(!"\(speaker["rules"] ?? "")".contains("services/status"))
    }

    @Test("every right belongs to a ServiceAccount that a workload runs as")
    func bindings() throws {
        let all = try Kustomization(components: Self.components)
        for binding in all.objects where binding.kind.hasSuffix("RoleBinding") {
            let role = try #require(binding["roleRef", "name"] as? String)
            #expect(all[binding["roleRef", "kind"] as? String ?? "", role] != nil)
            for subject in try #require(binding["subjects"] as? [[String: String]]) {
                #expect(all["ServiceAccount", subject["name"] ?? ""] != nil)
                #expect(subject["namespace"] == "metallb-system")
            }
        }
        for (kind, name) in [
            ("Deployment", "martlet-controller"), ("DaemonSet", "martlet-speaker"),
        ] {
            let pod = all[kind, name]?["spec", "template", "spec"] as? [String: Any]
            #expect(pod?["serviceAccountName"] as? String == name)
        }
    }

    @Test("workloads have the privileges that they need and no others")
    func privileges() throws {
        let base = try Kustomization()
        let speaker = try #require(base.container("DaemonSet", "martlet-speaker"))
        let controller = try #require(base.container("Deployment", "martlet-controller"))
        for container in [speaker, controller] {
            let security = try #require(container["securityContext"] as? [String: Any])
            #expect(security["allowPrivilegeEscalation"] as? Bool == false)
            #expect(security["readOnlyRootFilesystem"] as? Bool == true)
            #expect(security["privileged"] == nil)
            let capabilities = security["capabilities"] as? [String: [String]]
            #expect(capabilities?["drop"] == ["ALL"])
            let added = Set(capabilities?["add"] ?? [])
            #expect(added.isSubset(of: ["NET_RAW", "SYS_NICE", "NET_BIND_SERVICE"]))
            #expect(container["resources"] != nil && container["livenessProbe"] != nil)
        }
        let pods = ["DaemonSet/martlet-speaker", "Deployment/martlet-controller"].map { name in
            let parts = name.split(separator: "/").map(String.init)
            return base[parts[0], parts[1]]?["spec", "template", "spec"] as? [String: Any] ?? [:]
        }
        #expect(pods[0]["hostNetwork"] as? Bool == true && pods[1]["hostNetwork"] == nil)
        let context = pods[1]["securityContext"] as? [String: Any]
        #expect(context?["runAsNonRoot"] as? Bool == true)
        for pod in pods {
            let seccomp = (pod["securityContext"] as? [String: Any])?["seccompProfile"]
            #expect((seccomp as? [String: String])?["type"] == "RuntimeDefault")
            #expect(pod["terminationGracePeriodSeconds"] as? Int == 30)
        }
    }

    @Test("components add their flags, and tolerate one another")
    func componentsApply() throws {
        func flags(_ kustomization: Kustomization) -> [String] {
            kustomization.container("DaemonSet", "martlet-speaker")?["args"] as? [String] ?? []
        }
        let base = flags(try Kustomization())
        #expect(base.first == "speaker" && base.contains("--in-cluster"))
        let all = try Kustomization(components: Self.components)
        #expect(
            Set(flags(all)).subtracting(base) == [
                "--fencing=lease", "--dataplane=nftables", "--namespace=martlet-system",
                "--load-balancer-class=martlet.dev/martlet", "--admin=[$(HOST_IP)]:7480",
            ])
        let pod = all["DaemonSet", "martlet-speaker"]?["spec", "template", "spec"]
        #expect((pod as? [String: Any])?["affinity"] == nil)
    }

    @Test("a trial beside MetalLB has no CRDs, so that deleting it deletes nobody's pools")
    func trial() throws {
        let trial = try Kustomization(components: ["beside-metallb"])
        #expect(!trial.objects.contains { $0.kind == "CustomResourceDefinition" })
        let base = try Kustomization()
        #expect(base.objects.count { $0.kind == "CustomResourceDefinition" } == 9)
        #expect(trial.objects.count == base.objects.count - 9)
    }

    @Test("nothing in the base differs from itself after the server has read it")
    func noEmptyLists() throws {
        // A server drops empty lists, and every `kubectl apply` would find a difference.
        for object in try Kustomization().objects where object.kind == "NetworkPolicy" {
            let spec = try #require(object["spec"] as? [String: Any])
            #expect(!spec.values.contains { ($0 as? [Any])?.isEmpty == true }, "\(object.name)")
        }
    }
}
