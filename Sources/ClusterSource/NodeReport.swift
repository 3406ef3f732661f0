import Kubernetes

/// What one node's speaker says, for people, of what is so on the wire: `ServiceL2Status`,
/// `ServiceBGPStatus` and the node's `ConfigurationState`.
package struct NodeReport: Sendable, Equatable {
    /// The node.
    package var node: String
    /// Services whose addresses this node answers for, with the interfaces that it answers on.
    package var interfaces: [ObjectName: Set<String>] = [:]
    /// Services whose routes routers have from this node, with the names of those peers.
    package var peers: [ObjectName: Set<String>] = [:]
    /// What is wrong with the configuration as this node reads it.
    package var problems: [Problem] = []

    /// A report of a node that announces nothing.
    package init(node: String) { self.node = node }
}

/// What became of a write.
package struct WriteOutcome: Sendable, Equatable {
    /// The Services for which nothing was written, and why; they are worth another try.
    package var failures: [ObjectName: String] = [:]

    /// Everything was written.
    package init() {}
}
