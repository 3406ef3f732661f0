/// Why a session changed its state the last time (RFC 5880 §4.1). Five bits; codes without a name
/// are kept as they are.
public struct BFDDiagnostic: RawRepresentable, Hashable, Sendable {
    /// The code, 0–31.
    public let rawValue: UInt8

    /// The code's low five bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue & 0x1f }

    /// Nothing to say.
    public static let none = BFDDiagnostic(rawValue: 0)
    /// No control packet came for a detection time.
    public static let controlDetectionTimeExpired = BFDDiagnostic(rawValue: 1)
    /// Echo packets did not come back.
    public static let echoFunctionFailed = BFDDiagnostic(rawValue: 2)
    /// The other end said that it is down.
    public static let neighborSignaledSessionDown = BFDDiagnostic(rawValue: 3)
    /// The forwarding plane lost its state.
    public static let forwardingPlaneReset = BFDDiagnostic(rawValue: 4)
    /// The path is known to be down by other means.
    public static let pathDown = BFDDiagnostic(rawValue: 5)
    /// A path behind this one is down.
    public static let concatenatedPathDown = BFDDiagnostic(rawValue: 6)
    /// An operator holds the session down.
    public static let administrativelyDown = BFDDiagnostic(rawValue: 7)
    /// A path behind this one is down, seen from the other direction.
    public static let reverseConcatenatedPathDown = BFDDiagnostic(rawValue: 8)
    /// The tunnel's identifiers do not match (RFC 6428 §3.5).
    public static let misconnectivityDefect = BFDDiagnostic(rawValue: 9)

    private static let names = [
        "no diagnostic", "control detection time expired", "echo function failed",
        "neighbor signaled session down", "forwarding plane reset", "path down",
        "concatenated path down", "administratively down", "reverse concatenated path down",
        "misconnectivity defect",
    ]
}

extension BFDDiagnostic: CustomStringConvertible {
    /// The RFC's name, or the number of a code without one.
    public var description: String {
        let index = Int(rawValue)
        return Self.names.indices.contains(index) ? Self.names[index] : "diagnostic \(rawValue)"
    }
}
