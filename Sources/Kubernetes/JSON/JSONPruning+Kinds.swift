extension JSONPruning {
    /// On the bookmark that ends the initial events of a streaming list.
    static let initialEventsEnd = "k8s.io/initial-events-end"

    /// What is built of an object of the kind; of one that is not read, no more than its name.
    static func of(_ kind: KindReader?) -> JSONPruning {
        guard let kind else { return identity }
        switch (kind.reading, kind.kind) {
        case (.ignored, _): return identity
        case (.configuration(let kind), _): return configuration(kind)
        case (.object, "Service"): return service
        case (.object, "EndpointSlice"): return endpointSlice
        case (.object, "Node"): return node
        case (.object, "Namespace"): return object([])
        case (.object, "Secret"):
            return object(
                [Field("type"), Field("data", .unique), Field("stringData", .unique)],
                labels: .nothing)
        case (.object, _):
            // Endpoints, Pods and ConfigMaps are not asked of servers; they are right all the same.
            return JSONPruning(fields: [Field("metadata", metadata())])
        }
    }

    /// The same, and what tells of an error in its stead in a watch.
    var withStatusFields: JSONPruning {
        var pruning = self
        pruning.fields += ["code", "reason", "message", "details"].map { Field($0) }
        return pruning
    }

    private static let nothing = JSONPruning(others: .skipped)
    private static let identity = object([], labels: .nothing)

    private static func object(
        _ fields: [Field], labels: JSONPruning = .everything
    ) -> JSONPruning {
        .only([Field("apiVersion"), Field("kind"), Field("metadata", metadata(labels))] + fields)
    }

    private static func metadata(_ labels: JSONPruning = .everything) -> JSONPruning {
        let annotations = JSONPruning(
            others: .beginning(
                with: ["metallb.io/", "metallb.universe.tf/", "martlet.dev/", initialEventsEnd]))
        return .only([
            Field("name", .unique), Field("namespace"), Field("uid", .unique),
            Field("resourceVersion", .unique), Field("deletionTimestamp", .unique),
            Field("labels", labels), Field("annotations", annotations),
        ])
    }

    private static let service = object([
        Field(
            "spec",
            .only([
                Field("type"), Field("clusterIP"), Field("clusterIPs"), Field("ipFamilies"),
                Field("ipFamilyPolicy"), Field("externalTrafficPolicy"),
                Field("internalTrafficPolicy"), Field("healthCheckNodePort"),
                Field("sessionAffinity"), Field("sessionAffinityConfig"), Field("externalName"),
                Field("externalIPs"), Field("loadBalancerIP"), Field("loadBalancerClass"),
                Field("loadBalancerSourceRanges"), Field("allocateLoadBalancerNodePorts"),
                Field("selector"), Field("publishNotReadyAddresses"),
                Field("ports", .only("name", "protocol", "port", "targetPort", "nodePort")),
            ])),
        Field(
            "status",
            .only([
                Field("loadBalancer", .only([Field("ingress", .only("ip"))])),
                Field("conditions", conditions(beginning: "metallb.io/", "martlet.dev/")),
            ])),
    ])

    private static let endpointSlice = object(
        [
            Field("addressType"), Field("ports", .only("name", "protocol", "port")),
            Field(
                "endpoints",
                .only([
                    Field("addresses", .unique),
                    Field("conditions", .only("ready", "serving", "terminating")),
                    Field("nodeName"),
                    Field(
                        "targetRef",
                        .only([Field("kind"), Field("namespace"), Field("name", .unique)])),
                ])),
        ], labels: .only(EndpointSlice.serviceLabel))

    private static let node = object([
        Field(
            "spec",
            .only([
                Field("unschedulable"), Field("podCIDR"), Field("podCIDRs"),
                Field("taints", .only("key")),
            ])),
        Field(
            "status",
            .only([
                Field("addresses", .only("type", "address")),
                Field(
                    "conditions",
                    JSONPruning(
                        fields: [Field("type"), Field("status")], others: .skipped,
                        filter: ElementFilter(
                            field: "type", values: ["Ready", "NetworkUnavailable"]))),
            ])),
    ])

    /// A slip in the name of a field is to be found, so what is not known stays.
    private static func configuration(_ kind: ConfigurationObject.Kind) -> JSONPruning {
        let status =
            kind == .pool
            ? only(
                "assignedIPv4", "assignedIPv6", "availableIPv4", "availableIPv6", "reservations")
            : nil
        return JSONPruning(
            fields: [Field("metadata", metadata()), Field("status", status)])
    }

    private static func conditions(beginning prefixes: String...) -> JSONPruning {
        JSONPruning(
            fields: [
                Field("type"), Field("status"), Field("reason"), Field("message", .unique),
                Field("lastTransitionTime", .unique),
            ],
            others: .skipped, filter: ElementFilter(field: "type", prefixes: prefixes))
    }
}
