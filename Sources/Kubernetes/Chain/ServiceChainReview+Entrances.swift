import NetworkTypes

extension ServiceChainReview {
    /// Node ports: where they may be, and whose they are.
    func judgeNodePorts(_ report: inout FindingReport) {
        let service = report.service
        if service.healthCheckNodePort != 0, !service.hasHealthCheckNodePort {
            let lacking = [
                service.kind == .loadBalancer ? nil : "type: LoadBalancer",
                service.externalTrafficPolicy == .local ? nil : "externalTrafficPolicy: Local",
            ].compactMap(\.self).joined(separator: " and ")
            report.add(
                .idleHealthCheckNodePort, .warning, "spec.healthCheckNodePort",
                "\(service.healthCheckNodePort) is not answered without \(lacking)",
                "remove it, or set \(lacking)")
        }
        for (place, field) in service.places {
            guard case .nodePort(let proto, let number) = place else { continue }
            if let range = settings.nodePorts, !range.contains(number) {
                report.add(
                    .nodePortOutsideRange, .warning, field,
                    "\(number) is outside \(range.lowerBound)-\(range.upperBound), where node "
                        + "ports are",
                    "use a number in that range, or name another range with --node-ports")
            }
            guard let holder = entrances.holder(of: place, butNot: service.name) else { continue }
            report.add(
                .nodePortTaken, .error, field,
                "\(number)/\(proto.rawValue) is also wanted by \(holder.field) of Service "
                    + "\(holder.service); who had it first keeps it",
                "choose another number, or leave the field out")
        }
    }

    /// Ports that two Services want at one address, and addresses that they do not agree to share.
    func judgeAddresses(_ report: inout FindingReport) {
        let service = report.service
        let key = service.sharingKey
        var unshared: Set<IPAddress> = []
        for address in service.requestedAddresses.sorted() {
            guard let first = entrances.firstWish(for: address, butNot: service.name),
                first.key != key || key == nil
            else { continue }
            unshared.insert(address)
            let keys =
                switch (key, first.key) {
                case (nil, nil): "and neither of them shares it"
                case (nil, _): "and only that one shares it"
                case (_, nil): "and only this one shares it"
                default: "and they share it under different keys"
                }
            report.add(
                .addressNotShared, .error, "metadata",
                "\(address) is asked for by Service \(first.service), too, \(keys)",
                "give both annotation \(ServiceAnnotation.allowSharedIP.key) with one value, or "
                    + "ask for another address")
        }
        for (place, field) in service.places {
            guard case .port(let address, let proto, let number) = place,
                !unshared.contains(address),
                let holder = entrances.holder(of: place, butNot: service.name)
            else { continue }
            report.add(
                .portTaken, .error, field,
                "\(number)/\(proto.rawValue) of \(address) is also wanted by \(holder.field) of "
                    + "Service \(holder.service); who had it first keeps it",
                "choose another port, or another address")
        }
    }

    /// Whether `externalIPs` are served, and whether they can be.
    func judgeExternalIPs(_ report: inout FindingReport) {
        let service = report.service
        for (index, address) in service.externalIPs.enumerated() {
            let kind: String? =
                if address.isUnspecified {
                    "the unspecified address"
                } else if address.isLoopback {
                    "a loopback address"
                } else if address.isLinkLocal {
                    "a link-local address"
                } else if address.isMulticast {
                    "a multicast address"
                } else {
                    nil
                }
            guard let kind else { continue }
            report.add(
                .externalIPUnusable, .error, "spec.externalIPs[\(index)]",
                "\(address) is \(kind), which no Service can have", "name a unicast address")
        }
        guard settings.allowsExternalIPs == false, !service.externalIPs.isEmpty else { return }
        report.add(
            .externalIPRefused, .warning, "spec.externalIPs",
            "\(service.externalIPs.map(\.description).joined(separator: ", ")) "
                + (service.externalIPs.count == 1 ? "is" : "are")
                + " not served: who may write Services could take any address of the network so",
            "ask for an address with annotation \(ServiceAnnotation.loadBalancerIPs.key), or start "
                + "the speakers with --allow-external-ips")
    }
}
