/// News that still ride on beats, a few times each (SWIM §4.1); at most one about each member.
struct RumourList: Sendable {
    static let capacity = 512
    /// How many ride on one beat, so that beats stay short.
    static let most = 12

    private var rumours: [(news: MemberNews, id: NodeID, left: Int)] = []

    /// λ · log n of SWIM, with a λ for 30 % loss over four neighbours.
    mutating func add(_ news: MemberNews, amongMembers count: Int) {
        let id = news.id
        rumours.removeAll { $0.id == id }
        if rumours.count >= Self.capacity { rumours.removeFirst() }
        let magnitude = Int.bitWidth - max(count, 1).leadingZeroBitCount
        rumours.append((news, id, 2 + (magnitude + 2) / 3))
    }

    /// What rides on the beats that go out now.
    mutating func take() -> [MemberNews] {
        guard !rumours.isEmpty else { return [] }
        let count = min(rumours.count, Self.most)
        var taken: [MemberNews] = []
        for index in 0..<count {
            taken.append(rumours[index].news)
            rumours[index].left -= 1
        }
        // Those that rode go to the end, so that all have their turn.
        let rode = rumours[..<count].filter { $0.left > 0 }
        rumours.removeFirst(count)
        rumours += rode
        return taken
    }
}
