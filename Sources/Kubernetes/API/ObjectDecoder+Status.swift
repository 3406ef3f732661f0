extension ObjectDecoder {
    /// What a server says of a request that did not work. A body that is not a `metav1.Status`
    /// (from a proxy between, perhaps) becomes its message, cut to a line.
    public static func status(_ body: [UInt8], code: Int) -> APIStatus {
        let fields = JSONPruning.only("kind", "code", "reason", "message", "details")
        // A body that is not JSON is dealt with below.
        if let node = try? JSONDocument.node(body, pruning: fields),
            Fields(node)?["kind"] == "Status"
        {
            return status(node, code: code)
        }
        let text = String(decoding: body.prefix(1024), as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return APIStatus(code: code, reason: "", message: FieldValue.clip(line))
    }

    static func status(_ node: DocumentNode, code: Int) -> APIStatus {
        let fields = Fields(node)
        let delay = fields?.fields("details")?["retryAfterSeconds"].flatMap { Int($0) }
        return APIStatus(
            code: fields?["code"].flatMap { Int($0) } ?? code,
            reason: fields?["reason"] ?? "", message: fields?["message"] ?? "",
            retryAfterSeconds: delay.flatMap { $0 > 0 ? $0 : nil })
    }

    /// What Martlet reads back of what it wrote. Anything else there is somebody else's affair, and
    /// no reason to refuse the object.
    func status(_ object: FieldReader) -> APIObjectStatus {
        guard object.has("status"), let node = object.value("status")?.node,
            let status = Fields(node)
        else { return .none }
        switch resource.kind {
        case "Service":
            let conditions = status.list("conditions").compactMap { Self.condition($0) }
            return conditions.isEmpty ? .none : .service(conditions: conditions)
        case "IPAddressPool":
            func count(_ key: String) -> Int64? { status[key].flatMap { Int64($0) } }
            return .pool(
                assignedIPv4: count("assignedIPv4"), assignedIPv6: count("assignedIPv6"),
                availableIPv4: count("availableIPv4"), availableIPv6: count("availableIPv6"),
                reservations: status.list("reservations").compactMap { Self.reservation($0) })
        default: return .none
        }
    }

    private static func condition(_ node: DocumentNode) -> APIObjectStatus.Condition? {
        guard let fields = Fields(node), let type = fields["type"] else { return nil }
        return APIObjectStatus.Condition(
            type: type, isTrue: fields["status"] == "True", reason: fields["reason"] ?? "",
            message: fields["message"] ?? "",
            lastTransitionTime: fields["lastTransitionTime"] ?? "")
    }

    private static func reservation(_ node: DocumentNode) -> APIObjectStatus.Reservation? {
        guard let fields = Fields(node), let namespace = fields["namespace"],
            let name = fields["name"], let until = fields["until"]
        else { return nil }
        let service = ObjectName(namespace: namespace, name)
        let addresses = fields.list("addresses").compactMap { $0.scalar?.string }
        return APIObjectStatus.Reservation(service: service, addresses: addresses, until: until)
    }
}
