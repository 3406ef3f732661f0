/// Something about the way that traffic to a Service takes which its author should know: what
/// breaks it, and the way out.
public struct ServiceFinding: Hashable, Sendable {
    /// What is broken.
    public enum Rule: String, Hashable, Sendable, CaseIterable {
        /// No endpoint and no Pod has the port that `targetPort` names.
        case targetPortUnknown
        /// No endpoint has the port.
        case portUnserved
        /// No Pod bears the labels of the selector, or nothing is known to.
        case selectorMatchesNothing
        /// There is no selector, and no object names endpoints.
        case nothingBehind
        /// The node port is outside the range that API servers allot from.
        case nodePortOutsideRange
        /// Another Service has the node port.
        case nodePortTaken
        /// Another Service has the port of the address.
        case portTaken
        /// Another Service asks for the address, and they do not agree to share it.
        case addressNotShared
        /// `healthCheckNodePort` does nothing here.
        case idleHealthCheckNodePort
        /// `externalIPs` are not served by this Martlet.
        case externalIPRefused
        /// An address of `externalIPs` that no Service can have.
        case externalIPUnusable
        /// An ExternalName Service has fields that only a data path could honour.
        case externalNameHasNoDataPath
        /// An ExternalName Service points to an address.
        case externalNameIsAddress
        /// Source ranges name one family, and the other is closed, or open to everybody.
        case sourceRangesLackFamily
        /// A source range is of a family that the Service does not have.
        case sourceRangeOfOtherFamily
        /// Session affinity decides, so the endpoint choice that is asked for does not.
        case choiceOverruled
        /// The health check has no port to ask.
        case healthCheckWithoutPort
    }

    /// The Service.
    public var service: ObjectName
    /// What is broken.
    public var rule: Rule
    /// How much it matters.
    public var severity: Problem.Severity
    /// The field, such as `spec.ports[0].nodePort`.
    public var field: String
    /// What is wrong, with the offending value.
    public var text: String
    /// What the reader can do.
    public var remedy: String

    /// The finding as a problem of the object, at its place.
    public func problem(file: String = "", line: Int? = nil) -> Problem {
        Problem(
            severity, file: file, line: line, object: "Service \(service)", field: field,
            rule: text, remedy: remedy)
    }
}
