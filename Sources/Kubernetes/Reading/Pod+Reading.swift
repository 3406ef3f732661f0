import NetworkTypes

extension Pod {
    /// Reads a Pod: its addresses, its readiness and the ports that its containers declare.
    static func read(_ object: FieldReader, _ metadata: ObjectMeta) -> Pod? {
        var pod = Pod(metadata: metadata)
        object.ignore("apiVersion", "kind")
        if let spec = object.requiredReader("spec") {
            pod.nodeName = spec.string("nodeName").flatMap { $0.isEmpty ? nil : $0 }
            for container in spec.readers("containers") { pod.readPorts(container) }
            for container in spec.readers("initContainers")
            where container.string("restartPolicy") == "Always" {
                pod.readPorts(container)
            }
        }
        if let status = object.reader("status") {
            pod.readAddresses(status)
            let phase = status.string("phase")
            pod.isFinished = phase == "Succeeded" || phase == "Failed"
            pod.ready = status.condition("Ready")
        }
        return pod
    }

    private mutating func readPorts(_ container: FieldReader) {
        for fields in container.readers("ports") {
            let number = fields.requiredInt("containerPort", in: 1...65535)
            let proto: TransportProtocol = fields.enumeration("protocol") ?? .tcp
            let name = fields.value("name").flatMap { value -> String? in
                guard let text = value.string(), !text.isEmpty else { return nil }
                if NameRules.isPortName(text) { return text }
                value.fail(
                    "\"\(FieldValue.clip(text))\" is not the name of a container port",
                    remedy: "use 1 to 15 lower-case letters, digits and single inner -")
                return nil
            }
            fields.ignore("hostPort", "hostIP")
            fields.finish()
            guard let number else { continue }
            containerPorts.append(
                ContainerPort(name: name ?? "", protocol: proto, port: UInt16(number)))
        }
    }

    private mutating func readAddresses(_ status: FieldReader) {
        let single = status.value("podIP").flatMap { $0.rawText == "" ? nil : $0.address() }
        for entry in status.readers("podIPs") {
            guard let address = entry.value("ip")?.address() else { continue }
            if !addresses.contains(address) { addresses.append(address) }
        }
        if addresses.isEmpty, let single { addresses = [single] }
    }
}

extension FieldReader {
    /// Whether the condition `type` of `conditions` is True; `nil` when there is no such condition.
    func condition(_ type: String) -> Bool? {
        var found: Bool?
        for condition in readers("conditions") where condition.string("type") == type {
            guard let status: ConditionStatus = condition.required("status")?.enumeration() else {
                continue
            }
            found = status == .true
        }
        return found
    }
}

private enum ConditionStatus: String, CaseIterable {
    case `true` = "True"
    case `false` = "False"
    case unknown = "Unknown"
}
