/// Objects by name, made to be copied, changed a little, and compared.
///
/// The objects are spread over a fixed number of dictionaries by the hash of their names. A copy
/// shares all of them until it is changed, and then all but those that were. So a change of one
/// object among many, and finding out which one it was, cost next to nothing.
public struct ObjectTable<Value> {
    /// Over how many dictionaries the objects are spread.
    private static var shardCount: Int { 256 }

    /// None while the table has always been empty.
    private var shards: [[ObjectName: Value]]
    /// How many objects there are.
    public private(set) var count: Int

    /// An empty table.
    public init() {
        shards = []
        count = 0
    }

    /// A table of what a dictionary holds.
    public init(_ values: [ObjectName: Value]) {
        self.init()
        for (name, value) in values { self[name] = value }
    }

    private static func shard(of name: ObjectName) -> Int { name.hashValue & (shardCount - 1) }

    /// The object of a name.
    public subscript(name: ObjectName) -> Value? {
        get { shards.isEmpty ? nil : shards[Self.shard(of: name)][name] }
        set {
            if shards.isEmpty {
                guard newValue != nil else { return }
                shards = Array(repeating: [:], count: Self.shardCount)
            }
            let shard = Self.shard(of: name)
            let before = shards[shard].count
            // Removing what is not there would part two tables that are equal.
            if newValue == nil, shards[shard][name] == nil { return }
            shards[shard][name] = newValue
            count += shards[shard].count - before
        }
    }

    /// The object of a name, or what stands for it.
    public subscript(name: ObjectName, default value: @autoclosure () -> Value) -> Value {
        get { self[name] ?? value() }
        set { self[name] = newValue }
    }

    /// Whether there is an object of the name.
    public func contains(_ name: ObjectName) -> Bool {
        !shards.isEmpty && shards[Self.shard(of: name)].index(forKey: name) != nil
    }

    /// The names, in no order.
    public var keys: LazyMapSequence<ObjectTable, ObjectName> { lazy.map(\.key) }

    /// The objects, in no order.
    public var values: LazyMapSequence<ObjectTable, Value> { lazy.map(\.value) }

    /// Looks at one object where it is, because it may be large to copy; `nil` where there is none.
    public func withValue<Result>(of name: ObjectName, _ body: (Value) -> Result) -> Result? {
        guard !shards.isEmpty else { return nil }
        let shard = Self.shard(of: name)
        guard let index = shards[shard].index(forKey: name) else { return nil }
        return body(shards[shard].values[index])
    }
}

extension ObjectTable: Sendable where Value: Sendable {}

extension ObjectTable: Sequence {
    /// Walks through the objects, in no order.
    public struct Iterator: IteratorProtocol {
        private let shards: [[ObjectName: Value]]
        private var shard = 0
        private var current: [ObjectName: Value].Iterator?

        init(_ shards: [[ObjectName: Value]]) { self.shards = shards }

        /// The next object.
        public mutating func next() -> (key: ObjectName, value: Value)? {
            while true {
                if let element = current?.next() { return element }
                guard shard < shards.count else { return nil }
                current = shards[shard].makeIterator()
                shard += 1
            }
        }
    }

    /// Begins a walk.
    public func makeIterator() -> Iterator { Iterator(shards) }

    /// Exact.
    public var underestimatedCount: Int { count }

    /// Whether there is no object.
    public var isEmpty: Bool { count == 0 }
}

extension ObjectTable: ExpressibleByDictionaryLiteral {
    /// A table of these objects; of several of one name the last.
    public init(dictionaryLiteral elements: (ObjectName, Value)...) {
        self.init()
        for (name, value) in elements { self[name] = value }
    }
}

extension ObjectTable: Equatable where Value: Equatable {
    /// Whether both hold the same. What they share is not looked at.
    public static func == (left: ObjectTable, right: ObjectTable) -> Bool {
        left.count == right.count && (left.count == 0 || left.shards == right.shards)
    }

    /// The names whose objects came, went or changed since `old`. What both share is not looked at.
    public func differences(from old: ObjectTable) -> Set<ObjectName> {
        guard !shards.isEmpty, !old.shards.isEmpty else {
            return Set((shards.isEmpty ? old : self).keys)
        }
        var names: Set<ObjectName> = []
        for shard in shards.indices where shards[shard] != old.shards[shard] {
            let (new, former) = (shards[shard], old.shards[shard])
            for (name, value) in new where former[name] != value { names.insert(name) }
            for name in former.keys where new.index(forKey: name) == nil { names.insert(name) }
        }
        return names
    }
}
