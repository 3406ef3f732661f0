/// One metric with its samples, as the Prometheus text exposition format 0.0.4 shows it.
package struct MetricFamily: Sendable, Equatable {
    /// What kind of value the samples are.
    package enum Kind: String, Sendable {
        case counter
        case gauge
    }

    /// One value with its labels.
    package struct Sample: Sendable, Equatable {
        package var labels: [(name: String, value: String)]
        package var value: Double

        package init(_ labels: KeyValuePairs<String, String> = [:], _ value: Double) {
            self.labels = labels.map { (name: $0.key, value: $0.value) }
            self.value = value
        }

        package static func == (left: Sample, right: Sample) -> Bool {
            left.value == right.value && left.labels.elementsEqual(right.labels, by: ==)
        }
    }

    /// The metric's name, `[a-zA-Z_:][a-zA-Z0-9_:]*`.
    package let name: String
    /// One sentence for people.
    package let help: String
    /// Counter or gauge.
    package let kind: Kind
    /// The values.
    package var samples: [Sample]

    package init(_ name: String, _ kind: Kind, help: String, samples: [Sample]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.samples = samples
    }
}

extension MetricFamily {
    /// The exposition of some families, ready to be served as `text/plain; version=0.0.4`.
    package static func exposition(_ families: [MetricFamily]) -> String {
        var text = ""
        for family in families {
            text += "# HELP \(family.name) \(escape(family.help, quotes: false))\n"
            text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
            for sample in family.samples {
                text += family.name
                if !sample.labels.isEmpty {
                    let labels = sample.labels.map {
                        "\($0.name)=\"\(escape($0.value, quotes: true))\""
                    }
                    text += "{\(labels.joined(separator: ","))}"
                }
                text += " \(number(sample.value))\n"
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map(String.init) ?? String(value)
    }

    private static func escape(_ text: String, quotes: Bool) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            case "\"" where quotes: escaped += "\\\""
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}
