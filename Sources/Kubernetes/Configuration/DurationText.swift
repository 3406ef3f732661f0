/// Durations as Kubernetes writes them (`metav1.Duration`): numbers with units, `1h30m`, `90s`,
/// `1.5s`, `300ms`, and `0`.
enum DurationText {
    /// The duration in nanoseconds, `nil` when the text is no duration or exceeds 292 years.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = Array(text.utf8)[...]
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty, rest.count <= 64 else { return nil }
        var total: Int64 = 0
        while !rest.isEmpty {
            guard let part = term(&rest) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            if overflow { return nil }
            total = sum
        }
        return isNegative ? -total : total
    }

    /// One number with its unit.
    private static func term(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        let whole = digits(&rest)
        var fraction: ArraySlice<UInt8> = []
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = digits(&rest)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let name = rest.prefix { !($0 == UInt8(ascii: ".") || (0x30...0x39).contains($0)) }
        guard let unit = unit(String(decoding: name, as: UTF8.self)) else { return nil }
        rest.removeFirst(name.count)
        var number: Int64 = 0
        for digit in whole {
            let (scaled, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = scaled.addingReportingOverflow(Int64(digit - 0x30))
            if overflow || overflow2 { return nil }
            number = sum
        }
        let (scaled, overflow) = number.multipliedReportingOverflow(by: unit)
        if overflow { return nil }
        var total = scaled
        var place = unit
        for digit in fraction {
            place /= 10
            let (sum, overflow) = total.addingReportingOverflow(place * Int64(digit - 0x30))
            if overflow { return nil }
            total = sum
        }
        return total
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let run = rest.prefix { (0x30...0x39).contains($0) }
        rest.removeFirst(run.count)
        return run
    }

    private static func unit(_ name: String) -> Int64? {
        switch name {
        case "ns": 1
        case "us", "\u{b5}s", "\u{3bc}s": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
    }
}

extension FieldValue {
    /// A duration text in whole seconds. `plainNumbers`: an integer is taken for seconds, as our
    /// own fields do; the API's duration type takes text only.
    func seconds(in range: ClosedRange<Int>, plainNumbers: Bool) -> Int? {
        if plainNumbers, case .scalar(let scalar) = node, case .integer = ScalarKind(scalar) {
            return int(in: range)
        }
        if case .scalar(let scalar) = node, case .integer(let number) = ScalarKind(scalar),
            let number
        {
            fail(
                "must be a duration, but is a number (\(number))",
                remedy: "write the unit: \(number)s")
            return nil
        }
        guard let text = string() else { return nil }
        guard let nanoseconds = DurationText.nanoseconds(text) else {
            fail(
                "\"\(Self.clip(text))\" is not a duration",
                remedy: "write numbers with units, such as 90s or 1h30m")
            return nil
        }
        let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        guard range.contains(Int(seconds)), nanoseconds >= 0 else {
            fail(
                "\(Self.clip(text)) is out of range",
                remedy: "use \(range.lowerBound)s to \(range.upperBound)s")
            return nil
        }
        if fraction != 0 {
            fail(
                "\(Self.clip(text)) is not a whole number of seconds",
                remedy: "use \(seconds)s or \(seconds + 1)s")
            return nil
        }
        return Int(seconds)
    }
}
