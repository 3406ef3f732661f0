import Testing

@testable import Controller

@Suite struct DictionaryDifferencesTests {
    /// What looking up every key says.
    private func expected(_ new: [String: Int], _ old: [String: Int]) -> Set<String> {
        Set(new.keys).union(old.keys).filter { new[$0] != old[$0] }
    }

    @Test func `an edited copy differs in what was edited, however much that is`() {
        var generator = SystemRandomNumberGenerator()
        for size in [0, 1, 2, 10, 100, 3000] {
            var old: [String: Int] = [:]
            for number in 0..<size { old["key \(number)"] = number }
            for edits in [0, 1, 3, 50, size, 2 * size] {
                var new = old
                for _ in 0..<edits {
                    let key = "key \(Int.random(in: 0...(2 * size + 1), using: &generator))"
                    new[key] = Bool.random(using: &generator) ? nil : Int.random(in: 0...9)
                }
                #expect(new.differences(from: old) == expected(new, old))
                #expect(old.differences(from: new) == expected(old, new))
            }
        }
    }

    @Test func `dictionaries that grew differently are compared key by key`() {
        var one: [String: Int] = [:]
        var two = [String: Int](minimumCapacity: 5000)
        for number in 0..<500 {
            one["key \(number)"] = number
            two["key \(499 - number)"] = 499 - number
        }
        #expect(one.differences(from: two).isEmpty)
        two["key 7"] = 8
        one["another"] = 1
        #expect(one.differences(from: two) == ["key 7", "another"])
        #expect(one.differences(from: [:]) == Set(one.keys))
    }
}
