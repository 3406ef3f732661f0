import Dataplane
import Kubernetes
import Layer2
import NetworkTypes

extension ServiceChain.Frontend {
    /// `LoadBalancer 192.0.2.10:80`, `NodePort 32222`, `ClusterIP [2001:db8::1]:80`.
    var reportText: String {
        switch self {
        case .loadBalancer(let address, let port): "LoadBalancer \(Self.host(address)):\(port)"
        case .clusterIP(let address, let port): "ClusterIP \(Self.host(address)):\(port)"
        case .externalIP(let address, let port): "external address \(Self.host(address)):\(port)"
        case .nodePort(let family, let port):
            "NodePort \(port) of every \(family == .ipv4 ? "IPv4" : "IPv6") address of the node"
        }
    }

    private static func host(_ address: IPAddress) -> String {
        address.family == .ipv6 ? "[\(address)]" : address.description
    }
}

extension AnnouncementState {
    /// What an interface does about an address, in plain words.
    var reportText: String {
        switch self {
        case .probing: "asks whether anybody uses it"
        case .checking: "asks whether its old owner still answers"
        case .held: "its old owner still answers; asked again soon"
        case .waitingToHear: "waits until anybody is heard here"
        case .standingBy: "another interface of this node answers"
        case .awaitingAuthority: "waits until it is known who lives"
        case .announcing: "answers, and announces it"
        case .active: "answers"
        case .conflicted: "somebody else uses it; asked again later"
        }
    }
}
