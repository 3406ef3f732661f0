/// The kinds every server has, as far as anything here asks for them.
enum BuiltInKinds {
    private static let metadataLists:
        [(path: String, type: StructuralSchema.ListType, patchKey: String?)] = [
            ("metadata.finalizers", .set, nil),
            ("metadata.ownerReferences", .map(keys: ["uid"]), "uid"),
        ]

    private static func kind(
        _ group: String, _ version: String, _ plural: String, _ kind: String,
        short: [String] = [], categories: [String] = [], namespaced: Bool = true,
        status: Bool = false, strategy: ResourceKind.Strategy = .plain,
        generations: Bool = false, fields: [String] = [],
        lists: [(path: String, type: StructuralSchema.ListType, patchKey: String?)] = [],
        alsoIn others: [(group: String, version: String)] = []
    ) -> ResourceKind {
        let versions = ([(group: group, version: version)] + others).map {
            ResourceKind.Version(
                group: $0.group, name: $0.version, columns: columns[kind] ?? [], hasStatus: status)
        }
        return ResourceKind(
            group: group, plural: plural, kind: kind, shortNames: short, categories: categories,
            isNamespaced: namespaced, strategy: strategy, countsGenerations: generations,
            versions: versions, selectableFields: fields,
            listShape: .lists(metadataLists + lists))
    }

    private static let columns: [String: [PrinterColumn]] = [
        "Service": [
            PrinterColumn(name: "Type", type: "string", path: ".spec.type"),
            PrinterColumn(name: "Cluster-IP", type: "string", path: ".spec.clusterIP"),
            PrinterColumn(
                name: "External-IP", type: "string", path: ".status.loadBalancer.ingress[*].ip"),
            PrinterColumn(name: "Port(s)", type: "string", path: ".spec.ports[*].port"),
        ],
        "Lease": [PrinterColumn(name: "Holder", type: "string", path: ".spec.holderIdentity")],
        "Namespace": [PrinterColumn(name: "Status", type: "string", path: ".status.phase")],
        "Event": [
            PrinterColumn(name: "Type", type: "string", path: ".type"),
            PrinterColumn(name: "Reason", type: "string", path: ".reason"),
            PrinterColumn(name: "Message", type: "string", path: ".message"),
        ],
    ]

    static let all: [ResourceKind] = core + rbac + others

    private static let core: [ResourceKind] = [
        kind(
            "", "v1", "services", "Service", short: ["svc"], categories: ["all"], status: true,
            strategy: .service, fields: ["spec.clusterIP", "spec.type"],
            lists: [
                ("spec.ports", .map(keys: ["port", "protocol"]), "port"),
                ("status.conditions", .map(keys: ["type"]), "type"),
            ]),
        kind("", "v1", "endpoints", "Endpoints", short: ["ep"]),
        kind(
            "", "v1", "nodes", "Node", short: ["no"], namespaced: false, status: true,
            fields: ["spec.unschedulable"],
            lists: [
                ("status.conditions", .map(keys: ["type"]), "type"),
                ("status.addresses", .map(keys: ["type"]), "type"),
                ("spec.podCIDRs", .set, nil),
            ]),
        kind(
            "", "v1", "namespaces", "Namespace", short: ["ns"], namespaced: false, status: true,
            strategy: .namespace, fields: ["status.phase"]),
        kind("", "v1", "secrets", "Secret", strategy: .secret, fields: ["type"]),
        kind("", "v1", "configmaps", "ConfigMap", short: ["cm"]),
        kind("", "v1", "serviceaccounts", "ServiceAccount", short: ["sa"]),
        kind(
            "", "v1", "pods", "Pod", short: ["po"], categories: ["all"], status: true,
            fields: ["spec.nodeName", "status.phase", "status.podIP", "spec.serviceAccountName"],
            lists: [("status.conditions", .map(keys: ["type"]), "type")]),
        kind(
            "", "v1", "events", "Event", short: ["ev"], strategy: .event,
            fields: [
                "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
                "involvedObject.uid", "reason", "type", "reportingComponent", "source",
            ], alsoIn: [(group: "events.k8s.io", version: "v1")]),
    ]

    private static let rbac: [ResourceKind] = [
        kind("rbac.authorization.k8s.io", "v1", "roles", "Role"),
        kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
        kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced: false),
        kind(
            "rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding",
            namespaced: false),
    ]

    private static let others: [ResourceKind] = [
        kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", generations: true),
        kind("coordination.k8s.io", "v1", "leases", "Lease", strategy: .lease),
        kind(
            "apps", "v1", "deployments", "Deployment", short: ["deploy"], categories: ["all"],
            status: true, generations: true),
        kind(
            "apps", "v1", "daemonsets", "DaemonSet", short: ["ds"], categories: ["all"],
            status: true, generations: true),
        kind(
            "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", short: ["pdb"],
            status: true, generations: true),
        kind(
            "networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", short: ["netpol"],
            generations: true),
        kind(
            "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", short: ["pc"],
            namespaced: false),
        kind(
            "admissionregistration.k8s.io", "v1", "validatingadmissionpolicies",
            "ValidatingAdmissionPolicy", namespaced: false, status: true, generations: true),
        kind(
            "admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings",
            "ValidatingAdmissionPolicyBinding", namespaced: false),
        kind(
            "apiextensions.k8s.io", "v1", "customresourcedefinitions",
            "CustomResourceDefinition", short: ["crd", "crds"], namespaced: false, status: true,
            strategy: .definition, generations: true,
            lists: [("status.conditions", .map(keys: ["type"]), "type")]),
    ]
}
