public import NetworkTypes

extension ClusterSnapshot {
    /// The snapshot with endpoints taken for neither ready nor serving that were found dead, by
    /// Service, whatever their objects say.
    ///
    /// Everything that asks whether an endpoint is ready then follows: the data plane and the
    /// routes of the node that found it. A Service of which nothing was found dead is shared with
    /// this snapshot.
    public func takingOut(_ dead: [ObjectName: Set<IPAddress>]) -> ClusterSnapshot {
        var snapshot = self
        for (name, addresses) in dead where !addresses.isEmpty {
            guard var slices = endpointSlices[name] else { continue }
            var isChanged = false
            for slice in slices.indices {
                for index in slices[slice].endpoints.indices
                where addresses.contains(slices[slice].endpoints[index].address) {
                    slices[slice].endpoints[index].ready = false
                    slices[slice].endpoints[index].serving = false
                    isChanged = true
                }
            }
            if isChanged { snapshot.endpointSlices[name] = slices }
        }
        return snapshot
    }
}
