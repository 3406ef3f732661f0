/// A network plugin that can do the work of kube-proxy, known by an interface of its own.
public enum NetworkPlugin: String, Hashable, Sendable, CaseIterable {
    /// It has the interface only while its eBPF data plane is on, which replaces kube-proxy.
    case calico = "Calico (eBPF)"
    /// It may, or may leave it to kube-proxy.
    case cilium = "Cilium"
    /// It serves the cluster's own addresses, and those of load balancers if it is told to.
    case antrea = "Antrea"
    /// It always does.
    case ovnKubernetes = "OVN-Kubernetes"

    /// As its own pages call it.
    public var name: String { rawValue }

    /// The interface by which it is known.
    var interface: String {
        switch self {
        case .calico: "bpfin.cali"
        case .cilium: "cilium_host"
        case .antrea: "antrea-gw0"
        case .ovnKubernetes: "ovn-k8s-mp0"
        }
    }

    /// The setting with which it takes traffic for load balancer addresses on; `nil` when it does
    /// without any.
    var setting: String? {
        switch self {
        case .calico, .ovnKubernetes: nil
        case .cilium: "kubeProxyReplacement: true"
        case .antrea: "antreaProxy.proxyAll: true"
        }
    }
}
