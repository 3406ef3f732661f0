/// Something wrong, or worth saying, about what was read: where it is, which rule it breaks, and
/// the way out.
public struct Problem: Hashable, Sendable {
    /// How much it matters.
    public enum Severity: String, Hashable, Sendable, CaseIterable {
        /// The object, or the file, is refused; its last good version goes on working.
        case error
        /// The object works, but probably not as its author thinks.
        case warning
        /// Worth knowing, for instance a Service that has no endpoints for now.
        case notice
    }

    /// How much it matters.
    public var severity: Severity
    /// The file as the reader was told it; empty when the object came from a server.
    public var file: String
    /// Line in the file, from 1; `nil` when unknown.
    public var line: Int?
    /// `Kind namespace/name`; empty when the text did not get that far.
    public var object: String
    /// Path of the field, such as `spec.addresses[1]`; empty when the object as a whole is meant.
    public var field: String
    /// What is wrong, with the offending value.
    public var rule: String
    /// What the reader can do.
    public var remedy: String

    /// Makes a problem.
    public init(
        _ severity: Severity, file: String = "", line: Int? = nil, object: String = "",
        field: String = "", rule: String, remedy: String
    ) {
        self.severity = severity
        self.file = file
        self.line = line
        self.object = object
        self.field = field
        self.rule = rule
        self.remedy = remedy
    }
}

extension Problem: CustomStringConvertible {
    /// One line: `file:line: severity: object: field: rule; remedy`.
    public var description: String {
        let place = file.isEmpty ? "" : line.map { "\(file):\($0): " } ?? "\(file): "
        let subject = [object, field].filter { !$0.isEmpty }.map { $0 + ": " }.joined()
        return "\(place)\(severity.rawValue): \(subject)\(rule); \(remedy)"
    }
}
