/// Gives equal values one small number and counts its uses, so that a hundred thousand prefixes
/// with the same attributes keep them once. A number is given anew when nobody uses it any more.
struct Numbered<Value: Hashable & Sendable>: Sendable {
    private var numbers: [Value: UInt32] = [:]
    private var values: [Value?] = []
    private var uses: [Int] = []
    private var vacant: [UInt32] = []
    /// The last value asked for: values come in runs, and comparing is cheaper than hashing.
    private var latest: UInt32 = 0

    /// All numbers ever given are below this.
    var bound: Int { values.count }

    /// The value of a number; `nil` when it is not in use.
    subscript(number: UInt32) -> Value? { values[Int(number)] }

    /// The number of a value, with one use more.
    mutating func retain(_ value: Value) -> UInt32 {
        if Int(latest) < values.count, values[Int(latest)] == value {
            uses[Int(latest)] += 1
            return latest
        }
        latest = numbers[value] ?? add(value)
        uses[Int(latest)] += 1
        return latest
    }

    private mutating func add(_ value: Value) -> UInt32 {
        let number: UInt32
        if let old = vacant.popLast() {
            number = old
            values[Int(number)] = value
        } else {
            number = UInt32(values.count)
            values.append(value)
            uses.append(0)
        }
        numbers[value] = number
        return number
    }

    /// One use more of a number that is in use.
    mutating func retain(number: UInt32) { uses[Int(number)] += 1 }

    /// How often a number is in use.
    func uses(of number: UInt32) -> Int { uses[Int(number)] }

    /// One use less; the answer says whether it was the last.
    @discardableResult
    mutating func release(_ number: UInt32) -> Bool {
        uses[Int(number)] -= 1
        guard uses[Int(number)] == 0, let value = values[Int(number)] else { return false }
        numbers[value] = nil
        values[Int(number)] = nil
        vacant.append(number)
        return true
    }

    /// By our numbers, those of the same values in `other`; ``Chain/none`` for values it has not.
    func numbers(in other: Self) -> [UInt32] {
        values.map { value in value.flatMap { other.numbers[$0] } ?? Chain.none }
    }
}
