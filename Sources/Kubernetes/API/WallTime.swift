/// A moment of the world's clock, in UTC, for stamps that people read. Never for waiting: that
/// clock may jump.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970.
    public var nanosecondsSince1970: UInt64

    /// Makes a moment.
    public init(nanosecondsSince1970: UInt64) {
        self.nanosecondsSince1970 = nanosecondsSince1970
    }

    /// Earlier before later.
    public static func < (left: WallTime, right: WallTime) -> Bool {
        left.nanosecondsSince1970 < right.nanosecondsSince1970
    }

    /// To the second, as `metav1.Time`: `2026-01-02T03:04:05Z` (RFC 3339).
    public var seconds: String { text(fraction: "") }

    /// To the microsecond, as `metav1.MicroTime`: `2026-01-02T03:04:05.678901Z`.
    public var microseconds: String {
        text(fraction: "." + Self.padded(nanosecondsSince1970 / 1000 % 1_000_000, to: 6))
    }

    private func text(fraction: String) -> String {
        let total = nanosecondsSince1970 / 1_000_000_000
        let (year, month, day) = Self.date(daysSince1970: total / 86_400)
        let rest = total % 86_400
        let date = [(year, 4), (month, 2), (day, 2)].map { Self.padded($0, to: $1) }
        let time = [rest / 3600, rest / 60 % 60, rest % 60].map { Self.padded($0, to: 2) }
        return "\(date.joined(separator: "-"))T\(time.joined(separator: ":"))\(fraction)Z"
    }

    /// The Gregorian date. Years are counted from March, so that the leap day is the last one, in
    /// eras of 400 years, which all have the same length.
    private static func date(daysSince1970: UInt64) -> (UInt64, UInt64, UInt64) {
        let days = daysSince1970 + 719_468  // from 1 March of the year 0
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let year =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isAfterYearsEnd = month >= 10
        return (
            year + era * 400 + (isAfterYearsEnd ? 1 : 0),
            isAfterYearsEnd ? month - 9 : month + 3, day
        )
    }

    private static func padded(_ number: UInt64, to width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
