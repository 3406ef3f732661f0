import NetworkTypes

extension Service {
    /// Reads Martlet's own annotations, which say how endpoints are chosen and asked. What is wrong
    /// with one is an error in a file; of a server's object, whose other parts still count, the
    /// usual value stands in for it.
    mutating func readAnnotations(_ object: FieldReader) {
        let annotations = AnnotationReader(metadata.annotations, object)
        if let name = annotations.text(Self.preferredNodeAnnotation) {
            if name.isEmpty {
                annotations.fail(
                    Self.preferredNodeAnnotation, "names no node",
                    remedy: "write the name of a Node, or remove the annotation")
            } else {
                preferredNode = name
            }
        }
        endpointSelection = annotations.choice(Self.endpointSelectionAnnotation)
        healthCheck = HealthCheck(annotations)
    }
}

extension HealthCheck {
    /// The most bytes that a datagram or its expectation has.
    static let maximumBytes = 512

    fileprivate init?(_ annotations: AnnotationReader) {
        let present = Setting.allCases.filter { annotations.text($0.key) != nil }
        guard annotations.text(Setting.method.key) != nil else {
            for setting in present {
                annotations.warn(
                    setting.key, "has no effect without \(Setting.method.key)",
                    remedy: "add \(Setting.method.key): tcp, http or udp, or remove it")
            }
            return nil
        }
        guard let name: MethodName = annotations.choice(Setting.method.key) else { return nil }
        self.init(Self.method(name, annotations))
        for setting in present where !name.settings.contains(setting) {
            annotations.warn(
                setting.key, "has no effect on a check by \(name.rawValue)",
                remedy: "remove it, or choose another check")
        }
        port = annotations.number(Setting.port.key, in: 1...65535).map { UInt16($0) }
        let longest = Duration.seconds(3_600)
        let pace = Duration.milliseconds(100)...longest
        if let value = annotations.duration(Setting.interval.key, in: pace) { interval = value }
        let patience = Duration.milliseconds(10)...Duration.seconds(60)
        if let value = annotations.duration(Setting.timeout.key, in: patience) {
            timeout = value
        } else if annotations.text(Setting.timeout.key) == nil {
            timeout = min(timeout, interval)
        }
        rise = annotations.number(Setting.rise.key, in: 1...100) ?? rise
        fall = annotations.number(Setting.fall.key, in: 1...100) ?? fall
        if let truth: Truth = annotations.choice(Setting.panic.key) { failsOpen = truth == .yes }
    }

    private static func method(_ name: MethodName, _ annotations: AnnotationReader) -> Method {
        switch name {
        case .tcp: return .tcp
        case .http:
            return .http(
                path: annotations.path(Setting.path.key) ?? "/",
                statuses: annotations.statuses(Setting.expect.key) ?? usualStatuses)
        case .udp:
            return .udp(
                sends: annotations.bytes(Setting.send.key) ?? [],
                expects: annotations.bytes(Setting.expect.key))
        }
    }

    private enum MethodName: String, CaseIterable {
        case tcp, http, udp

        var settings: [Setting] {
            let all: [Setting] = [.method, .port, .interval, .timeout, .rise, .fall, .panic]
            return switch self {
            case .tcp: all
            case .http: all + [.path, .expect]
            case .udp: all + [.send, .expect]
            }
        }
    }

    private enum Truth: String, CaseIterable {
        case yes = "true"
        case no = "false"
    }
}

/// Reads the values of annotations, and says what is wrong with them.
private struct AnnotationReader {
    private let values: [String: String]
    private let object: FieldReader

    init(_ values: [String: String], _ object: FieldReader) {
        self.values = values
        self.object = object
    }

    func text(_ key: String) -> String? { values[key] }

    func fail(_ key: String, _ rule: String, remedy: String) {
        object.report(
            object.annotationSeverity, "metadata", "annotation \(key) \(rule)", remedy: remedy)
    }

    func warn(_ key: String, _ rule: String, remedy: String) {
        object.report(.warning, "metadata", "annotation \(key) \(rule)", remedy: remedy)
    }

    private func shown(_ key: String) -> String { "\"\(FieldValue.clip(values[key] ?? ""))\"" }

    func choice<Value: RawRepresentable & CaseIterable>(_ key: String) -> Value?
    where Value.RawValue == String {
        guard let text = values[key] else { return nil }
        if let value = Value(rawValue: text) { return value }
        let words = Value.allCases.map(\.rawValue)
        fail(
            key, "is \(shown(key))",
            remedy: "write \(words.dropLast().joined(separator: ", ")) or \(words.last ?? "")")
        return nil
    }

    func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = values[key] else { return nil }
        if let number = Int(text), range.contains(number) { return number }
        fail(
            key, "is \(shown(key))",
            remedy: "write a number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let text = values[key] else { return nil }
        if let number = DurationText.nanoseconds(text), range.contains(.nanoseconds(number)) {
            return .nanoseconds(number)
        }
        fail(
            key, "is \(shown(key))",
            remedy: "write a duration with its unit, such as 2s, from "
                + "\(Self.text(range.lowerBound)) to \(Self.text(range.upperBound))")
        return nil
    }

    /// A duration as it may be written: `100ms`, `1h`.
    private static func text(_ duration: Duration) -> String {
        let units: [(Duration, String)] = [
            (.seconds(3_600), "h"), (.seconds(60), "m"), (.seconds(1), "s"),
        ]
        for (unit, name) in units where duration >= unit {
            return "\(duration.wholeNanoseconds / unit.wholeNanoseconds)\(name)"
        }
        return "\(duration.wholeNanoseconds / 1_000_000)ms"
    }

    func path(_ key: String) -> String? {
        guard let text = values[key] else { return nil }
        let isPlain = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
        if text.hasPrefix("/"), isPlain, text.utf8.count <= 1_024 { return text }
        fail(
            key, "is \(shown(key))",
            remedy: "write a path such as /healthz, in ASCII, blanks as %20, 1024 bytes at most")
        return nil
    }

    func statuses(_ key: String) -> ClosedRange<Int>? {
        guard let text = values[key] else { return nil }
        let bounds = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        if bounds.count <= 2, let first = bounds[0], let last = bounds[bounds.count - 1],
            100 <= first, first <= last, last <= 599
        {
            return first...last
        }
        fail(key, "is \(shown(key))", remedy: "write a status or a range of them, such as 200-299")
        return nil
    }

    /// Text with `\n`, `\r`, `\t`, `\\` and `\xHH` in it.
    func bytes(_ key: String) -> [UInt8]? {
        guard let text = values[key] else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = Self.escaped(&rest) else {
                fail(
                    key, "has an escape that is not known",
                    remedy: #"use \n, \r, \t, \\ and \xHH; write a backslash as \\"#)
                return nil
            }
            bytes.append(escaped)
        }
        if bytes.count <= HealthCheck.maximumBytes { return bytes }
        fail(
            key, "has \(bytes.count) bytes",
            remedy: "send and expect \(HealthCheck.maximumBytes) bytes at most")
        return nil
    }

    private static func escaped(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        switch rest.popFirst() {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "\\"): return UInt8(ascii: "\\")
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2)
            rest = rest.dropFirst(2)
            guard digits.count == 2, !digits.contains(UInt8(ascii: "+")) else { return nil }
            return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        default: return nil
        }
    }
}
