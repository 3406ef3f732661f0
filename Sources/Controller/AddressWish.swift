import Kubernetes
import NetworkTypes

/// The addresses that a Service asks for by field or annotation, or why what it says makes no
/// sense.
package enum AddressWish: Sendable, Equatable {
    /// These; none when it asks for nothing.
    case addresses([IPAddress])
    /// What is written cannot be honoured.
    case invalid(Fault)

    /// What is wrong with a wish.
    package enum Fault: Error, Sendable, Hashable {
        /// Both `spec.loadBalancerIP` and the annotation are there.
        case fieldAndAnnotation
        /// Not an address.
        case noAddress(String, place: String)
        /// More than one of a family.
        case twoOfOneFamily(String)
    }

    /// Reads what a Service asks for.
    package init(_ service: Service) {
        let annotation = service.annotation(.loadBalancerIPs)
        let field = service.loadBalancerIP.flatMap { $0.isEmpty ? nil : $0 }
        switch (field, annotation) {
        case (nil, nil): self = .addresses([])
        case (_?, _?): self = .invalid(.fieldAndAnnotation)
        // The field holds one address, the annotation a list.
        case (let field?, nil): self.init([field[...]], of: field, place: "spec.loadBalancerIP")
        case (nil, let annotation?):
            self.init(
                annotation.split(separator: ",", omittingEmptySubsequences: false), of: annotation,
                place: "annotation \(ServiceAnnotation.loadBalancerIPs.key)")
        }
    }

    private init(_ parts: [Substring], of text: String, place: String) {
        var addresses: [IPAddress] = []
        for part in parts {
            let trimmed = part.trimmingBlanks
            guard let address = IPAddress(trimmed) else {
                self = .invalid(.noAddress(String(trimmed), place: place))
                return
            }
            guard !addresses.contains(where: { $0.family == address.family }) else {
                self = .invalid(.twoOfOneFamily(text))
                return
            }
            addresses.append(address)
        }
        self = .addresses(addresses)
    }
}

extension Substring {
    fileprivate var trimmingBlanks: Substring {
        var rest = drop(while: \.isWhitespace)
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return rest
    }
}

extension AddressWish.Fault: CustomStringConvertible {
    /// What is wrong and the way out.
    package var description: String {
        switch self {
        case .fieldAndAnnotation:
            "spec.loadBalancerIP and annotation \(ServiceAnnotation.loadBalancerIPs.key) are both "
                + "set; remove one of them (the field is deprecated)"
        case .noAddress(let text, let place):
            "\"\(text)\" in \(place) is not an IP address; write for instance 192.0.2.10 or "
                + "2001:db8::10"
        case .twoOfOneFamily(let text):
            "\"\(text)\" asks for two addresses of one family; at most one IPv4 and one IPv6 "
                + "address can be asked for"
        }
    }
}
