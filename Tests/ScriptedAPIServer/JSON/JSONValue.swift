/// A JSON value. Members of objects keep their order.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    package static func == (left: JSONValue, right: JSONValue) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.integer(let a), .number(let b)), (.number(let b), .integer(let a)):
            Double(a) == b
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }
}

extension JSONValue {
    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { if case .null = self { true } else { false } }

    /// What is at a path of member names, `nil` where there is nothing.
    package subscript(_ path: String...) -> JSONValue? {
        get { self[path: path[...]] }
        set { self[path: path[...]] = newValue }
    }

    /// An element of an array; `nil` out of bounds.
    package subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else {
            return nil
        }
        return elements[index]
    }

    package subscript(path path: ArraySlice<String>) -> JSONValue? {
        get {
            var value = self
            for key in path {
                guard case .object(let object) = value, let next = object[key] else { return nil }
                value = next
            }
            return value
        }
        set {
            guard !path.isEmpty else {
                self = newValue ?? .null
                return
            }
            var object = self.object ?? JSONObject()
            object[path: path] = newValue
            self = .object(object)
        }
    }
}

/// The members of a JSON object in their order. Objects of the API have few members, so that a look
/// along them is quicker than a hash.
package struct JSONObject: Sendable, Equatable {
    package struct Member: Sendable {
        package var key: String
        package var value: JSONValue
    }

    package var members: [Member] = []

    package init() {}

    package init(_ members: [(String, JSONValue)]) {
        self.members = members.map { Member(key: $0.0, value: $0.1) }
    }

    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    package func index(of key: String) -> Int? { members.firstIndex { $0.key == key } }

    package subscript(_ key: String) -> JSONValue? {
        get {
            for member in members where member.key == key { return member.value }
            return nil
        }
        set {
            if let index = index(of: key) {
                if let newValue {
                    members[index].value = newValue
                } else {
                    members.remove(at: index)
                }
            } else if let newValue {
                members.append(Member(key: key, value: newValue))
            }
        }
    }

    package subscript(_ first: String, _ rest: String...) -> JSONValue? {
        get { self[path: ([first] + rest)[...]] }
        set { self[path: ([first] + rest)[...]] = newValue }
    }

    package subscript(path path: ArraySlice<String>) -> JSONValue? {
        get {
            guard let first = path.first, let value = self[first] else { return nil }
            return path.count == 1 ? value : value[path: path.dropFirst()]
        }
        set {
            guard let first = path.first else { return }
            guard path.count > 1 else {
                self[first] = newValue
                return
            }
            var inner = self[first]?.object ?? JSONObject()
            if newValue == nil, self[first]?.object == nil { return }
            inner[path: path.dropFirst()] = newValue
            self[first] = .object(inner)
        }
    }

    package static func == (left: JSONObject, right: JSONObject) -> Bool {
        guard left.members.count == right.members.count else { return false }
        // Most often the order is the same too.
        for (index, member) in left.members.enumerated() {
            let other = right.members[index]
            if other.key == member.key {
                if other.value != member.value { return false }
            } else if right[member.key] != member.value {
                return false
            }
        }
        return true
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByStringInterpolation
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements))
    }
}
