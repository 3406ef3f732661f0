/// `meta.k8s.io/v1 Table`, as `kubectl get` asks for it.
enum TablePrinter {
    static func table(
        _ objects: [StoredObject], _ kind: ResourceKind, _ version: ResourceKind.Version,
        revision: Int?, continuation: String? = nil
    ) -> JSONValue {
        var columns = [
            PrinterColumn(name: "Name", type: "string", format: "name", path: ".metadata.name")
        ]
        columns += version.columns
        if !columns.contains(where: { $0.path == ".metadata.creationTimestamp" }) {
            columns.append(
                PrinterColumn(name: "Age", type: "date", path: ".metadata.creationTimestamp"))
        }
        let definitions = columns.map { column -> JSONValue in
            [
                "name": .string(column.name),
                "type": .string(column.type == "date" ? "string" : column.type),
                "format": .string(column.format), "description": .string(column.description),
                "priority": .integer(Int64(column.priority)),
            ]
        }
        let rows = objects.map { object -> JSONValue in
            let value = object.json(kind, version)
            let cells = columns.map { column in
                cell(JSONPath.values(column.path, in: value), column.type)
            }
            return [
                "cells": .array(cells),
                "object": [
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": value["metadata"] ?? [:],
                ],
            ]
        }
        var metadata = JSONObject()
        if let revision { metadata["resourceVersion"] = .string(String(revision)) }
        if let continuation { metadata["continue"] = .string(continuation) }
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": .object(metadata),
            "columnDefinitions": .array(definitions), "rows": .array(rows),
        ]
    }

    private static func cell(_ values: [JSONValue], _ type: String) -> JSONValue {
        guard let first = values.first else { return type == "string" ? "" : .null }
        switch type {
        case "date": return .string(age(first.string ?? ""))
        case "string":
            if values.count == 1, case .array = first { return .string(first.text) }
            return .string(values.map { $0.string ?? $0.text }.joined(separator: ","))
        default: return first
        }
    }

    /// How long ago, in the largest unit that says something.
    private static func age(_ text: String) -> String {
        guard let seconds = WallTime.seconds(text) else { return "<unknown>" }
        let age = max(0, WallTime.now().seconds - seconds)
        if age < 120 { return "\(age)s" }
        if age < 7_200 { return "\(age / 60)m" }
        return age < 172_800 ? "\(age / 3_600)h" : "\(age / 86_400)d"
    }
}

/// The JSON paths that printer columns use: members, `[n]`, `[*]`, `['key']`, `[?(@.a=="b")]`.
enum JSONPath {
    static func values(_ path: String, in value: JSONValue) -> [JSONValue] {
        var values = [value]
        var rest = path[...]
        while let first = rest.first {
            rest = rest.dropFirst()
            if first == "." {
                var key = ""
                while let next = rest.first, next != ".", next != "[" {
                    if next == "\\" { rest = rest.dropFirst() }
                    guard let letter = rest.first else { break }
                    key.append(letter)
                    rest = rest.dropFirst()
                }
                if !key.isEmpty { values = values.compactMap { $0.object?[key] } }
            } else if first == "[" {
                let closing = rest.hasPrefix("?") ? ")]" : "]"
                guard let end = rest.firstRange(of: closing) else { return [] }
                let inside = String(rest[..<end.lowerBound])
                rest = rest[end.upperBound...]
                values = values.flatMap { step(inside, $0) }
            } else {
                return []
            }
        }
        return values
    }

    private static func step(_ text: String, _ value: JSONValue) -> [JSONValue] {
        if text == "*" { return value.array ?? value.object?.members.map(\.value) ?? [] }
        if let index = Int(text) { return value[index].map { [$0] } ?? [] }
        if let match = text.wholeMatch(of: /['"](.*)['"]/) {
            return value.object?[String(match.1)].map { [$0] } ?? []
        }
        guard let match = text.wholeMatch(of: /\?\(@\.([A-Za-z0-9_.]+)\s*==\s*['"](.*)['"]/) else {
            return []
        }
        return (value.array ?? []).filter {
            values(".\(match.1)", in: $0).first == .string(String(match.2))
        }
    }
}

extension WallTime {
    /// Seconds since 1970 of a time as ``text(seconds:)`` writes it.
    static func seconds(_ text: String) -> Int? {
        guard let match = text.wholeMatch(of: /(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.\d+)?Z/),
            let year = Int(match.1), let month = Int(match.2), let day = Int(match.3),
            let hour = Int(match.4), let minute = Int(match.5), let second = Int(match.6)
        else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = shiftedYear / 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return days * 86_400 + hour * 3_600 + minute * 60 + second
    }
}
