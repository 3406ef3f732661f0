extension Service {
    /// Reads `spec.ports` with the rules among them.
    mutating func readPorts(_ spec: FieldReader) {
        let values = spec.list("ports")
        if values.isEmpty, !isHeadless, kind != .externalName,
            spec.required("ports", remedy: "add \"ports:\" with at least one \"- port: 80\"") != nil
        {
            spec.fail("ports", "must hold at least one port", remedy: "add \"- port: 80\"")
        }
        var names: Set<String> = []
        var pairs: Set<[String]> = []
        var nodePairs: Set<[String]> = []
        for value in values {
            guard let fields = value.reader() else { continue }
            let isOnly = values.count == 1
            guard let port = readPort(fields, value, isOnly: isOnly) else { continue }
            let proto = port.protocol.rawValue
            if !port.name.isEmpty, !names.insert(port.name).inserted {
                fields.fail(
                    "name", "\"\(port.name)\" names another port already",
                    remedy: "give each port a name of its own")
            }
            if !pairs.insert([proto, String(port.port)]).inserted {
                fields.fail(
                    "port", "\(proto) \(port.port) is listed already",
                    remedy: "remove one of the two, or change its protocol")
            }
            if port.nodePort != 0, !nodePairs.insert([proto, String(port.nodePort)]).inserted {
                fields.fail(
                    "nodePort", "\(proto) \(port.nodePort) is taken by another port of the Service",
                    remedy: "choose another number, or leave nodePort out")
            }
            ports.append(port)
        }
    }

    private func readPort(_ fields: FieldReader, _ value: FieldValue, isOnly: Bool) -> Port? {
        let number = fields.requiredInt("port", in: 1...65535).map { UInt16($0) }
        let proto: TransportProtocol = fields.enumeration("protocol") ?? .tcp
        let name = readPortName(fields, isOnly: isOnly)
        let target = fields.value("targetPort").flatMap { $0.targetPort() }
        let nodePort = UInt16(fields.int("nodePort", in: 0...65535) ?? 0)
        fields.ignore("appProtocol")
        if nodePort != 0, kind == .clusterIP || kind == .externalName {
            fields.fail(
                "nodePort", "\(nodePort) is not possible for type \(kind.rawValue)",
                remedy: "set type: NodePort or LoadBalancer, or remove nodePort")
        }
        fields.finish()
        return number.map {
            Port(name: name, protocol: proto, port: $0, targetPort: target, nodePort: nodePort)
        }
    }

    private func readPortName(_ fields: FieldReader, isOnly: Bool) -> String {
        if isOnly {
            guard let value = fields.value("name") else { return "" }
            return value.portLabel()
        }
        let value = fields.required("name", remedy: "name each port, since there are several")
        return value?.portLabel() ?? ""
    }
}

extension FieldValue {
    /// A port's name in a Service, an EndpointSlice or an Endpoints object; `""` for none.
    fileprivate func portLabel() -> String {
        guard let text = string(), !text.isEmpty else { return "" }
        if !NameRules.isDNSLabel(text) {
            fail(
                "\"\(FieldValue.clip(text))\" is not a port name",
                remedy: "use lower-case letters, digits and inner -, 63 at most")
        }
        return text
    }

    /// A port by number, or by the name of a container port.
    fileprivate func targetPort() -> TargetPort? {
        if case .integer = kind {
            return int(in: 1...65535).map { .number(UInt16($0)) }
        }
        guard let name = string() else { return nil }
        if NameRules.isPortName(name) { return .name(name) }
        let isNumber = !name.isEmpty && name.utf8.allSatisfy { (0x30...0x39).contains($0) }
        fail(
            "\"\(FieldValue.clip(name))\" is not the name of a container port",
            remedy: isNumber
                ? "remove the quotes to mean the number"
                : "use 1 to 15 lower-case letters, digits and single inner -, one letter at least")
        return nil
    }
}
