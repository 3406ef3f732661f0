/// Any value of JSON or YAML, to hand on as it is.
enum PlainValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case text(String)
    case list([PlainValue])
    case map([String: PlainValue])
}

extension PlainValue: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        func decoded<Value: Decodable>(_ type: Value.Type) -> Value? {
            try? container.decode(type)  // It throws for a value of another type.
        }
        if container.decodeNil() {
            self = .null
        } else if let value = decoded([String: PlainValue].self) {
            self = .map(value)
        } else if let value = decoded([PlainValue].self) {
            self = .list(value)
        } else if let value = decoded(Bool.self) {
            self = .bool(value)
        } else if let value = decoded(Int64.self) {
            self = .integer(value)
        } else if let value = decoded(Double.self) {
            self = .number(value)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .map(let value): try container.encode(value)
        }
    }
}
