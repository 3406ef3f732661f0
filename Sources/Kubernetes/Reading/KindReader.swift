/// How one kind is recognised and read.
struct KindReader: Sendable {
    /// Where objects of a kind live.
    enum Scope: Sendable {
        /// In a namespace; `default` where none is named.
        case namespaced
        /// In the cluster; a namespace is passed over.
        case cluster
        /// In the configuration namespace, which a missing namespace stands for.
        case configuration
    }

    /// What is done with an object of the kind.
    enum Reading: Sendable {
        /// Reads it; `nil` when errors were recorded.
        case object(@Sendable (FieldReader, ObjectMeta) -> ManifestObject.Value?)
        /// Reads a configuration object of a version.
        case configuration(ConfigurationObject.Kind)
        /// Passes it over with a notice that gives this reason.
        case ignored(reason: String)
    }

    let kind: String
    /// The versions that are read, the preferred one first.
    let apiVersions: [String]
    let scope: Scope
    let reading: Reading

    /// The API group, empty for the core group.
    var group: Substring { Self.group(of: apiVersions.first ?? "") }

    static func group(of apiVersion: String) -> Substring {
        apiVersion.firstIndex(of: "/").map { apiVersion[..<$0] } ?? ""
    }

    /// Every kind that is known, by name.
    static let all: [String: KindReader] = {
        let known = core + configuration
        return Dictionary(uniqueKeysWithValues: known.map { ($0.kind, $0) })
    }()

    private static func coreKind(
        _ kind: String, _ scope: Scope = .namespaced, version: String = "v1",
        read: @escaping @Sendable (FieldReader, ObjectMeta) -> ManifestObject.Value?
    ) -> KindReader {
        KindReader(kind: kind, apiVersions: [version], scope: scope, reading: .object(read))
    }

    private static let core = [
        coreKind("Service") { Service.read($0, $1).map { .service($0) } },
        coreKind("EndpointSlice", version: "discovery.k8s.io/v1") {
            EndpointSlice.read($0, $1).map { .endpointSlice($0) }
        },
        coreKind("Endpoints") { Endpoints.read($0, $1).map { .endpoints($0) } },
        coreKind("Pod") { Pod.read($0, $1).map { .pod($0) } },
        coreKind("Node", .cluster) { Node.read($0, $1).map { .node($0) } },
        coreKind("Namespace", .cluster) { .namespace(Namespace.read($0, $1)) },
        coreKind("Secret") { .secret(Secret.read($0, $1)) },
        coreKind("ConfigMap") { .configMap(ConfigMap.read($0, $1)) },
    ]

    private static let configuration: [KindReader] = {
        let read = ConfigurationObject.Kind.allCases.map { kind in
            KindReader(
                kind: kind.rawValue,
                apiVersions: kind == .bgpPeer
                    ? ["metallb.io/v1beta2", "metallb.io/v1beta1"] : ["metallb.io/v1beta1"],
                scope: .configuration, reading: .configuration(kind))
        }
        let written = ["ServiceL2Status", "ServiceBGPStatus", "ConfigurationState"].map { kind in
            KindReader(
                kind: kind, apiVersions: ["metallb.io/v1beta1"], scope: .configuration,
                reading: .ignored(reason: "Martlet writes this kind and does not read it"))
        }
        return read + written
    }()
}
