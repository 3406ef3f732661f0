import NetworkTypes

/// Works out the endpoint slices of every Service.
///
/// EndpointSlices that name the Service win; else its Endpoints object; else the Pods that its
/// selector matches, as the endpoint controllers of a cluster would do it. The outcome is in a
/// fixed order, whatever the order of the inputs.
public enum EndpointDerivation {
    /// The slices by Service; a Service without any has no entry.
    public static func slices(
        services: some Collection<Service>, pods: some Collection<Pod>,
        given: some Collection<EndpointSlice>, endpoints: [ObjectName: Endpoints]
    ) -> [ObjectName: [EndpointSlice]] {
        var result: [ObjectName: [EndpointSlice]] = [:]
        for slice in given where !slice.service.name.isEmpty {
            result[slice.service, default: []].append(slice)
        }
        for name in result.keys {
            result[name]?.sort { $0.metadata.name < $1.metadata.name }
        }
        let index = PodIndex(pods)
        for service in services where result[service.name] == nil {
            result[service.name] = slices(
                of: service, endpoints: endpoints[service.name], pods: index)
        }
        return result
    }

    /// The slices of a Service that none is given for; `nil` when there are none.
    static func slices(
        of service: Service, endpoints: Endpoints?, pods: PodIndex
    ) -> [EndpointSlice]? {
        guard service.kind != .externalName else { return nil }
        let derived = endpoints.map { slices(of: service.name, $0) } ?? slices(of: service, pods)
        return derived.isEmpty ? nil : derived
    }

    // MARK: From an Endpoints object

    private static func slices(
        of service: ObjectName, _ endpoints: Endpoints
    ) -> [EndpointSlice] {
        var slices: [EndpointSlice] = []
        for subset in endpoints.subsets {
            for family in IPAddress.Family.allCases {
                let members = subset.endpoints.filter { $0.address.family == family }
                guard !members.isEmpty else { continue }
                slices.append(
                    slice(
                        of: service, family, members.sorted(by: precedes), subset.ports,
                        origin: .endpoints, number: slices.count))
            }
        }
        return slices
    }

    // MARK: From Pods

    /// Endpoints that have the same ports share a slice, so that a named port may stand for
    /// different numbers in different Pods.
    private static func slices(of service: Service, _ index: PodIndex) -> [EndpointSlice] {
        let pods = index.matches(
            namespace: service.metadata.name.namespace, selector: service.selector)
        var groups: [Group: [EndpointSlice.Endpoint]] = [:]
        for pod in pods {
            let ports = ports(of: service, on: pod)
            // A Pod that has none of the ports is no backend; a headless Service needs none.
            guard !ports.isEmpty || service.ports.isEmpty else { continue }
            for family in families(of: service) {
                guard let address = pod.addresses.first(where: { $0.family == family }) else {
                    continue
                }
                groups[Group(family: family, ports: ports), default: []]
                    .append(endpoint(address, pod, service))
            }
        }
        return groups.sorted { $0.key < $1.key }.enumerated().map { number, group in
            slice(
                of: service.name, group.key.family, group.value.sorted(by: precedes),
                group.key.ports, origin: .pods, number: number)
        }
    }

    private struct Group: Hashable, Comparable {
        let family: IPAddress.Family
        let ports: [EndpointSlice.Port]

        static func < (left: Group, right: Group) -> Bool {
            if left.family != right.family {
                return left.family.rawValue < right.family.rawValue
            }
            return left.ports.lexicographicallyPrecedes(right.ports) {
                ($0.name, $0.protocol.rawValue, $0.port)
                    < ($1.name, $1.protocol.rawValue, $1.port)
            }
        }
    }

    /// The families that the Service serves; every one where the manifest names none, because a
    /// balancer may be given an address of either.
    private static func families(of service: Service) -> [IPAddress.Family] {
        if !service.ipFamilies.isEmpty { return service.ipFamilies }
        let families = service.clusterIPs.map(\.family)
        return families.isEmpty ? IPAddress.Family.allCases : families
    }

    /// The Service's ports with their numbers on one Pod; named ones that it lacks are left out.
    private static func ports(of service: Service, on pod: Pod) -> [EndpointSlice.Port] {
        service.ports.compactMap { port in
            let number: UInt16?
            switch port.targetPort {
            case .number(let given): number = given
            case .name(let name):
                number =
                    pod.containerPorts.first {
                        $0.name == name && $0.protocol == port.protocol
                    }?.port
            }
            return number.map {
                EndpointSlice.Port(name: port.name, protocol: port.protocol, port: $0)
            }
        }
    }

    /// Serving says that the Pod is ready; ready also that it is not being deleted. A Service that
    /// publishes unready addresses takes every Pod for ready.
    private static func endpoint(
        _ address: IPAddress, _ pod: Pod, _ service: Service
    ) -> EndpointSlice.Endpoint {
        let isServing = pod.ready ?? true
        let isTerminating = pod.metadata.isBeingDeleted
        return EndpointSlice.Endpoint(
            address: address,
            ready: service.publishNotReadyAddresses || (isServing && !isTerminating),
            serving: isServing, terminating: isTerminating, nodeName: pod.nodeName,
            target: "Pod \(pod.metadata.name)")
    }

    private static func precedes(
        _ left: EndpointSlice.Endpoint, _ right: EndpointSlice.Endpoint
    ) -> Bool {
        (left.address, left.target ?? "") < (right.address, right.target ?? "")
    }

    private static func slice(
        of service: ObjectName, _ family: IPAddress.Family,
        _ endpoints: [EndpointSlice.Endpoint], _ ports: [EndpointSlice.Port],
        origin: EndpointSlice.Origin, number: Int
    ) -> EndpointSlice {
        let name = ObjectName(
            namespace: service.namespace, "\(service.name)-\(origin)-\(number + 1)")
        return EndpointSlice(
            metadata: ObjectMeta(
                name: name, labels: [EndpointSlice.serviceLabel: service.name]),
            service: service, family: family, endpoints: endpoints, ports: ports, origin: origin)
    }
}
