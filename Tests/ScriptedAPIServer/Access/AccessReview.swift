/// What a request wants to do, in the terms of RBAC.
struct AccessRequest: Sendable {
    var verb: String
    var group: String
    var resource: String
    var subresource = ""
    var namespace = ""
    var name = ""
    /// The only name that a list or watch selects by its fields; roles for names permit it as well.
    var selectedName = ""

    var qualified: String { subresource.isEmpty ? resource : "\(resource)/\(subresource)" }
}

/// Roles and bindings, read once until one of them changes.
struct AccessReview: Sendable {
    struct Rule: Sendable {
        var verbs: Set<String>
        var groups: Set<String>
        var resources: Set<String>
        var names: Set<String>

        init?(_ value: JSONValue) {
            func set(_ key: String) -> Set<String> {
                Set((value[key]?.array ?? []).compactMap(\.string))
            }
            verbs = set("verbs")
            groups = set("apiGroups")
            resources = set("resources")
            names = set("resourceNames")
            if resources.isEmpty { return nil }
        }

        func permits(_ request: AccessRequest) -> Bool {
            func has(_ set: Set<String>, _ word: String) -> Bool {
                set.contains(word) || set.contains("*")
            }
            guard has(verbs, request.verb), has(groups, request.group) else { return false }
            guard
                has(resources, request.qualified)
                    || (!request.subresource.isEmpty
                        && resources.contains("*/\(request.subresource)"))
            else { return false }
            return names.isEmpty || names.contains(request.name)
                || (request.name.isEmpty && names.contains(request.selectedName))
        }
    }

    private struct Grant: Sendable {
        /// `nil` for the whole cluster.
        var namespace: String?
        var rules: [Rule]
    }

    private var users: [String: [Grant]] = [:]
    private var groups: [String: [Grant]] = [:]

    init(_ state: borrowing ClusterState) {
        func objects(_ plural: String) -> [StoredObject] {
            let name = GroupResource("rbac.authorization.k8s.io", plural)
            return state.collections[name].map { Array($0.objects.values) } ?? []
        }
        var roles: [String: [Rule]] = [:]
        for role in objects("roles") + objects("clusterroles") {
            roles[role.key] = (role.content["rules"]?.array ?? []).compactMap(Rule.init)
        }
        for binding in objects("rolebindings") + objects("clusterrolebindings") {
            let isCluster = binding.content["roleRef", "kind"] == "ClusterRole"
            let name = binding.content["roleRef", "name"]?.string ?? ""
            let key = StoredObject.key(
                namespace: isCluster ? "" : binding.namespace, name: name)
            guard let rules = roles[key] else { continue }
            let grant = Grant(
                namespace: binding.namespace.isEmpty ? nil : binding.namespace, rules: rules)
            for subject in binding.content["subjects"]?.array ?? [] {
                let name = subject["name"]?.string ?? ""
                switch subject["kind"]?.string {
                case "ServiceAccount"?:
                    let namespace = subject["namespace"]?.string ?? binding.namespace
                    users["system:serviceaccount:\(namespace):\(name)", default: []].append(grant)
                case "Group"?: groups[name, default: []].append(grant)
                default: users[name, default: []].append(grant)
                }
            }
        }
    }

    func permits(_ user: ServerUser, _ request: AccessRequest) -> Bool {
        if user.isMaster { return true }
        let grants = (users[user.name] ?? []) + user.groups.flatMap { groups[$0] ?? [] }
        return grants.contains { grant in
            if let namespace = grant.namespace, namespace != request.namespace { return false }
            return grant.rules.contains { $0.permits(request) }
        }
    }

    /// The answer to one who may not, in the words of a server.
    static func refusal(_ user: ServerUser, _ request: AccessRequest) -> StatusError {
        let qualified = GroupResource(request.group, request.resource).description
        let object = request.name.isEmpty ? qualified : "\(qualified) \"\(request.name)\""
        let place =
            request.namespace.isEmpty
            ? "at the cluster scope" : "in the namespace \"\(request.namespace)\""
        var details = JSONObject()
        if !request.name.isEmpty { details["name"] = .string(request.name) }
        if !request.group.isEmpty { details["group"] = .string(request.group) }
        details["kind"] = .string(request.resource)
        return StatusError(
            403, "Forbidden",
            "\(object) is forbidden: User \"\(user.name)\" cannot \(request.verb) resource "
                + "\"\(request.qualified)\" in API group \"\(request.group)\" \(place)",
            details: .object(details))
    }
}
