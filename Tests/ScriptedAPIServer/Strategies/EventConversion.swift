/// Events are one kind served in two groups: the core form is stored, the other converted.
enum EventConversion {
    private static let names = [
        ("involvedObject", "regarding"), ("message", "note"),
        ("reportingComponent", "reportingController"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ]

    static func events(fromCore object: JSONObject) -> JSONObject {
        renamed(object, Dictionary(uniqueKeysWithValues: names))
    }

    static func core(fromEvents object: JSONObject) -> JSONObject {
        renamed(object, Dictionary(uniqueKeysWithValues: names.map { ($1, $0) }))
    }

    private static func renamed(_ object: JSONObject, _ names: [String: String]) -> JSONObject {
        var object = object
        for index in object.members.indices {
            if let name = names[object.members[index].key] { object.members[index].key = name }
        }
        return object
    }

    /// What a new Event must have, and what may not change later.
    static func check(
        _ event: JSONObject, old: JSONObject?, isEventsGroup: Bool
    ) -> [FieldError] {
        var errors: [FieldError] = []
        let regarded = event["involvedObject", "namespace"]?.string ?? ""
        let namespace = event["metadata", "namespace"]?.string ?? ""
        if regarded.isEmpty
            ? !["default", "kube-system"].contains(namespace) : regarded != namespace
        {
            errors.append(
                .invalid(
                    "involvedObject.namespace", .string(regarded), "does not match event.namespace")
            )
        }
        guard isEventsGroup else { return errors }
        if event["eventTime"]?.string == nil { errors.append(.required("eventTime")) }
        for (field, limit) in [
            ("reportingComponent", 63), ("reportingInstance", 128), ("action", 128),
            ("reason", 128),
        ] {
            let shown = field == "reportingComponent" ? "reportingController" : field
            let text = event[field]?.string ?? ""
            if text.isEmpty { errors.append(.required(shown)) }
            if text.utf8.count > limit {
                errors.append(
                    .invalid(shown, "", "can have at most \(limit) characters"))
            }
        }
        let type = event["type"] ?? ""
        if type != "Normal", type != "Warning" {
            errors.append(.invalid("type", type, "must be either Normal or Warning"))
        }
        if (event["message"]?.string ?? "").utf8.count > 1024 {
            errors.append(.invalid("note", "", "can have at most 1024 characters"))
        }
        if let series = event["series"]?.object {
            if (series["count"]?.integer ?? 0) < 2 {
                errors.append(
                    .invalid(
                        "series.count", series["count"] ?? .null, "should be at least 2"))
            }
            if !MicroTime.isValid(series["lastObservedTime"]) {
                errors.append(.required("series.lastObservedTime"))
            }
        }
        if let old {
            for key in [
                "involvedObject", "reason", "message", "type", "action", "reportingComponent",
                "reportingInstance", "eventTime", "related",
            ] where event[key] != old[key] {
                errors.append(.invalid(key, event[key] ?? .null, "field is immutable"))
            }
        }
        return errors
    }
}

/// Times with microseconds, as Leases and Events have them.
enum MicroTime {
    static func isValid(_ value: JSONValue?) -> Bool {
        guard let text = value?.string else { return false }
        return TextFormat.isTime(text)
    }
}
