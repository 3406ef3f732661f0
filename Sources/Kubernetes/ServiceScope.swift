/// Which Services are Martlet's to serve.
public struct ServiceScope: Sendable, Hashable {
    /// `--load-balancer-class`: `nil` takes the Services without a class, a class takes the
    /// Services of exactly that class.
    public var loadBalancerClass: String?

    /// The scope of a daemon started with this class, or without one.
    public init(loadBalancerClass: String? = nil) {
        self.loadBalancerClass = loadBalancerClass
    }

    /// Why a Service gets no address from this Martlet.
    public enum Exclusion: Hashable, Sendable {
        /// Another type; ExternalName also says the CNAME.
        case kind(Service.Kind, externalName: String?)
        /// Another class, or one where none is served.
        case otherClass(String?)
        /// `clusterIP: None`.
        case headless
        /// Deletion has begun.
        case beingDeleted
    }

    /// `nil` when the Service is Martlet's.
    public func exclusion(of service: Service) -> Exclusion? {
        guard service.kind == .loadBalancer else {
            return .kind(service.kind, externalName: service.externalName)
        }
        guard service.loadBalancerClass == loadBalancerClass else {
            return .otherClass(service.loadBalancerClass)
        }
        if service.isHeadless { return .headless }
        return service.metadata.isBeingDeleted ? .beingDeleted : nil
    }
}

extension ServiceScope.Exclusion: CustomStringConvertible {
    /// Plain words, to be read after the Service's name.
    public var description: String {
        switch self {
        case .kind(.externalName, let name?):
            "is of type ExternalName, a CNAME for \(name): it never gets an address or a data path"
        case .kind(let kind, _):
            "is of type \(kind.rawValue): only LoadBalancer Services get an address"
        case .otherClass(let name?):
            "has loadBalancerClass \(name), which this Martlet does not serve"
        case .otherClass(nil):
            "has no loadBalancerClass, and this Martlet serves one class only"
        case .headless: "is headless (clusterIP: None) and so gets no address"
        case .beingDeleted: "is being deleted"
        }
    }
}
