/// Finds the known name that a reader most probably meant.
enum NearestName {
    /// The nearest of `names`, when it is near enough to be a slip: letter case, a plural, or at
    /// most one edit for every three letters (two at least).
    static func suggestion(for text: String, among names: some Sequence<String>) -> String? {
        let wanted = Array(text.lowercased().utf8.prefix(64))
        var best: (name: String, distance: Int)?
        for name in names.sorted() {
            let candidate = Array(name.lowercased().utf8.prefix(64))
            let bound = max(2, wanted.count / 3)
            guard abs(candidate.count - wanted.count) <= bound else { continue }
            let distance = distance(wanted, candidate)
            guard distance <= bound, distance < max(wanted.count, 1) else { continue }
            if distance < best?.distance ?? .max { best = (name, distance) }
        }
        return best?.name
    }

    /// `did you mean "…"?`, or `nil` when nothing is near.
    static func remedy(for text: String, among names: some Sequence<String>) -> String? {
        suggestion(for: text, among: names).map { "did you mean \"\($0)\"?" }
    }

    /// How many insertions, deletions, replacements and swaps of neighbours tell them apart.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            for column in 1...right.count {
                let same = left[row - 1] == right[column - 1]
                var cost = min(
                    last[column] + 1, current[column - 1] + 1, last[column - 1] + (same ? 0 : 1))
                if row > 1, column > 1, left[row - 1] == right[column - 2],
                    left[row - 2] == right[column - 1]
                {
                    cost = min(cost, beforeLast[column - 2] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
