import NetworkTypes

extension EndpointSlice {
    /// The label that names the Service of a slice.
    static let serviceLabel = "kubernetes.io/service-name"

    /// Reads an EndpointSlice; `nil`, with a notice, when it belongs to no Service or holds names
    /// instead of addresses.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> EndpointSlice? {
        object.ignore("apiVersion", "kind")
        let type: AddressType? = object.required("addressType")?.enumeration()
        var slice = EndpointSlice(
            metadata: metadata,
            service: ObjectName(
                namespace: metadata.name.namespace, metadata.labels[serviceLabel] ?? ""),
            family: type == .ipv6 ? .ipv6 : .ipv4)
        for entry in object.readers("endpoints") {
            if type == .fqdn { continue }
            if let endpoint = Endpoint.read(entry, slice.family) {
                slice.endpoints.append(endpoint)
            }
        }
        slice.ports = object.readers("ports").compactMap { Port.read($0) }
        guard let type, type != .fqdn else {
            if type == .fqdn {
                object.report(
                    .notice, "addressType", "FQDN endpoints are not used",
                    remedy: "give IPv4 or IPv6 addresses")
            }
            return nil
        }
        if slice.service.name.isEmpty, !object.log.origin.isServer {
            object.report(
                .warning, "metadata", "has no label \(serviceLabel), so no Service uses it",
                remedy: "add the label with the Service's name")
        }
        return slice
    }

    private enum AddressType: String, CaseIterable {
        case ipv4 = "IPv4"
        case ipv6 = "IPv6"
        case fqdn = "FQDN"
    }
}

extension EndpointSlice.Endpoint {
    fileprivate static func read(
        _ fields: FieldReader, _ family: IPAddress.Family
    ) -> EndpointSlice.Endpoint? {
        let addresses = (fields.required("addresses")?.list() ?? []).map { $0.address(family) }
        let conditions = fields.reader("conditions")
        let ready = conditions?.bool("ready")
        let serving = conditions?.bool("serving")
        let terminating = conditions?.bool("terminating")
        conditions?.finish()
        let target = fields.targetReference("targetRef")
        let nodeName = fields.string("nodeName")
        fields.ignore("hostname", "zone", "hints", "deprecatedTopology")
        fields.finish()
        // All addresses of an entry are the same endpoint; the first is the one that is used.
        guard let first = addresses.first, let address = first else { return nil }
        return EndpointSlice.Endpoint(
            address: address, ready: ready, serving: serving, terminating: terminating,
            nodeName: nodeName, target: target)
    }
}

extension EndpointSlice.Port {
    /// A port of an EndpointSlice or of an Endpoints subset; `nil` when it has no number, which
    /// means every port and serves no Service port.
    fileprivate static func read(_ fields: FieldReader) -> EndpointSlice.Port? {
        let name = fields.string("name") ?? ""
        let proto: TransportProtocol = fields.enumeration("protocol") ?? .tcp
        let number = fields.int("port", in: 1...65535)
        fields.ignore("appProtocol")
        fields.finish()
        return number.map { EndpointSlice.Port(name: name, protocol: proto, port: UInt16($0)) }
    }
}

extension Endpoints {
    /// Reads an Endpoints object.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> Endpoints? {
        object.ignore("apiVersion", "kind")
        var endpoints = Endpoints(metadata: metadata)
        for fields in object.readers("subsets") {
            var subset = Subset()
            for (key, ready) in [("addresses", true), ("notReadyAddresses", false)] {
                for entry in fields.readers(key) {
                    let address = entry.required("ip")?.address()
                    let nodeName = entry.string("nodeName")
                    let target = entry.targetReference("targetRef")
                    entry.ignore("hostname")
                    entry.finish()
                    guard let address else { continue }
                    subset.endpoints.append(
                        EndpointSlice.Endpoint(
                            address: address, ready: ready, nodeName: nodeName, target: target))
                }
            }
            subset.ports = fields.readers("ports").compactMap { EndpointSlice.Port.read($0) }
            fields.finish()
            endpoints.subsets.append(subset)
        }
        return endpoints
    }
}

extension FieldReader {
    /// What an endpoint stands for, as `Kind namespace/name`.
    fileprivate func targetReference(_ key: String) -> String? {
        guard let target = reader(key), let name = target.string("name") else { return nil }
        let kind = target.string("kind") ?? "Pod"
        return "\(kind) \(ObjectName(namespace: target.string("namespace") ?? "", name))"
    }
}
