/// Who a request comes from.
package struct ServerUser: Sendable, Hashable {
    package var name: String
    package var groups: [String]

    package init(name: String, groups: [String] = ["system:authenticated"]) {
        self.name = name
        self.groups = groups
    }

    /// May everything.
    package static let admin = ServerUser(
        name: "kubernetes-admin", groups: ["system:masters", "system:authenticated"])

    /// A ServiceAccount, as pods are.
    package static func serviceAccount(_ namespace: String, _ name: String) -> ServerUser {
        ServerUser(
            name: "system:serviceaccount:\(namespace):\(name)",
            groups: [
                "system:serviceaccounts", "system:serviceaccounts:\(namespace)",
                "system:authenticated",
            ])
    }

    var isMaster: Bool { groups.contains("system:masters") }
}
