extension ClusterState {
    /// Defaults, prunes and validates what is about to be stored.
    mutating func judged(
        _ content: JSONObject, old: JSONObject?, _ place: ObjectPlace, name: String,
        _ options: WriteOptions, _ warnings: inout [String]
    ) throws(StatusError) -> JSONObject {
        var content = content
        var errors = Self.metadataErrors(content)
        switch place.kind.strategy {
        case .service:
            if place.subresource == "status" {
                errors += ServiceStrategy.checkStatus(content)
            } else {
                var strategy = ServiceStrategy(addresses: addresses, old: old)
                let (service, found) = strategy.main(content)
                errors += found
                content = service
                if errors.isEmpty { addresses = strategy.addresses }
            }
        case .secret: errors += Self.prepareSecret(&content, old: old)
        case .lease: errors += Self.leaseErrors(content)
        case .event:
            errors += EventConversion.check(
                content, old: old, isEventsGroup: place.version.group == "events.k8s.io")
        case .namespace:
            if content["status", "phase"] == nil { content["status", "phase"] = "Active" }
        case .custom:
            content = try shaped(content, place, name, options, &warnings)
        case .definition: content = Self.established(content)
        case .plain: break
        }
        guard errors.isEmpty else { throw .invalid(place.kind, name, errors) }
        return content
    }

    /// A custom object by its schema.
    private func shaped(
        _ content: JSONObject, _ place: ObjectPlace, _ name: String, _ options: WriteOptions,
        _ warnings: inout [String]
    ) throws(StatusError) -> JSONObject {
        guard let schema = place.version.schema else { return content }
        var body = content
        let metadata = body["metadata"]
        body["metadata"] = nil
        var unknown: [String] = []
        body = schema.pruned(.object(body), at: "", unknown: &unknown).object ?? body
        if !unknown.isEmpty {
            let texts = unknown.map { "unknown field \"\($0)\"" }
            switch options.fieldValidation {
            case .strict:
                throw .badRequest("strict decoding error: " + texts.joined(separator: ", "))
            case .warn: warnings += texts
            case .ignore: break
            }
        }
        body = schema.defaulted(.object(body)).object ?? body
        let errors = schema.validate(.object(body), at: "").filter {
            !["metadata", "kind", "apiVersion"].contains($0.field)
        }
        guard errors.isEmpty else { throw .invalid(place.kind, name, errors) }
        var result = JSONObject()
        result["metadata"] = metadata
        for member in body.members.sorted(by: { $0.key < $1.key }) {
            result.members.append(member)
        }
        return result
    }

    private static func metadataErrors(_ content: JSONObject) -> [FieldError] {
        var errors: [FieldError] = []
        for key in ["labels", "annotations"] {
            for member in content["metadata", key]?.object?.members ?? []
            where member.value.string == nil {
                errors.append(
                    .invalid("metadata.\(key)", member.value, "values must be strings"))
            }
        }
        for member in content["metadata", "labels"]?.object?.members ?? [] {
            let value = member.value.string ?? ""
            if value.wholeMatch(of: /(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?/) == nil
                || value.utf8.count > 63
            {
                errors.append(
                    .invalid(
                        "metadata.labels", member.value,
                        "a valid label must be an empty string or consist of alphanumeric "
                            + "characters, '-', '_' or '.', 63 at most"))
            }
        }
        return errors
    }

    private static func leaseErrors(_ lease: JSONObject) -> [FieldError] {
        var errors: [FieldError] = []
        let spec = lease["spec"]?.object ?? JSONObject()
        if let seconds = spec["leaseDurationSeconds"], (seconds.integer ?? 0) <= 0 {
            errors.append(
                .invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"))
        }
        if let count = spec["leaseTransitions"], (count.integer ?? -1) < 0 {
            errors.append(
                .invalid(
                    "spec.leaseTransitions", count, "must be greater than or equal to 0"))
        }
        for key in ["renewTime", "acquireTime"] {
            if let time = spec[key], !MicroTime.isValid(time) {
                errors.append(.invalid("spec.\(key)", time, "is no RFC 3339 time"))
            }
        }
        return errors
    }

    private static func prepareSecret(
        _ secret: inout JSONObject, old: JSONObject?
    ) -> [FieldError] {
        var errors: [FieldError] = []
        if secret["type"]?.string ?? "" == "" { secret["type"] = old?["type"] ?? "Opaque" }
        if let texts = secret["stringData"]?.object {
            for member in texts.members {
                secret["data", member.key] = .string(
                    Base64.text(Array((member.value.string ?? "").utf8)))
            }
            secret["stringData"] = nil
        }
        for member in secret["data"]?.object?.members ?? []
        where !TextFormat.isBase64(member.value.string ?? "?") {
            errors.append(.invalid("data[\(member.key)]", member.value, "illegal base64 data"))
        }
        if let old, old["type"] != secret["type"] {
            errors.append(.invalid("type", secret["type"] ?? .null, "field is immutable"))
        }
        if secret["type"] == "kubernetes.io/basic-auth", secret["data", "username"] == nil,
            secret["data", "password"] == nil
        {
            errors.append(.required("data[username]"))
            errors.append(.required("data[password]"))
        }
        return errors
    }
}
