extension Array where Element: Comparable {
    /// The index of an element in an array that is in ascending order without duplicates.
    func sortedIndex(of element: Element) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == element ? low : nil
    }
}
