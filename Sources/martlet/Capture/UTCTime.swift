/// A time of day as capture tools write it, in UTC.
struct UTCTime {
    /// As in `2026-03-01`.
    let date: String
    /// As in `09:08:07.123456`.
    let clock: String
    /// As in `2026-03-01T09:08:07.123456789Z` (RFC 3339).
    var timestamp: String { "\(date)T\(clock)\(lastDigits)Z" }

    private let lastDigits: String

    /// - Parameter nanoseconds: since 1970.
    init(nanoseconds: Int64) {
        let seconds = Self.floor(nanoseconds, 1_000_000_000)
        let days = Self.floor(seconds.quotient, 86400)
        let (year, month, day) = Self.civil(days.quotient)
        let (hours, rest) = days.remainder.quotientAndRemainder(dividingBy: 3600)
        let (microseconds, last) = seconds.remainder.quotientAndRemainder(dividingBy: 1000)
        date = "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(day, 2))"
        clock =
            "\(Self.pad(hours, 2)):\(Self.pad(rest / 60, 2)):\(Self.pad(rest % 60, 2))."
            + Self.pad(microseconds, 6)
        lastDigits = Self.pad(last, 3)
    }

    private static func floor(
        _ value: Int64, _ divisor: Int64
    ) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// The date of the Gregorian calendar, reckoned in years that begin in March, so that the
    /// leap day is the last.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = floor(days + 719_468, 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let isNextYear = month >= 10
        return (
            yearOfEra + era * 400 + (isNextYear ? 1 : 0), isNextYear ? month - 9 : month + 3, day
        )
    }

    private static func pad(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
