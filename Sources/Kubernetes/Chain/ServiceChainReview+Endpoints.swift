extension ServiceChainReview {
    /// Whether each port leads to an endpoint at all, ready or not.
    func judgeEndpoints(_ report: inout FindingReport) {
        let service = report.service
        guard settings.known.covers(service) else { return }
        let slices = snapshot.endpointSlices[service.name] ?? []
        guard slices.contains(where: { !$0.endpoints.isEmpty }) else {
            judgeNothing(&report)
            return
        }
        for (index, port) in service.ports.enumerated() {
            let isServed = slices.contains { slice in
                !slice.endpoints.isEmpty
                    && slice.ports.contains {
                        $0.name == port.name && $0.protocol == port.protocol
                    }
            }
            if !isServed { judgeUnserved(port, index, slices, &report) }
        }
    }

    private func judgeUnserved(
        _ port: Service.Port, _ index: Int, _ slices: [EndpointSlice], _ report: inout FindingReport
    ) {
        let proto = port.protocol.rawValue
        if case .name(let name) = port.targetPort, slices.allSatisfy({ $0.origin == .pods }) {
            reportUnknown(name, port, index, &report)
            return
        }
        let label = port.name.isEmpty ? "without a name" : "called \"\(port.name)\""
        let found = Set(slices.flatMap(\.ports)).map { slicePort in
            "\(slicePort.name.isEmpty ? "" : slicePort.name + " ")"
                + "\(slicePort.port)/\(slicePort.protocol.rawValue)"
        }.sorted()
        report.add(
            .portUnserved, .warning, "spec.ports[\(index)]",
            "\(proto) \(port.port) leads nowhere: no EndpointSlice has a \(proto) port \(label)",
            found.isEmpty
                ? "add the port to the EndpointSlices"
                : "give the Service port and the slice port one name and protocol; there are "
                    + found.prefix(5).joined(separator: ", "))
    }

    private func reportUnknown(
        _ name: String, _ port: Service.Port, _ index: Int, _ report: inout FindingReport
    ) {
        let proto = port.protocol.rawValue
        let service = report.service
        let matches =
            pods?.matches(namespace: service.name.namespace, selector: service.selector) ?? []
        let names = Set(
            matches.flatMap(\.containerPorts).filter { $0.protocol == port.protocol }
                .map(\.name).filter { !$0.isEmpty })
        let near = NearestName.suggestion(for: name, among: names.sorted())
        let remedy =
            near.map { "did you mean \"\($0)\"?" }
            ?? (names.isEmpty
                ? "give the container's port that name, or write its number"
                : "they have " + names.sorted().prefix(5).joined(separator: ", "))
        report.add(
            .targetPortUnknown, .warning, "spec.ports[\(index)].targetPort",
            "no Pod behind the Service has a \(proto) port called \"\(name)\", so port "
                + "\(port.port) is refused", remedy)
    }

    /// There is not one endpoint.
    private func judgeNothing(_ report: inout FindingReport) {
        let service = report.service
        let severity: Problem.Severity = settings.expectsEndpoints ? .warning : .notice
        guard !service.selector.isEmpty else {
            report.add(
                .nothingBehind, severity, "spec",
                "there is no selector, and no EndpointSlice or Endpoints object names endpoints",
                "add an EndpointSlice with label \(EndpointSlice.serviceLabel): "
                    + service.name.name)
            return
        }
        let selector = service.selector.sorted { $0.key < $1.key }
            .map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        guard let pods else {
            report.add(
                .selectorMatchesNothing, .notice, "spec.selector",
                "there is no endpoint: no Pod matches \(selector), or none has the ports",
                "compare the selector with the Pods' labels, and targetPort with their ports")
            return
        }
        let namespace = service.name.namespace
        if pods.matches(namespace: namespace, selector: service.selector).isEmpty {
            // Most Pods are made from templates, and are in no folder.
            let near = labels.nearMiss(namespace: namespace, selector: service.selector)
            let isSlip = settings.expectsEndpoints && near != nil
            report.add(
                .selectorMatchesNothing, isSlip ? .warning : .notice, "spec.selector",
                "no Pod of namespace \(namespace) that could serve matches \(selector)",
                near?.remedy
                    ?? "until there is one the Service refuses; compare the selector with the "
                    + "labels of the Pods")
            return
        }
        for (index, port) in service.ports.enumerated() {
            guard case .name(let name) = port.targetPort else { continue }
            reportUnknown(name, port, index, &report)
        }
    }
}
