import NetworkTypes

/// One value for each address family, reached by the family, so that no code is written twice.
struct PerFamily<Value> {
    private var ipv4: Value
    private var ipv6: Value

    /// Makes both values from their family.
    init(_ make: (IPAddress.Family) -> Value) {
        ipv4 = make(.ipv4)
        ipv6 = make(.ipv6)
    }

    /// The value of a family.
    subscript(family: IPAddress.Family) -> Value {
        _read {
            switch family {
            case .ipv4: yield ipv4
            case .ipv6: yield ipv6
            }
        }
        _modify {
            switch family {
            case .ipv4: yield &ipv4
            case .ipv6: yield &ipv6
            }
        }
    }
}

extension PerFamily: Sendable where Value: Sendable {}
extension PerFamily: Equatable where Value: Equatable {}

/// At most one address of each family: what a Service has.
typealias AddressPair = PerFamily<IPAddress?>

extension PerFamily where Value == IPAddress? {
    /// No address.
    static var none: AddressPair { AddressPair { _ in nil } }

    /// Whether there is neither address.
    var isEmpty: Bool { self[.ipv4] == nil && self[.ipv6] == nil }

    /// Whether this very address is one of them.
    func contains(_ address: IPAddress) -> Bool { self[address.family] == address }

    /// The addresses there are, in the order given.
    func ordered(by families: [IPAddress.Family] = IPAddress.Family.allCases) -> [IPAddress] {
        families.compactMap { self[$0] }
    }
}
