import NetworkTypes

extension PathAttributes: CustomStringConvertible {
    /// As in `origin IGP, AS path 64512, next hop 192.0.2.1, communities 64512:1`.
    public var description: String {
        var parts: [String] = []
        if let origin { parts.append("origin \(origin)") }
        if let asPath {
            let path = asPath.isEmpty ? "empty" : asPath.list(separator: " ")
            parts.append("AS path \(path)")
        }
        if let nextHop { parts.append("next hop \(nextHop)") }
        if let multiExitDiscriminator { parts.append("MED \(multiExitDiscriminator)") }
        if let localPreference { parts.append("local preference \(localPreference)") }
        if isAtomicAggregate { parts.append("atomic aggregate") }
        if let aggregator { parts.append("aggregator \(aggregator)") }
        if !communities.isEmpty { parts.append("communities \(communities.list(separator: " "))") }
        if !extendedCommunities.isEmpty {
            parts.append("extended communities \(extendedCommunities.list(separator: " "))")
        }
        if !largeCommunities.isEmpty {
            parts.append("large communities \(largeCommunities.list(separator: " "))")
        }
        if let originatorID { parts.append("originator \(RouterIDText.describe(originatorID))") }
        if !clusterList.isEmpty {
            parts.append(
                "clusters \(clusterList.map(RouterIDText.describe).list(separator: " "))")
        }
        if let onlyToCustomer { parts.append("only to customer AS \(onlyToCustomer)") }
        parts += unknown.prefix(8).map(\.description)
        if unknown.count > 8 { parts.append("and \(unknown.count - 8) attributes more") }
        return parts.joined(separator: ", ")
    }
}

extension PathAttributes.Origin: CustomStringConvertible {
    /// `IGP`, `EGP` or `incomplete`.
    public var description: String {
        switch self {
        case .igp: "IGP"
        case .egp: "EGP"
        case .incomplete: "incomplete"
        }
    }
}

extension PathAttributes.PathSegment: CustomStringConvertible {
    /// `64512 64513`; a set in braces, segments of a confederation in parentheses and brackets.
    public var description: String {
        let text = numbers.list(separator: " ")
        switch kind {
        case .sequence: return text
        case .set: return "{\(text)}"
        case .confederationSequence: return "(\(text))"
        case .confederationSet: return "[\(text)]"
        }
    }
}

extension PathAttributes.Aggregator: CustomStringConvertible {
    /// As in `AS 64512 at 192.0.2.1`.
    public var description: String { "AS \(number) at \(RouterIDText.describe(routerID))" }
}

extension PathAttributes.Unknown: CustomStringConvertible {
    /// The name or number, and the value in hexadecimal.
    public var description: String {
        let name = AttributeType(rawValue: type)?.name ?? "attribute \(type)"
        return value.isEmpty ? name : "\(name) (\(HexText.describe(value)))"
    }
}

extension NextHop: CustomStringConvertible {
    /// The address, and the link-local one beside it.
    public var description: String {
        guard let linkLocal else { return address.description }
        return "\(address) and \(linkLocal)"
    }
}

extension StandardCommunity: CustomStringConvertible {
    /// As in `64512:100`.
    public var description: String { "\(bits >> 16):\(bits & 0xffff)" }
}

extension LargeCommunity: CustomStringConvertible {
    /// As in `64512:1:2`.
    public var description: String { "\(administrator):\(first):\(second)" }
}

extension ExtendedCommunity: CustomStringConvertible {
    /// The 64 bits in hexadecimal.
    public var description: String {
        let digits = String(bits, radix: 16)
        return "0x" + String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Collection where Element: CustomStringConvertible {
    /// Up to 20 elements as text, and how many more there are.
    func list(separator: String) -> String {
        let text = prefix(20).map(\.description).joined(separator: separator)
        return count > 20 ? "\(text) and \(count - 20) more" : text
    }
}
