/// A doubly linked list of members that are numbers, with the links kept outside: a member is
/// appended and taken out in constant time, and nothing is ever allocated for it.
struct Chain: Sendable {
    /// Stands for no number.
    static let none = UInt32.max

    /// The neighbours of a member.
    struct Links: BitwiseCopyable, Sendable {
        var previous = Chain.none
        var next = Chain.none
    }

    private(set) var first = Chain.none
    private var last = Chain.none
    private(set) var count = 0

    var isEmpty: Bool { first == Chain.none }

    /// - Precondition: `member` is in no chain of these links.
    mutating func append(_ member: UInt32, _ links: inout [Links]) {
        links[Int(member)] = Links(previous: last, next: Chain.none)
        if last == Chain.none {
            first = member
        } else {
            links[Int(last)].next = member
        }
        last = member
        count += 1
    }

    /// - Precondition: `member` is in this chain.
    mutating func remove(_ member: UInt32, _ links: inout [Links]) {
        let own = links[Int(member)]
        if own.previous == Chain.none {
            first = own.next
        } else {
            links[Int(own.previous)].next = own.next
        }
        if own.next == Chain.none {
            last = own.previous
        } else {
            links[Int(own.next)].previous = own.previous
        }
        count -= 1
    }
}
