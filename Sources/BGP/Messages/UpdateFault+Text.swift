extension UpdateFault: CustomStringConvertible {
    /// As in `ORIGIN: it is missing (RFC 7606 §3 d)`.
    public var description: String {
        switch attribute {
        case 0: rule
        default: "\(AttributeType(rawValue: attribute)?.name ?? "attribute \(attribute)"): \(rule)"
        }
    }
}
